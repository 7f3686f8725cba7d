/** Whether a job that is asked for may be, and what it is then: all that can be known before it is begun is found here. */
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { nearest } from "../../support/nearest.js";
import { present } from "../../support/present.js";
import type { Limits } from "../channel.js";
import { Fault } from "../fault.js";
import { mayDo } from "../http/tokens.js";
import type { JobRequest } from "../schema/job.js";
import type { Client } from "../services.js";
import type { Role } from "../settings.js";
import { assertConfirmed } from "./confirmation.js";
import { dumpFolder, type Roots, rootFolder } from "./dump-place.js";
import { filesOf } from "./folder.js";
import { planDigest } from "./plan-digest.js";
import { deletesData, type JobRecord } from "./record.js";
import { optionOf } from "./words.js";

export interface AdmissionInit {
  /** Of all jobs. */
  readonly folder: string;
  readonly roots: Roots;
  readonly targets: readonly string[];
  readonly assertions: Readonly<Record<string, string>>;
  /** @throws RestoreError USAGE for words that are no limits */
  readonly assertLimits: (limits: Limits) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** The record of a job, in whatever state. */
  readonly find: (id: string) => JobRecord | undefined;
  /** The job that carried out a plan, or is to. */
  readonly carriedOutBy: (plan: string) => string | undefined;
}

/** Of a job's record, what was asked for. */
export type Admitted = Pick<
  JobRecord,
  "dump" | "isConfirmed" | "kind" | "limits" | "options" | "pick" | "plan" | "target"
>;

/** @throws Fault FORBIDDEN, UNPROCESSABLE, CONFLICT, PLAN_OUTDATED, NOT_CONFIRMED */
export async function admit(init: AdmissionInit, request: JobRequest, by: Client): Promise<Admitted> {
  const admitted = "plan" in request ? await plannedRestore(init, request, by) : fresh(request);
  const { kind, dump, pick, target, limits, options } = admitted;
  if (target !== undefined) assertNamed("target", target, init.targets, "`targets:`");
  const assertions = optionOf(admitted, "assertions");
  if (assertions !== undefined) {
    assertNamed("file of assertions", String(assertions), Object.keys(init.assertions), "`daemon.assertions`");
  }
  if (kind === "apply" && admitted.plan === undefined && optionOf(admitted, "mode") === "replace") throw unplanned();
  if (kind === "verify") assertComparison(admitted, by);
  assertTexts(options);
  assertRightLimits(init, limits);
  if (pick === undefined) await dumpFolder(init.roots, dump);
  else rootFolder(init.roots, dump.root);
  return admitted;
}

/** @throws Fault UNPROCESSABLE */
export function assertRightLimits({ assertLimits }: Pick<AdmissionInit, "assertLimits">, limits: Limits): void {
  try {
    assertLimits(limits);
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    throw new Fault("UNPROCESSABLE", messageOf(error), present({ hint: error.hint }));
  }
}

function fresh(request: Exclude<JobRequest, { readonly plan: string }>): Admitted {
  const { kind, dump, target, options = {}, limits = {} } = request;
  const place = "pick" in dump ? { dump: { root: dump.root, path: "" }, pick: dump.pick } : { dump };
  return { kind, options, limits, ...place, ...present({ target }) };
}

/** The plan's own dump, target and options. */
async function plannedRestore(
  { find, carriedOutBy, folder, now }: AdmissionInit,
  { plan: id, confirm, limits }: Extract<JobRequest, { readonly plan: string }>,
  by: Client,
): Promise<Admitted> {
  const plan = find(id);
  if (plan?.kind !== "plan") {
    throw new Fault("UNPROCESSABLE", `there is no plan ${id}`, { hint: "Give the id of a job of the kind plan." });
  }
  const { keptPlan, state, error } = plan;
  if (keptPlan === undefined) {
    const why = error === undefined ? `is ${state}` : `came to nothing: ${error.message}`;
    throw new Fault("CONFLICT", `the plan ${id} ${why}`, { hint: "Only a finished plan can be carried out." });
  }
  const other = keptPlan.carriedOutBy ?? carriedOutBy(id);
  if (other !== undefined) {
    throw new Fault("PLAN_OUTDATED", `the plan ${id} is carried out once, and was by job ${other}`, {
      hint: "Make a new plan, and look at it.",
    });
  }
  const { confirmation } = keptPlan;
  if (confirmation !== undefined) {
    assertRole(by, "destroy", "carrying out a plan that deletes");
    assertConfirmed(confirmation, confirm, now());
  }
  const digest = await planDigest(filesOf(folder, plan).plan).catch(() => undefined);
  if (digest !== keptPlan.sha256) {
    throw new Fault("PLAN_OUTDATED", `the plan ${id} is no longer what was made: its file was changed`, {
      hint: "Make a new plan, and look at it.",
    });
  }
  const { dump, options, target } = plan;
  return {
    ...{ kind: "apply", plan: id, dump, options, limits: limits ?? plan.limits },
    isConfirmed: confirmation !== undefined,
    ...present({ target }),
  };
}

function unplanned(): Fault {
  return new Fault("NOT_CONFIRMED", "a restore that replaces deletes what its targets hold, and nobody confirmed it", {
    hint: "Ask for a plan with the same words, look at it, and send its id and its `confirm` with the restore.",
  });
}

/** Options of a comparison, which a check of the dump alone does not take. */
const COMPARING = ["sample", "sampleSeed", "tolerance", "looks", "lookAgainAfter", "download", "messages", "repair"];

function assertComparison(admitted: Admitted, by: Client): void {
  const isOf = (name: string) => optionOf(admitted, name) !== undefined && optionOf(admitted, name) !== false;
  if (admitted.target === undefined) {
    const stray = COMPARING.find(isOf);
    if (stray === undefined) return;
    throw new Fault("UNPROCESSABLE", `${stray} is for a comparison with a target`, { hint: "Name the target." });
  }
  if (isOf("checksums")) {
    throw new Fault("UNPROCESSABLE", "checksums checks the dump alone", { hint: "Leave the target out, or it." });
  }
  if (deletesData(admitted)) assertRole(by, "destroy", "a repair that deletes what the dump lacks");
}

export function assertRole(by: Client, role: Role, what: string): void {
  if (mayDo(by, role)) return;
  throw new Fault("FORBIDDEN", `${what} takes a token that may ${role}, and "${by.name}" may ${by.role}`);
}

function assertNamed(what: string, name: string, names: readonly string[], place: string): void {
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const hint = near.length === 0 ? `Add it under ${place}.` : `There are: ${near.join(", ")}.`;
  throw new Fault("UNPROCESSABLE", `no ${what} is called "${name}"`, { hint });
}

/** What no process can be given. */
function assertTexts(options: JobRecord["options"]): void {
  for (const [name, value] of Object.entries(options)) {
    if (![value].flat().some((each) => String(each).includes("\0"))) continue;
    throw new Fault("UNPROCESSABLE", `${name} holds a character that no name has (U+0000)`);
  }
}
