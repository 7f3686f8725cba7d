/** A prepared run over scripted replayers and records in memory: what the engine gets once everything was checked. */
import type { DumpRecord } from "../../src/model/record.js";
import type { Adapter, Scope } from "../../src/model/scope.js";
import { modeByName } from "../../src/modes/by-name.js";
import type { ModeName, ScopeDecision } from "../../src/modes/mode.js";
import type { ScopeState } from "../../src/replayers/replayer.js";
import type { StateJournal } from "../../src/run/journal/state-journal.js";
import { Ledger } from "../../src/run/ledger.js";
import { ListedSummary } from "../../src/run/listed-summary.js";
import type { Outline } from "../../src/run/plan/plan-schema.js";
import type { PreparedRun } from "../../src/run/prepare.js";
import { type ProgressEvent, SILENT } from "../../src/run/progress.js";
import { type ReplayEnd, replay } from "../../src/run/replay.js";
import { makeReport, type Report } from "../../src/run/report.js";
import type { RecordToWrite } from "../../src/run/run-records.js";
import { Selection } from "../../src/run/selection.js";
import { Timeline } from "../../src/run/timeline.js";
import { fakeClock } from "./fake-clock.js";
import { FakeReplayer, type FakeScript } from "./fake-replayer.js";
import { type MemoryJournal, memoryJournal } from "./memory-journal.js";

export interface ScopeInRun {
  readonly scope: Scope;
  readonly records: readonly DumpRecord[];
  /** What the reader yields in their place to who writes them. */
  readonly toWrite?: readonly RecordToWrite[];
  readonly decision?: ScopeDecision;
  /** Thrown after the records. */
  readonly readerError?: Error;
  readonly warnings?: readonly string[];
}

export interface RunInMemory {
  readonly run: PreparedRun;
  readonly replayers: ReadonlyMap<Adapter, FakeReplayer>;
  readonly ledger: Ledger;
  readonly journal: StateJournal;
  readonly kept: MemoryJournal;
  readonly events: readonly ProgressEvent[];
  replay(): Promise<ReplayEnd>;
  /** Replays and reports. */
  report(): Promise<Report>;
}

export interface RunInMemoryInit {
  readonly scopes: readonly ScopeInRun[];
  readonly scripts?: Partial<Record<Adapter, FakeScript>>;
  readonly mode?: ModeName;
  readonly signal?: AbortSignal;
}

export function runInMemory({ scopes, scripts = {}, mode = "none", signal }: RunInMemoryInit): RunInMemory {
  const adapters = [...new Set(scopes.map(({ scope }) => scope.adapter))];
  const inspect = (scope: Scope) => stateFor(scopes.find((each) => each.scope === scope)?.decision);
  const replayers = new Map(
    adapters.map((adapter) => [adapter, new FakeReplayer({ inspect, ...scripts[adapter], adapter })]),
  );
  const events: ProgressEvent[] = [];
  const clock = fakeClock();
  const stopper = new AbortController();
  const run = {
    options: {
      dump: "/dumps/one",
      mode: modeByName(mode),
      ttlPolicy: "skip-expired",
      targets: {},
      clock,
      progress: { report: (event: ProgressEvent) => events.push(event) },
      ...(signal === undefined ? {} : { signal }),
    },
    dump: {
      manifest: { phase: "phase1-live-pinned", wallTime: { iso: "2026-05-01T00:00:00Z", unixMs: 0 }, warnings: [] },
      warnings: [],
      reader: (scope: Scope) => readerOf(scopes, scope),
      sizeOf: () => ({ files: 1, bytes: 100 }),
    },
    checked: { files: 3, bytes: 300 },
    selection: new Selection({ scopes: [], include: [], exclude: [], renames: [] }),
    capabilities: new Map(adapters.map((adapter) => [adapter, CAPABILITIES])),
    replayers: {
      of: ({ adapter }: Scope) => replayers.get(adapter),
      all: () => [...replayers.values()],
    },
    scopes: scopes.map(({ scope, decision = "create" }) => ({
      scope,
      decision,
      state: stateFor(decision),
      size: { files: 1, bytes: 100 },
    })),
    startedAt: clock.now(),
    signal: signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]),
    stop: () => stopper.abort(),
  } as unknown as PreparedRun;
  const timeline = new Timeline(clock);
  const ledger = new Ledger(SILENT, timeline);
  const kept = memoryJournal();
  const { journal } = kept;
  const start = () => replay({ run, journal, ledger });
  const report = async () => {
    const end = await start();
    const listed = new ListedSummary();
    for (const record of kept.listed) listed.add(record);
    const job = { id: "0123456789abcdef", isResumed: false };
    const measured = { durationMs: 1234.5, pausedMs: 0, workedBefore: () => 0, timeline: timeline.points() };
    return makeReport({ run, plan: planOf(run), end, ledger, job, dumpDigest: "d".repeat(64), listed, ...measured });
  };
  return { run, replayers, ledger, journal, kept, events, replay: start, report };
}

/** What a target holds for which a mode decides so. */
function stateFor(decision: ScopeDecision = "create"): ScopeState {
  const presence = decision === "create" ? "absent" : decision === "keep" ? "empty" : "holds-records";
  return { presence, warnings: [] };
}

/** As the plan's own module makes it, whose imports would bring every client along. */
function planOf({ options, scopes, checked, replayers }: PreparedRun): Outline {
  return {
    dump: { path: options.dump, takenAt: "2026-05-01T00:00:00Z", phase: "phase1-live-pinned", ...checked },
    mode: options.mode.name,
    targets: replayers.all().map(({ adapter, endpoint }) => ({
      adapter,
      endpoint,
      origin: "--option",
      server: CAPABILITIES.server,
      fallbacks: CAPABILITIES.fallbacks,
    })),
    scopes: scopes.map(({ scope, state, decision, size }) => ({
      adapter: scope.adapter,
      scope: scope.name,
      target: scope.target,
      presence: state.presence,
      decision,
      ...size,
      warnings: [],
    })),
    warnings: [],
  };
}

const CAPABILITIES = {
  server: "fake",
  batch: { records: 2, bytes: 1000 },
  concurrency: 2,
  canCount: true,
  fallbacks: ["a way round"],
};

function readerOf(scopes: readonly ScopeInRun[], scope: Scope) {
  const found = scopes.find((each) => each.scope === scope);
  const toWrite = found?.toWrite;
  return {
    warnings: found?.warnings ?? [],
    batches: () => batchesOf(found),
    ...(toWrite === undefined ? {} : { batchesToWrite: () => [toWrite] }),
  };
}

async function* batchesOf(found: ScopeInRun | undefined): AsyncGenerator<readonly DumpRecord[]> {
  yield found?.records ?? [];
  if (found?.readerError !== undefined) throw found.readerError;
}
