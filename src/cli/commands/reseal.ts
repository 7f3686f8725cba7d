/** `reseal`: after a hand edit, lists what changed and writes CHECKSUMS anew. */
import { EXIT } from "../../errors/codes.js";
import { escapeForDisplay } from "../../model/display.js";
import { resealDump } from "../../readers/reseal.js";
import { plural } from "../format.js";
import type { Io } from "../io.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { workPlace } from "../work-place.js";

interface ResealArguments {
  readonly dump: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export async function run(args: ResealArguments, io: Io): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const result = await resealDump(args.dump, {
    dryRun: args.dryRun ?? false,
    ...workPlace(io),
    onProgress: ({ files, bytes }) => progress.report({ type: "checking", files, bytes }),
    ...(io.signal === undefined ? {} : { signal: io.signal }),
  }).finally(() => progress.report({ type: "finished" }));
  if (args.json === true) await print(io.stdout, json(result));
  else await print(io.stdout, resealText(result, args.dryRun ?? false));
  return EXIT.ok;
}

function resealText(result: Awaited<ReturnType<typeof resealDump>>, isDryRun: boolean): string {
  const { added, removed, changed, files } = result;
  const rows = [
    ...added.map((path) => `added    ${escapeForDisplay(path)}`),
    ...changed.map((path) => `changed  ${escapeForDisplay(path)}`),
    ...removed.map((path) => `removed  ${escapeForDisplay(path)}`),
  ];
  const done = isDryRun ? "CHECKSUMS was left as it is." : `CHECKSUMS now lists ${plural(files, "file")}.`;
  return `${[...rows, rows.length === 0 ? "Nothing changed." : `${plural(rows.length, "difference")}.`, done].join("\n")}\n`;
}
