/** `inspect`: what a dump holds: its scopes, the records of some of them by key, or records with all that is in them. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import type { DumpRecord } from "../../model/record.js";
import type { Scope } from "../../model/scope.js";
import { findRecords } from "../../run/find-records.js";
import { verifyDump } from "../../run/verify-dump.js";
import { present } from "../../support/present.js";
import { formatCount } from "../format.js";
import type { Io } from "../io.js";
import { DEFAULT_RECORD_LIMIT } from "../options.js";
import { json, jsonLine, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { usage } from "../quantities.js";
import { recordLine, recordText } from "../record-text.js";
import { summarizeRecord, viewRecord } from "../record-view.js";
import { parseSelection, type SelectionArguments } from "../selection.js";
import { verificationText } from "../text.js";
import { workPlace } from "../work-place.js";

interface InspectArguments extends SelectionArguments {
  readonly dump: string;
  readonly path?: string;
  readonly values?: boolean;
  readonly plain?: boolean;
  readonly limit?: string;
  readonly allowOrphanBuckets?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export async function run(args: InspectArguments, io: Io): Promise<number> {
  const { path, adapter, scope, include, exclude } = args;
  const isSearch = [path, adapter, scope, include, exclude].some((each) => each !== undefined);
  if (isSearch) return await search(args, io);
  const stray = (["values", "plain", "limit"] as const).find((name) => args[name] !== undefined);
  if (stray === undefined) return await overview(args, io);
  throw new RestoreError("USAGE", `--${stray} is for records`, {
    hint: "Name a file or a scope of the dump, or keys with --include.",
  });
}

async function overview(args: InspectArguments, io: Io): Promise<number> {
  const result = await verifyDump({ ...common(args, io), selection: parseSelection({}), checksumsOnly: false });
  await print(io.stdout, args.json === true ? json(result) : verificationText(result));
  return EXIT.ok;
}

async function search(args: InspectArguments, io: Io): Promise<number> {
  const limit = parseLimit(args.limit ?? DEFAULT_RECORD_LIMIT);
  const at = args.path === undefined ? {} : placeOf(args.path);
  const show = showing(args, io);
  let left = limit;
  let isCut = false;
  const found = await findRecords(
    { ...common(args, io), selection: parseSelection(args), ...at },
    async (scope, record) => {
      // One more than is shown tells that there are more.
      isCut = left === 0;
      if (isCut) return false;
      left--;
      await show(scope, record);
      return true;
    },
  );
  if (isCut) io.stderr.write(`only the first ${formatCount(limit)} are shown; --limit 0 shows all\n`);
  if (found === 0) io.stderr.write("no record's key matches\n");
  return EXIT.ok;
}

/** A place in a file is shown whole; what was found by key, a line each. */
function showing(args: InspectArguments, { stdout }: Io): (scope: Scope, record: DumpRecord) => Promise<void> {
  const options = { plain: args.plain === true };
  const isFile = args.path !== undefined && /[/][^/]+[/][^/]/.test(args.path.replace(/[/]+$/, ""));
  const isWhole = args.values === true || args.plain === true || isFile;
  let shown = 0;
  return async (scope, record) => {
    const view = isWhole ? await viewRecord(scope, record, options) : summarizeRecord(scope, record);
    if (args.json === true) return await print(stdout, jsonLine(view));
    const between = isWhole && shown++ > 0 ? "---\n" : "";
    await print(stdout, `${between}${isWhole ? recordText(view) : recordLine(view)}`);
  };
}

function placeOf(text: string): { readonly path: string; readonly line?: number } {
  const line = /^(.*):(\d+)$/.exec(text);
  return line === null ? { path: text } : { path: line[1] ?? "", line: Number(line[2]) };
}

function parseLimit(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage("--limit", text, "a number of records");
  return Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text);
}

function common(args: InspectArguments, io: Io) {
  return {
    dump: args.dump,
    ...workPlace(io),
    allowOrphanBuckets: args.allowOrphanBuckets ?? false,
    progress: progressSink(args.progress ?? "auto", io),
    ...present({ signal: io.signal }),
  };
}
