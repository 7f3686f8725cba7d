/**
 * A drill from beginning to end: restores a dump where it harms nobody, proves it, measures it, takes everything away again
 * and keeps the evidence. Reads as a table of contents; each step lives in a module of its own.
 *
 * Whatever happens once it has begun is in the report, and what it made is removed, also when it is interrupted. A drill
 * that is killed leaves a note of what it started and made.
 */
import { interrupted } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";
import { openStateDirectory } from "../job/job-file.js";
import { assertKnownScopes } from "./assertion-file.js";
import { assertionName } from "./assertion-schema.js";
import { cleanUp } from "./clean-up.js";
import { DrillFolder } from "./drill-folder.js";
import { lockDrill } from "./drill-lock.js";
import type { DrillOptions, DrillRun } from "./drill-run.js";
import { type DrillFacts, drillReport } from "./facts.js";
import { readHistory } from "./history.js";
import { drillRenames, type NamedScope } from "./names.js";
import { outlineDump } from "./outline.js";
import { prove } from "./prove.js";
import type { DrillReport } from "./report.js";
import { restore } from "./restore.js";
import { startServers } from "./servers.js";
import { seriesOf, trendOf } from "./trend.js";

/**
 * Runs a drill. The report is not yet kept.
 * @throws RestoreError of the class usage with nothing begun, and LOCAL_IO where it cannot keep what it makes
 */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { clock, id, stateDirectory, tools, signal } = options;
  const began = clock.monotonic();
  const outline = await outlineDump(options);
  // What a dump that cannot be opened holds is not known; the drill says so.
  if (outline.error === undefined) assertKnownScopes(options.assertions, outline.scopes, options.assertionsPath ?? "");
  assertNames(options, outline.scopes);
  await openStateDirectory(stateDirectory);
  const startedAt = clock.now();
  // Held before there is a note: whoever cleans up meanwhile sees that it runs.
  const lock = await lockDrill(options);
  const folder = await DrillFolder.begin(stateDirectory, {
    openVersion: 1,
    ...{ id, startedAt, pid: tools.pid, dump: options.dump, target: options.target, job: options.job },
    servers: [],
    scopes: [],
  });
  const facts = factsOf(options, startedAt, outline.takenAtMs);
  const run = begin({ options, folder, facts, scopes: outline.scopes });
  try {
    if (outline.error !== undefined) throw outline.error;
    await startServers(run);
    await restore(run);
    await prove(run);
  } catch (error) {
    facts.error = run.failure ?? asInterruption(error, signal);
  }
  options.say("removing what the drill made");
  const cleaned = await cleanUp({ folder, tools, servers: run.servers, scopes: true });
  await lock.release();
  const series = seriesOf(
    { path: options.dump, ...(options.picked === undefined ? {} : { root: options.picked.root }) },
    outline.scopes,
    kindOf(options, facts),
  );
  const trend = trendOf({
    series,
    history: (await readHistory(options.historyPath)).entries.flatMap(({ drill: line }) => line ?? []),
    ...options.trend,
    ...(facts.restore?.status === "finished" ? present({ restoreMs: facts.times.restoreMs }) : {}),
    records: facts.restore?.totals.restored ?? 0,
  });
  const durationMs = clock.monotonic() - began;
  return drillReport(facts, {
    endedAt: clock.now(),
    durationMs,
    cleanUp: cleaned,
    series,
    trend,
    ...present({ signal }),
  });
}

/** That every name can be made is found before anything is started. */
function assertNames(options: DrillOptions, scopes: readonly NamedScope[]): void {
  const { target, tools, id, databases } = options;
  const shared = scopes.filter(({ adapter }) => target.kind === "named" || tools.isShared(adapter));
  drillRenames(shared, { id, databases });
}

function factsOf(options: DrillOptions, startedAt: number, takenAtMs: number | undefined): DrillFacts {
  const { id, dump, picked, target, targetName, ttlPolicy, maxRtoMs, maxRpoMs, assertions } = options;
  const unread = picked?.unreadable.map((text) => `not among the dumps to choose from: ${text}`) ?? [];
  return {
    drill: id,
    startedAt,
    dump,
    ...present({ picked, takenAtMs }),
    target: { kind: target.kind, ...(targetName === undefined ? {} : { name: targetName }) },
    ttlPolicy,
    objectives: present({ maxRtoMs, maxRpoMs }),
    servers: [],
    times: {},
    paces: [],
    assertions: assertions.map((assertion) => ({
      ...{ name: assertionName(assertion), kind: assertion.kind, line: assertion.line },
      outcome: "not-checked" as const,
    })),
    warnings: unread,
  };
}

function begin(
  init: Pick<DrillRun, "facts" | "folder" | "options" | "scopes">,
): DrillRun & { readonly failure: unknown } {
  const stopper = new AbortController();
  const { signal } = init.options;
  let failure: RestoreError | undefined;
  return {
    ...init,
    servers: [],
    signal: signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]),
    fail: (error) => {
      failure ??= error;
      stopper.abort(error);
    },
    get failure() {
      return failure;
    },
  };
}

/** What an aborted signal made some library throw. */
function asInterruption(error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted === true && !(error instanceof RestoreError) ? interrupted(error) : error;
}

/** What times have to have in common to be compared. */
function kindOf({ target, targetName }: DrillOptions, { servers }: DrillFacts): string {
  if (target.kind === "named") return `named ${targetName ?? JSON.stringify(target.options)}`;
  return `sandbox ${servers.map(({ adapter, how }) => `${adapter} ${how}`).join(", ")}`;
}
