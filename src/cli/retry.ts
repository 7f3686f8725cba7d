/** Makes the engine's selection of a retry from what was typed. */
import { RestoreError } from "../errors/restore-error.js";
import type { OutcomeKind } from "../model/outcome.js";
import { WANTING } from "../run/listed-summary.js";
import { type Retry, readRetry } from "../run/retry.js";
import { Selection, type SelectionOptions } from "../run/selection.js";
import type { Io } from "./io.js";
import { usage } from "./quantities.js";
import { type StateArguments, stateDirectory } from "./state-directory.js";

/** Messages that may be there already are sent again only when that is asked for. */
const DEFAULT_ONLY = ["failed", "rejected"];

export interface RetryArguments extends StateArguments {
  /** A report's path: only records that it lists with the outcomes in `only`. */
  readonly retryOf?: string;
  readonly only?: readonly string[];
}

/** Undefined for a run that retries nothing. To be closed. @throws RestoreError USAGE */
export async function retryFor(args: RetryArguments, io: Io, workDirectory: string): Promise<Retry | undefined> {
  const { retryOf: path, only } = args;
  if (path === undefined) return undefined;
  const outcomes = parseOnly(only ?? DEFAULT_ONLY);
  return await readRetry({ path, outcomes, stateDirectory: stateDirectory(args, io), workDirectory });
}

/** `failed,rejected`: outcomes. @throws RestoreError USAGE */
function parseOnly(texts: readonly string[]): OutcomeKind[] {
  return texts
    .flatMap((text) => text.split(","))
    .map((word) => {
      const kind = WANTING.find((known) => known === word.trim());
      if (kind === undefined) throw usage("--only", word, WANTING.join(", "));
      return kind;
    });
}

/** Of the selected scopes those in which a record is to be restored again. @throws RestoreError USAGE when there is none */
export function retriedSelection(selection: SelectionOptions, retry: Retry): SelectionOptions {
  const selected = new Selection(selection);
  const scopes = retry.scopes.filter(({ adapter, name }) => selected.wants(adapter, name));
  if (scopes.length > 0) return { ...selection, adapters: [...new Set(scopes.map(({ adapter }) => adapter))], scopes };
  throw new RestoreError("USAGE", "no record that the report lists is in the selected scopes", {
    hint: "Leave --adapter and --scope out, or name other ones.",
  });
}
