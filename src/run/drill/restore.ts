/** The restore of a drill: `apply`, as a job of its own, measured; into scopes that were not there before. */
import { join } from "node:path";
import { RestoreError } from "../../errors/restore-error.js";
import { scopeLabel } from "../../model/scope.js";
import { modeByName } from "../../modes/by-name.js";
import { apply } from "../apply.js";
import { workClock } from "../control.js";
import type { Outline, OutlinedScope } from "../plan/plan-schema.js";
import type { RunOptions } from "../prepare.js";
import { endpointLabels } from "../targets.js";
import type { ScopeNote } from "./drill-folder.js";
import type { DrillRun } from "./drill-run.js";
import { MeasuringSink } from "./measured.js";
import { drillRenames, sandboxRenames } from "./names.js";

/** @throws RestoreError as `apply`; what it wrote by then is noted in the drill's folder */
export async function restore(run: DrillRun): Promise<void> {
  const { options, folder, facts, signal } = run;
  const { tools } = options;
  const runOptions = await drillRunOptions(run);
  const { control } = runOptions;
  const clock = workClock(options.clock, control);
  const pausedBefore = control?.pausedMs ?? 0;
  options.say("restoring");
  const began = clock.monotonic();
  const measuring = new MeasuringSink(options.progress(), clock);
  try {
    facts.restore = await apply({
      ...runOptions,
      progress: measuring,
      newJobId: options.job,
      job: {
        stateDirectory: folder.restoreState,
        pid: tools.pid,
        isAlive: tools.isAlive,
        cwd: tools.cwd,
        words: [],
        take: "begin",
      },
      rejectsPath: join(options.out, "drill.rejects.jsonl"),
      onPlan: (outline) => noteScopes(run, outline, runOptions),
      confirm: () => Promise.resolve(false),
      signal,
    });
  } finally {
    facts.times.restoreMs = Math.round(clock.monotonic() - began);
    if (measuring.firstRecordMs !== undefined) facts.times.firstRecordMs = measuring.firstRecordMs;
    facts.paces = measuring.paces();
    const pausedSeconds = Math.round(((control?.pausedMs ?? 0) - pausedBefore) / 1000);
    if (pausedSeconds > 0)
      facts.warnings.push(`the restore was paused for ${pausedSeconds} s, which its times leave out`);
  }
  const { error } = facts.restore;
  if (error === undefined) return;
  throw new RestoreError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

/** A run into the drill's target, under the drill's names where the target stays. */
export async function drillRunOptions({ options, servers, scopes, facts, signal }: DrillRun): Promise<RunOptions> {
  const { tools, target, dump, id, databases, ttlPolicy } = options;
  const given = await tools.optionsFor(target, { dump, servers, progress: options.progress() });
  if (target.kind === "named" && facts.servers.length === 0) facts.servers = namedServers(given, scopes);
  const kept = scopes.filter(({ adapter }) => isKept(adapter, servers));
  const others = sandboxRenames(
    scopes.filter((scope) => !kept.includes(scope)),
    id,
  );
  for (const { adapter, from, to } of others) {
    const warning = `${adapter}:${from} is restored as ${to}: the sandbox does not take its name`;
    if (!facts.warnings.includes(warning)) facts.warnings.push(warning);
  }
  const renames = [...drillRenames(kept, { id, databases }), ...others];
  return { ...given, mode: modeByName("none"), ttlPolicy, selection: { ...given.selection, renames }, signal };
}

function namedServers({ targets }: RunOptions, scopes: DrillRun["scopes"]): DrillRun["facts"]["servers"] {
  const labels = endpointLabels(targets, new Set(scopes.map(({ adapter }) => adapter)));
  const adapters = [...new Set(scopes.map(({ adapter }) => adapter))];
  return adapters.map((adapter) => ({ adapter, endpoint: labels[adapter] ?? "", server: "", how: "named" as const }));
}

/** Whether the scope's server stays when the drill is over: a named target's, or one that the environment names. */
function isKept(adapter: ScopeNote["adapter"], servers: DrillRun["servers"]): boolean {
  const server = servers.find((each) => each.adapter === adapter);
  return server === undefined || server.how === "environment";
}

/**
 * Refuses whatever is there already, however empty, and notes on disk what is about to be made on servers that stay.
 * @throws RestoreError TARGET_NOT_EMPTY, TARGET_UNFIT
 */
async function noteScopes(run: DrillRun, outline: Outline, { targets }: RunOptions): Promise<void> {
  const { folder, servers, facts } = run;
  for (const { adapter, server } of outline.targets) {
    const known = facts.servers.find((each) => each.adapter === adapter);
    if (known !== undefined && known.server === "") facts.servers[facts.servers.indexOf(known)] = { ...known, server };
  }
  const kept = outline.scopes.filter(({ adapter }) => isKept(adapter, servers));
  const there = kept.flatMap((scope) => refusalOf(scope) ?? []);
  if (there.length > 0) {
    throw new RestoreError("TARGET_NOT_EMPTY", there.join("\n"), {
      hint: "Nothing was written. A drill restores only into what was not there before; a Redis database has to be empty and countable.",
    });
  }
  const labels = endpointLabels(targets, new Set(kept.map(({ adapter }) => adapter)));
  await folder.noteScopes(
    kept.map(({ adapter, scope, target }) => ({ adapter, scope, target, endpoint: labels[adapter] ?? "" })),
  );
}

/** Why a drill may not restore into a scope of a server that stays; undefined when it may. */
export function refusalOf({ adapter, target, presence, holds }: OutlinedScope): string | undefined {
  const label = scopeLabel({ adapter, name: target });
  if (adapter !== "redis") return presence === "absent" ? undefined : `${label} is there already`;
  if (presence === "holds-records") return `${label} holds keys`;
  // Where nobody can tell that it is empty, what others have there could not be told from what the drill put there.
  return holds === undefined ? `${label} may hold keys: the server cannot be asked how many` : undefined;
}
