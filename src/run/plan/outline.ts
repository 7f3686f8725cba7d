/** What a run would do, as far as it is known before its records are read: shown before every restore. Writes nothing. */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { scopeLabel } from "../../model/scope.js";
import { asksTarget, unlessInterrupted } from "../before-writing.js";
import type { PreparedScope } from "../inspection.js";
import { memoryWarnings } from "../memory.js";
import type { PreparedRun } from "../prepare.js";
import type { Outline, OutlinedScope } from "./plan-schema.js";

/** Asks the targets what emptying would take away. @throws RestoreError TARGET_UNREACHABLE, INTERRUPTED */
export async function outlinePlan(run: PreparedRun): Promise<Outline> {
  const { options, dump, checked } = run;
  const scopes: OutlinedScope[] = [];
  for (const prepared of run.scopes) scopes.push(await outlinedScope(run, prepared));
  return {
    dump: {
      path: options.dump,
      takenAt: dump.manifest.wallTime.iso,
      phase: dump.manifest.phase,
      files: checked.files,
      bytes: checked.bytes,
    },
    mode: options.mode.name,
    ...(options.transform === undefined ? {} : { transform: options.transform.name }),
    ...(options.retry === undefined ? {} : { retry: { report: options.retry.report, records: options.retry.count } }),
    targets: run.replayers.all().map((replayer) => ({
      adapter: replayer.adapter,
      endpoint: replayer.endpoint,
      origin: options.targets[replayer.adapter]?.origin ?? "",
      server: run.capabilities.get(replayer.adapter)?.server ?? "",
      fallbacks: run.capabilities.get(replayer.adapter)?.fallbacks ?? [],
    })),
    scopes,
    warnings: [...dump.manifest.warnings, ...dump.warnings, ...memoryWarnings(run), ...retryWarnings(run)],
  };
}

function retryWarnings({ options, scopes }: PreparedRun): string[] {
  if (options.retry === undefined || !scopes.some(({ scope }) => scope.adapter === "sqs")) return [];
  return ["messages that are sent again come behind those that were restored: their queues' order is another one"];
}

async function outlinedScope(run: PreparedRun, prepared: PreparedScope): Promise<OutlinedScope> {
  const { scope, state, decision, size } = prepared;
  const { losses, warnings } = await lossesOf(run, prepared);
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    presence: state.presence,
    ...(state.count === undefined ? {} : { holds: state.count }),
    decision,
    ...(losses === undefined ? {} : { losses }),
    ...size,
    warnings: [...scope.warnings, ...state.warnings, ...warnings],
  };
}

/** Of a scope that is to be emptied. One that the job emptied before holds nothing of anybody else's any more. */
async function lossesOf(
  { job, replayers, signal }: PreparedRun,
  { scope, decision }: PreparedScope,
): Promise<{ readonly losses?: readonly string[]; readonly warnings: readonly string[] }> {
  const replayer = replayers.of(scope);
  if (decision !== "empty" || job?.isResumed === true) return { warnings: [] };
  try {
    const losses = await unlessInterrupted(asksTarget(replayer, replayer.losses(scope)), signal);
    return { losses, warnings: [] };
  } catch (error) {
    // What the target does not tell is no reason not to go on, but one to look there.
    if (!(error instanceof RestoreError) || error.code === "INTERRUPTED") throw error;
    return { warnings: [`what emptying it takes away beside its records cannot be told: ${error.message}`] };
  }
}

/** `dynamodb:orders` or `dynamodb:orders → orders_copy`, printable. */
export function plannedLabel(scope: Pick<OutlinedScope, "adapter" | "scope" | "target">): string {
  const label = escapeForDisplay(scopeLabel({ adapter: scope.adapter, name: scope.scope }));
  return scope.target === scope.scope ? label : `${label} → ${escapeForDisplay(scope.target)}`;
}
