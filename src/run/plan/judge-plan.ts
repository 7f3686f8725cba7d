/** Whether a plan that was kept is still what would be done: judged when its job begins, before anything is written. */
import { RestoreError } from "../../errors/restore-error.js";
import { differences, type JobIdentity } from "../job/identity.js";
import type { Outline, OutlinedScope, Plan, PlannedTarget } from "./plan-schema.js";

/** A plan to be run. */
export interface KeptPlan {
  /** Its file, for people. */
  readonly path: string;
  readonly plan: Plan;
  /** Whether the dump was named beside it: then another one is a mistake, and not a dump that changed. */
  readonly namesDump: boolean;
}

/**
 * What can be known before the dump is checked.
 * @returns how options changed: told together with what the targets' state adds to it
 * @throws RestoreError of the plan's own refusal; USAGE, PLAN_OUTDATED where dump or endpoints are others
 */
export function judgeIdentity(kept: KeptPlan, identity: JobIdentity): readonly string[] {
  const { plan, path, namesDump } = kept;
  if (plan.refusal !== undefined) {
    const { code, message, hint } = plan.refusal;
    throw new RestoreError(code, message, hint === undefined ? {} : { hint });
  }
  if (namesDump && plan.identity.dump !== identity.dump) {
    throw new RestoreError("USAGE", `the plan ${path} is about another dump`, {
      hint: "Nothing was written. Name its dump or none, or make a plan of this one.",
    });
  }
  const changed = differences(plan.identity, identity);
  const { dump, endpoints } = plan.identity;
  // Whatever else differs there, it is not what the plan was about.
  const isElsewhere = differences({ ...identity, dump, endpoints }, identity).length > 0;
  if (isElsewhere) throw outdated(kept, changed);
  return changed;
}

/** @throws RestoreError PLAN_OUTDATED with every difference. `changed`: what `judgeIdentity` found */
export function judgeTargets(kept: KeptPlan, changed: readonly string[], now: Outline): void {
  const all = [...changed, ...targetDifferences(kept.plan, now), ...scopeDifferences(kept.plan, now)];
  if (all.length > 0) throw outdated(kept, all);
}

function outdated({ path }: KeptPlan, changed: readonly string[]): RestoreError {
  return new RestoreError("PLAN_OUTDATED", `the plan ${path} is no longer what would be done: ${changed.join("; ")}`, {
    hint: "Nothing was written. Make a new plan with `elastickv-restore plan --out`, look at it, and run that one.",
  });
}

function targetDifferences(plan: Plan, now: Outline): string[] {
  return now.targets.flatMap((target) => {
    const before = plan.targets.find(({ adapter }) => adapter === target.adapter);
    if (before === undefined) return [];
    return [
      ...changedWord(`${target.adapter} server`, before.server, target.server),
      ...changedWord(`ways round at ${target.adapter}`, fallbacks(before), fallbacks(target)),
    ];
  });
}

function fallbacks({ fallbacks: all }: PlannedTarget): string {
  return all.join(", ") || "none";
}

function scopeDifferences(plan: Plan, now: Outline): string[] {
  const label = ({ adapter, scope }: OutlinedScope) => `${adapter}:${scope}`;
  const before = new Map(plan.scopes.map((scope) => [label(scope), scope]));
  const after = new Map(now.scopes.map((scope) => [label(scope), scope]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === undefined || is === undefined) return [`${name} was ${here(was)} and is ${here(is)}`];
    const where = `${is.adapter}:${is.target}`;
    return [
      ...changedWord(where, stateText(was), stateText(is)),
      ...changedWord(`what emptying ${where} takes away`, lossesText(was), lossesText(is)),
    ];
  });
}

function here(scope: OutlinedScope | undefined): string {
  return scope === undefined ? "not there" : "there";
}

const PRESENCE: Record<OutlinedScope["presence"], string> = {
  absent: "absent",
  empty: "empty",
  "holds-records": "holding records",
};

function stateText({ presence, holds }: OutlinedScope): string {
  const held =
    holds === undefined || presence !== "holds-records" ? "" : ` (${holds.exact ? "" : "about "}${holds.value})`;
  return `${PRESENCE[presence]}${held}`;
}

function lossesText({ losses = [] }: OutlinedScope): string {
  return losses.join(", ") || "nothing else";
}

function changedWord(name: string, was: string, is: string): string[] {
  return was === is ? [] : [`${name} was ${was} and is ${is}`];
}
