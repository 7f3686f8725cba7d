/** `apply --plan`: the arguments of a run out of the plan that was kept of it, and the few that may be said beside it. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { RestoreError, systemCode } from "../errors/restore-error.js";
import type { KeptPlan } from "../run/plan/judge-plan.js";
import { type RunnablePlan, readPlan } from "../run/plan/read-plan.js";
import type { PlanArguments } from "./commands/plan.js";
import { commandNamed } from "./commands.js";
import type { Io } from "./io.js";
import { BESIDE_PLAN_OPTIONS } from "./options.js";
import { parse } from "./parse.js";
import type { RunArguments } from "./run-options.js";
import { camel, withAbsolutePaths, withSavedEndpoints } from "./words.js";

export interface PlannedArguments {
  /** With absolute paths. What was said beside the plan is still to be put over them. */
  readonly args: RunArguments;
  readonly kept: KeptPlan;
}

/**
 * `said`: what was typed, `--plan` and what stands beside it, of `apply`'s options.
 * @throws RestoreError USAGE for what must not be said beside it and for a file that is no plan; DUMP_NOT_FOUND
 */
export async function plannedArguments(
  said: { readonly plan: string; readonly dump?: string },
  io: Io,
): Promise<PlannedArguments> {
  assertNothingElse(said);
  const path = resolve(io.cwd, said.plan);
  const plan = await readPlan(path);
  const planned = withSavedEndpoints(await argumentsOf(plan), plan, io);
  const dump = said.dump === undefined ? planned.dump : resolve(io.cwd, said.dump);
  if (said.dump === undefined) await assertDumpIsThere(dump, path);
  const kept = { path: said.plan, plan, namesDump: dump !== planned.dump };
  return { args: { ...planned, dump }, kept };
}

function assertNothingElse(said: object): void {
  const values = said as Readonly<Record<string, unknown>>;
  const others = Object.keys(commandNamed("apply").options).filter((name) => {
    const value = values[camel(name)];
    return !BESIDE_PLAN_OPTIONS.has(name) && value !== undefined && value !== false;
  });
  if (others.length === 0) return;
  const names = others.map((name) => `--${name}`).join(", ");
  throw new RestoreError("USAGE", `${names} cannot be said beside --plan: the plan says it`, {
    hint: "Leave it out, or make another plan. Beside one go limits, --report, --yes, --json, --progress and --state-dir.",
  });
}

/** The arguments that the plan was made with, with absolute paths. */
async function argumentsOf({ command: { words, cwd } }: RunnablePlan): Promise<PlanArguments> {
  const parsed = await parse(["plan", ...words], [commandNamed("plan")]);
  if (!("args" in parsed)) throw new RestoreError("USAGE", "the plan's words are no plan");
  return withAbsolutePaths(parsed.args as PlanArguments, cwd);
}

async function assertDumpIsThere(dump: string, path: string): Promise<void> {
  try {
    await stat(dump);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT" && systemCode(cause) !== "ENOTDIR") return;
    throw new RestoreError("DUMP_NOT_FOUND", `the dump of the plan ${path} is gone: ${dump}`, {
      hint: "Put it back, or name where it stands now: `elastickv-restore apply <dump> --plan`.",
      cause,
    });
  }
}
