/** `inspect`: what a dump holds, or the records of one of its files with their real keys. */
import { EXIT } from "../../errors/codes.js";
import { findRecords } from "../../run/find-records.js";
import { verifyDump } from "../../run/verify-dump.js";
import { type Command, DUMP_POSITIONAL } from "../command.js";
import type { Io } from "../io.js";
import { DUMP_OPTIONS, OUTPUT_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { viewRecord } from "../record-view.js";
import { verificationText } from "../text.js";
import { workPlace } from "../work-place.js";

interface InspectArguments {
  readonly dump: string;
  readonly path?: string;
  readonly allowOrphanBuckets?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export const inspect: Command<InspectArguments> = {
  usage: "inspect <dump> [path]",
  summary: "list what a dump holds, or show the records of one of its files",
  options: { "allow-orphan-buckets": DUMP_OPTIONS["allow-orphan-buckets"], ...OUTPUT_OPTIONS },
  positionals: { ...DUMP_POSITIONAL, path: "a record's file in the dump; `:line` picks one line" },
  examples: [
    ["$0 inspect ./dump", "adapters, scopes, counts and sizes"],
    ["$0 inspect ./dump redis/db_0/hashes/user%3A1.json", "one hash, with its real key"],
  ],
  run: (args, io) => (args.path === undefined ? list(args, io) : show(args, args.path, io)),
};

async function list(args: InspectArguments, io: Io): Promise<number> {
  const result = await verifyDump({
    ...common(args, io),
    selection: { scopes: [], include: [], exclude: [], renames: [] },
    checksumsOnly: false,
  });
  await print(io.stdout, args.json === true ? json(result) : verificationText(result));
  return EXIT.ok;
}

async function show(args: InspectArguments, place: string, io: Io): Promise<number> {
  const line = /^(.*):(\d+)$/.exec(place);
  const at = line === null ? { path: place } : { path: line[1] ?? "", line: Number(line[2]) };
  await findRecords({ ...common(args, io), ...at }, async (scope, record) => {
    await print(io.stdout, json(await viewRecord(scope, record)));
  });
  return EXIT.ok;
}

function common(args: InspectArguments, io: Io) {
  return {
    dump: args.dump,
    ...workPlace(io),
    allowOrphanBuckets: args.allowOrphanBuckets ?? false,
    progress: progressSink(args.progress ?? "auto", io),
    ...(io.signal === undefined ? {} : { signal: io.signal }),
  };
}
