/** `verify`: checks a dump alone. */
import { EXIT } from "../../errors/codes.js";
import { verifyDump } from "../../run/verify-dump.js";
import { type Command, DUMP_POSITIONAL } from "../command.js";
import { DUMP_OPTIONS, OUTPUT_OPTIONS, SELECTION_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { parseSelection, type SelectionArguments } from "../selection.js";
import { verificationText } from "../text.js";
import { workPlace } from "../work-place.js";

interface VerifyArguments extends SelectionArguments {
  readonly dump: string;
  readonly checksums?: boolean;
  readonly allowOrphanBuckets?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export const verify: Command<VerifyArguments> = {
  usage: "verify <dump>",
  summary: "check a dump: manifest, digests, metadata and every record",
  options: {
    checksums: { type: "boolean", group: "Dump:", describe: "stop after manifest, digests and metadata" },
    "allow-orphan-buckets": DUMP_OPTIONS["allow-orphan-buckets"],
    ...SELECTION_OPTIONS,
    ...OUTPUT_OPTIONS,
  },
  positionals: DUMP_POSITIONAL,
  examples: [["$0 verify ./dump", "is this dump whole, and can each record be read?"]],
  run: async (args, io) => {
    const result = await verifyDump({
      dump: args.dump,
      ...workPlace(io),
      allowOrphanBuckets: args.allowOrphanBuckets ?? false,
      selection: parseSelection(args),
      checksumsOnly: args.checksums ?? false,
      progress: progressSink(args.progress ?? "auto", io),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
    });
    await print(io.stdout, args.json === true ? json(result) : verificationText(result));
    return result.malformedCount > 0 ? EXIT.incomplete : EXIT.ok;
  },
};
