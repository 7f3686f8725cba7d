/** `plan --server`: has a daemon say what a restore would do. It keeps the plan. */
import type { JobRequest } from "../../../daemon/schema/job.js";
import { RestoreError } from "../../../errors/restore-error.js";
import type { Io } from "../../io.js";
import type { SelectionArguments } from "../../selection.js";
import { assertGiveable } from "../giveable.js";
import { dumpOf, type LimitArguments, limitsOf, optionsOf } from "../job-options.js";
import { showResult } from "../results.js";
import { openSession, type SessionArguments } from "../session.js";
import { submitAndWatch } from "../submit.js";

export interface PlanArguments extends SessionArguments, SelectionArguments, LimitArguments {
  readonly server: string;
  readonly dump?: string;
  readonly target?: string;
  readonly json?: boolean;
}

export async function run(args: PlanArguments, io: Io): Promise<number> {
  assertGiveable("plan", args);
  const request = planRequest(args);
  const session = await openSession(args, io);
  return await showResult(session, await submitAndWatch(session, request), { json: args.json === true });
}

/** @throws RestoreError USAGE */
export function planRequest(args: PlanArguments): JobRequest {
  const { dump, target } = targetOf("plan", args);
  return {
    kind: "plan",
    dump: dumpOf(dump),
    target,
    options: optionsOf("plan", args),
    limits: limitsOf(args),
  };
}

/** What a restore cannot do without. @throws RestoreError USAGE */
export function targetOf(
  command: "apply" | "plan",
  { dump, target }: PlanArguments,
): { readonly dump: string; readonly target: string } {
  if (dump === undefined) {
    throw new RestoreError("USAGE", `${command} needs a dump: elastickv-restore ${command} ROOT/PATH --server …`, {
      hint: "ROOT is a root of the daemon's settings, PATH the dump's folder below it.",
    });
  }
  if (target !== undefined) return { dump, target };
  throw new RestoreError("USAGE", `${command} with --server needs a target`, {
    hint: "Name one of the daemon's with --target: nothing is taken from this machine's environment.",
  });
}
