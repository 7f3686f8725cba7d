/** `verify`: checks a dump alone, or compares the targets that it was restored into with it. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { verifyDump } from "../../run/verify-dump.js";
import { present } from "../../support/present.js";
import type { ComparisonArguments } from "../compare.js";
import type { Io } from "../io.js";
import { COMPARE_OPTIONS, REPAIR_OPTIONS, REPORT_OPTION, RESUME_OPTION } from "../options.js";
import { json, print } from "../output.js";
import { progressSink } from "../progress.js";
import { parseSelection } from "../selection.js";
import { verificationText } from "../text.js";
import { camel } from "../words.js";
import { workPlace } from "../work-place.js";

interface VerifyArguments extends ComparisonArguments {
  readonly checksums?: boolean;
}

export async function run(args: VerifyArguments, io: Io): Promise<number> {
  if (!namesTarget(args)) return await alone(args, io);
  if (args.checksums === true) {
    throw new RestoreError("USAGE", "--checksums checks the dump alone", { hint: "Leave the endpoints out, or it." });
  }
  // A check of a dump alone is as quick as it can be without all that reaches targets.
  const { compare } = await import("./verify-targets.js");
  return await compare(args, io);
}

/** Endpoints in the environment alone start no comparison. */
function namesTarget({ dynamodbEndpoint, s3Endpoint, sqsEndpoint, redisUrl, target }: VerifyArguments): boolean {
  return [dynamodbEndpoint, s3Endpoint, sqsEndpoint, redisUrl, target].some((each) => each !== undefined);
}

async function alone(args: VerifyArguments, io: Io): Promise<number> {
  const stray = Object.keys({ ...COMPARE_OPTIONS, ...REPAIR_OPTIONS, ...REPORT_OPTION, ...RESUME_OPTION }).find(
    (name) => (args as unknown as Record<string, unknown>)[camel(name)] !== undefined,
  );
  if (stray !== undefined) {
    throw new RestoreError("USAGE", `--${stray} is for a comparison with targets`, {
      hint: "Name them on the command line, by endpoint or with --target: the environment alone starts no comparison.",
    });
  }
  const result = await verifyDump({
    dump: args.dump,
    ...workPlace(io),
    allowOrphanBuckets: args.allowOrphanBuckets ?? false,
    selection: parseSelection(args),
    checksumsOnly: args.checksums ?? false,
    progress: progressSink(args.progress ?? "auto", io),
    ...present({ control: io.supervisor?.control, signal: io.signal }),
  });
  await print(io.stdout, args.json === true ? json(result) : verificationText(result));
  return result.malformedCount > 0 ? EXIT.incomplete : EXIT.ok;
}
