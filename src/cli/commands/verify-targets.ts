/** `verify` with targets: compares them with the dump, and repairs them where that is asked for. */
import { type ComparisonArguments, compareTargets } from "../compare.js";
import { htmlComparison } from "../html/comparison.js";
import type { Io } from "../io.js";
import { json, print } from "../output.js";
import { repaired } from "../repair.js";
import { keepReports, listPathOf, makeRoomForReports } from "../reports.js";
import { comparisonText } from "../verification-text.js";

/** Answers with the exit status. @throws RestoreError as the comparison does */
export async function compare(args: ComparisonArguments, io: Io): Promise<number> {
  const paths = args.report ?? [];
  await makeRoomForReports(paths, "comparison");
  const list = listPathOf(paths, "comparison");
  const verification = args.repair === true ? await repaired(args, io, list) : await compareTargets(args, io, list);
  await print(io.stdout, args.json === true ? json(verification) : comparisonText(verification));
  await keepReports(
    paths,
    { report: verification, html: htmlComparison },
    { stdout: io.stdout, isQuiet: args.json === true },
  );
  return verification.exitStatus;
}
