/** `verify --server`: has a daemon check a dump, or compare a target with it. */
import type { JobRequest } from "../../../daemon/schema/job.js";
import { RestoreError } from "../../../errors/restore-error.js";
import { escapeForDisplay } from "../../../model/display.js";
import { ask } from "../../ask.js";
import type { Io } from "../../io.js";
import { makeRoomForReports } from "../../reports.js";
import { assertGiveable } from "../giveable.js";
import { dumpOf, limitsOf, optionsOf } from "../job-options.js";
import { type ResultArguments, showResult } from "../results.js";
import { openSession } from "../session.js";
import { submitAndWatch } from "../submit.js";
import type { PlanArguments } from "./plan.js";

interface VerifyArguments extends PlanArguments, ResultArguments {
  readonly dump: string;
  readonly mode?: "merge" | "replace" | "skip-existing";
  readonly repair?: boolean;
  readonly yes?: boolean;
}

export async function run(args: VerifyArguments, io: Io): Promise<number> {
  assertGiveable("verify", args);
  const { target } = args;
  if (target === undefined && (args.report ?? []).length > 0) {
    throw new RestoreError("USAGE", "--report is for a comparison with targets", {
      hint: "Name one with --target; --json writes what a check of the dump found to standard output.",
    });
  }
  const request: JobRequest = {
    kind: "verify",
    dump: dumpOf(args.dump),
    ...(target === undefined ? {} : { target }),
    options: optionsOf("verify", args),
    limits: limitsOf(args),
  };
  const session = await openSession(args, io);
  await assertMayDelete(args, io);
  await makeRoomForReports(args.report ?? [], "comparison");
  return await showResult(session, await submitAndWatch(session, request), args);
}

/** The daemon asks nobody any more once it has found them. @throws RestoreError NOT_CONFIRMED */
async function assertMayDelete({ repair, mode, yes, target = "" }: VerifyArguments, io: Io): Promise<void> {
  if (repair !== true || mode !== "replace" || yes === true) return;
  const question = `This deletes records of ${escapeForDisplay(target)} that the dump lacks. Type "replace" to go on: `;
  if ((await ask(question, io)) === "replace") return;
  throw new RestoreError("NOT_CONFIRMED", "records that the dump lacks would be deleted, and nobody confirmed it", {
    hint: "Nothing was changed. Say --yes, or repair with another mode: then they stay.",
  });
}
