/** `apply --server`: hands a restore to a daemon. One that replaces is planned first, looked at, and confirmed. */
import type { JobRequest } from "../../../daemon/schema/job.js";
import { RestoreError } from "../../../errors/restore-error.js";
import { planSchema } from "../../../run/plan/plan-schema.js";
import { present } from "../../../support/present.js";
import { confirm } from "../../confirm.js";
import type { Io } from "../../io.js";
import { planText } from "../../plan-text.js";
import { makeRoomForReports } from "../../reports.js";
import { findRemoteJob } from "../find-job.js";
import { assertBesidePlan, assertGiveable } from "../giveable.js";
import { dumpOf, limitsOf, optionsOf } from "../job-options.js";
import { type ResultArguments, showResult } from "../results.js";
import { openSession, type Session, say } from "../session.js";
import { submitAndWatch } from "../submit.js";
import { type PlanArguments, planRequest, run as runPlan, targetOf } from "./plan.js";

export interface ApplyArguments extends PlanArguments, ResultArguments {
  readonly mode?: "merge" | "replace" | "skip-existing";
  readonly plan?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function run(args: ApplyArguments, io: Io): Promise<number> {
  if (args.plan !== undefined) return await runPlanned({ ...args, plan: args.plan }, io);
  assertGiveable("apply", args);
  if (args.dryRun === true) return await runPlan(withoutResults(args), io);
  const request = freshRequest(args);
  const { plan } = args.mode === "replace" ? { plan: planRequest(withoutResults(args)) } : { plan: undefined };
  const session = await openSession(args, io);
  await makeRoomForReports(args.report ?? [], "restore");
  const ended = await submitAndWatch(session, plan === undefined ? request : await planned(session, plan, args));
  return await showResult(session, ended, args);
}

/** What a plan takes of it. */
function withoutResults({ dryRun: _dryRun, report: _report, yes: _yes, verify: _verify, ...args }: ApplyArguments) {
  return args;
}

/** @throws RestoreError USAGE */
function freshRequest(args: ApplyArguments): JobRequest {
  if (args.mode === "replace" && args.verify === true) {
    throw new RestoreError("USAGE", "--verify cannot be given with --mode replace for a job of a daemon", {
      hint: "Compare afterwards: `elastickv-restore verify` with the same --server and --target.",
    });
  }
  const { dump, target } = targetOf("apply", args);
  return {
    kind: "apply",
    dump: dumpOf(dump),
    target,
    options: optionsOf("apply", args),
    limits: limitsOf(args),
  };
}

/** The restore that carries out a plan that was made for it, looked at and confirmed. */
async function planned(session: Session, request: JobRequest, args: ApplyArguments): Promise<JobRequest> {
  const made = await submitAndWatch(session, request);
  if (made.has.plan) return await confirmed(session, made.id, args);
  const { code = "OUTAGE", message = `the plan is ${made.state}`, hint } = made.error ?? {};
  throw new RestoreError(code, `nothing was begun: ${message}`, present({ hint }));
}

async function runPlanned(args: ApplyArguments & { readonly plan: string }, io: Io): Promise<number> {
  assertBesidePlan(args);
  if (args.dump !== undefined) {
    throw new RestoreError("USAGE", "a daemon's plan names its dump itself", { hint: "Leave the dump out." });
  }
  const session = await openSession(args, io);
  await makeRoomForReports(args.report ?? [], "restore");
  const { id } = await findRemoteJob(session.client, args.plan);
  const ended = await submitAndWatch(session, await confirmed(session, id, args));
  return await showResult(session, ended, args);
}

/** Shows the plan and asks where it deletes. @throws RestoreError NOT_CONFIRMED, why the plan would be refused */
async function confirmed(session: Session, id: string, args: ApplyArguments): Promise<JobRequest> {
  const { client, io } = session;
  const { plan: answer, deletes, confirm: token } = await client.plan(id);
  const plan = client.understood(answer, planSchema);
  const { refusal } = plan;
  if (refusal !== undefined) throw new RestoreError(refusal.code, refusal.message, present({ hint: refusal.hint }));
  say(session, planText(plan));
  const limits = limitsOf(args);
  const request = { kind: "apply", plan: id, ...(Object.keys(limits).length === 0 ? {} : { limits }) } as const;
  if (deletes.length === 0) return request;
  if (token === undefined) throw notAllowed(id);
  if (await confirm(plan, args, io)) return { ...request, confirm: token };
  const { option } = client.server;
  throw new RestoreError("NOT_CONFIRMED", "replace deletes what the target holds, and nobody confirmed it", {
    hint: `Nothing was written. Look at the plan: \`elastickv-restore watch ${id}${option}\`. Carry it out: \`elastickv-restore apply --plan ${id} --yes${option}\`.`,
  });
}

function notAllowed(id: string): RestoreError {
  return new RestoreError("NOT_CONFIRMED", `the plan ${id} deletes, and the daemon lets this client not confirm it`, {
    hint: "Nothing was written. It takes a token with the role destroy, and a plan of the last day that was not carried out.",
  });
}
