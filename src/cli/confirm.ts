/** Asks whether what a restore replaces may be deleted. */
import { escapeForDisplay } from "../model/display.js";
import { mayDelete } from "../run/plan/may-delete.js";
import type { Outline } from "../run/plan/plan-schema.js";
import { ask } from "./ask.js";
import type { Io } from "./io.js";
import { deletionText } from "./plan-text.js";
import type { ProgressKind } from "./progress.js";

export interface ConfirmArguments {
  readonly yes?: boolean;
  readonly progress?: ProgressKind;
}

/** `outline`: was shown before, unless it was to be quiet. False where nobody can be asked. @throws RestoreError INTERRUPTED */
export async function confirm(
  { scopes }: Pick<Outline, "scopes">,
  { yes, progress }: ConfirmArguments,
  io: Io,
): Promise<boolean> {
  if (yes === true) return true;
  if (io.isTty !== true || io.stdin === undefined) return false;
  const deleted = scopes.filter(mayDelete);
  const names = deleted.map(({ adapter, target }) => escapeForDisplay(`${adapter}:${target}`));
  const what = `${names.join(", ")} ${names.length === 1 ? "holds" : "hold"}`;
  // Else it stands just above.
  if (progress === "none") io.stderr.write(deletionText(deleted));
  return (await ask(`This deletes what ${what}. Type "replace" to go on: `, io)) === "replace";
}
