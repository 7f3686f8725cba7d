/**
 * Everything that happens before a run may write, in the order that wastes least of an operator's time: manifest and
 * options, then every endpoint and its credentials, then hours of hashing, then the targets' state. Writes nothing.
 */
import { setMaxListeners } from "node:events";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { together } from "../errors/together.js";
import { ADAPTERS, type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import type { TtlPolicy } from "../modes/expiry.js";
import type { MergeStrategies, Mode } from "../modes/mode.js";
import type { CheckProgress, Dump } from "../readers/dump.js";
import { dumpDigest } from "../readers/dump-digest.js";
import { openDump } from "../readers/open-dump.js";
import { type Capabilities, NO_NOTEBOOK, type Notebook } from "../replayers/replayer.js";
import type { Clock } from "../support/clock.js";
import { present } from "../support/present.js";
import { asksTarget, unlessInterrupted } from "./before-writing.js";
import type { RunControl } from "./control.js";
import { inspectAll, type PreparedScope } from "./inspection.js";
import type { JobIdentity } from "./job/identity.js";
import type { Job } from "./job/job.js";
import type { Journal } from "./journal/journal.js";
import { bindPolicy } from "./policy.js";
import type { ProgressSink } from "./progress.js";
import type { RateLimits } from "./rates.js";
import type { Retry } from "./retry.js";
import { Selection, type SelectionOptions } from "./selection.js";
import { assertEndpoints, endpointLabels, Replayers, type TargetSettings } from "./targets.js";
import type { Transform } from "./transform/transform.js";

export interface RunOptions {
  /** The dump's directory. */
  readonly dump: string;
  readonly mode: Mode;
  readonly strategies: MergeStrategies;
  readonly ttlPolicy: TtlPolicy;
  readonly selection: SelectionOptions;
  /** Every selected record goes through it. */
  readonly transform?: Transform;
  /** Only these records of those that are selected. */
  readonly retry?: Retry;
  readonly targets: TargetSettings;
  readonly limits: RateLimits;
  readonly concurrency: { readonly [A in Adapter]?: number };
  readonly maxRetryTimeMs: number;
  readonly allowOrphanBuckets: boolean;
  /** Refuses a dump that is not one moment across its shards. */
  readonly requireConsistent: boolean;
  /** Goes on where the target's memory may not do, or its server may drop what was restored. */
  readonly allowLowMemory?: boolean;
  readonly remapDirectory?: string;
  /** An existing directory in which the run makes one of its own for what does not fit into memory; removed again. */
  readonly workRoot: string;
  /** What the name of that one begins with. */
  readonly workPrefix?: string;
  /** 16 lower-case hex digits, another one for every job. */
  readonly newJobId: string;
  /** Unix milliseconds from which `rebase` counts, for a run that has no job of its own. Default: now. */
  readonly rebasedAt?: number;
  readonly clock: Clock;
  readonly progress: ProgressSink;
  /** Pauses the run, and limits it otherwise than `limits` and `concurrency` say. */
  readonly control?: RunControl;
  readonly signal?: AbortSignal;
}

/** A dump that was checked, and targets that answer. */
export interface ConnectedRun {
  readonly options: RunOptions;
  /** Dump, targets and whatever decides what is written where. */
  readonly identity: JobIdentity;
  readonly dump: Dump;
  readonly checked: CheckProgress;
  readonly selection: Selection;
  readonly capabilities: ReadonlyMap<Adapter, Capabilities>;
  readonly replayers: Replayers;
  /** The selected scopes. */
  readonly found: readonly Scope[];
  /** Absent for a run that writes nothing. */
  readonly job?: Job;
  /** Unix milliseconds; of the job's first process. */
  readonly startedAt: number;
  /** Aborts once the run is interrupted or stopped: nothing begins any more. */
  readonly signal: AbortSignal;
  /** Lets what is in flight end and nothing begin. Repeatable. */
  stop(): void;
  /** Closes connections and removes what is temporary. Repeatable. */
  close(): Promise<void>;
}

/** With what the targets hold under the scopes' names. */
export interface PreparedRun extends Omit<ConnectedRun, "found"> {
  readonly scopes: readonly PreparedScope[];
}

/** Begins or takes up the job that a run is. */
export type OpenJobOf = (identity: JobIdentity) => Promise<Job>;

/**
 * `openJob`: absent for a run that writes nothing.
 * @throws RestoreError of the classes usage, dump and target; nothing was written then
 */
export async function prepare(options: RunOptions, openJobOf?: OpenJobOf): Promise<PreparedRun> {
  const { found, ...run } = await connect(options, { asWriter: true, ...present({ openJobOf }) });
  try {
    const inspection = { ...run, ...(run.job === undefined ? {} : { journal: run.job.journal }) };
    const scopes = await unlessInterrupted(inspectAll(found, inspection), run.options.signal);
    return { ...run, scopes };
  } catch (error) {
    await run.close();
    throw error;
  }
}

export interface ConnectInit {
  /** Whether the options have to do for a run that writes. */
  readonly asWriter: boolean;
  readonly openJobOf?: OpenJobOf;
}

/** What `prepare` does before it asks what the targets hold. @throws RestoreError as `prepare` */
export async function connect(options: RunOptions, init: ConnectInit): Promise<ConnectedRun> {
  const closers: (() => Promise<void>)[] = [];
  const close = () => closeAll(closers);
  const stopper = new AbortController();
  const signals = options.signal === undefined ? [stopper.signal] : [options.signal, stopper.signal];
  const signal = AbortSignal.any(signals);
  const writing = graceAfter(signal);
  closers.push(writing.close);
  // Every request that waits listens to it.
  setMaxListeners(0, ...signals, signal, writing.signal);
  const opening = { ...init, options: { ...options, signal }, writeSignal: writing.signal, closers };
  try {
    const opened = await open(opening);
    return { ...opened, signal, stop: () => stopper.abort(), close };
  } catch (error) {
    // The check may be under way.
    stopper.abort();
    await close();
    throw error;
  }
}

interface Opening extends ConnectInit {
  readonly options: RunOptions;
  readonly writeSignal: AbortSignal;
  readonly closers: (() => Promise<void>)[];
}

async function open({
  options: given,
  writeSignal,
  closers,
  asWriter,
  openJobOf,
}: Opening): Promise<Omit<ConnectedRun, "signal" | "stop" | "close">> {
  const { dump, workDirectory } = await openWithWorkDirectory(given, closers);
  const options = { ...given, workRoot: workDirectory };
  assertConsistent(options, dump);
  const outline = await dump.outline();
  const selection = new Selection(withUrlDatabase(options, outline));
  selection.validate(outline);
  const wanted = outline.filter(({ adapter, name }) => selection.wants(adapter, name));
  const adapters = ADAPTERS.filter((adapter) => wanted.some((scope) => scope.adapter === adapter));
  assertEndpoints(adapters, options.targets);
  if (asWriter) await assertWritable(options, selection, adapters);
  // The job is begun and the targets are asked meanwhile: a check is work for threads, and those are waiting.
  const checking = check(dump, options);
  const settled = checking.then(ignored, ignored);
  closers.push(() => settled);
  const identity = await identityOf({ options, dump, selection, wanted });
  const job = await openJobOf?.(identity);
  if (job !== undefined) closers.push(job.release);
  const startedAt = job?.startedAt ?? options.rebasedAt ?? options.clock.now();
  const init = replayersInit({
    options,
    dump,
    selection,
    startedAt,
    writeSignal,
    ...(job === undefined ? {} : { job }),
  });
  const replayers = await Replayers.create(adapters, init);
  closers.push(() => replayers.close());
  const capabilities = await unlessInterrupted(probeAll(replayers), options.signal);
  if (asWriter) assertPerKeyPossible(options, capabilities);
  const checked = await checking;
  const found = await dump.scopes(selection);
  const opened = { options, identity, dump, checked, selection, capabilities, replayers, found, startedAt };
  return job === undefined ? opened : { ...opened, job };
}

function ignored(): void {
  // What it ended with is asked where it is awaited.
}

/** How long requests of writes may go on once a run is to stop. */
const GRACE_MS = 10_000;

/** A signal that aborts some time after another one. */
function graceAfter(signal: AbortSignal): { readonly signal: AbortSignal; readonly close: () => Promise<void> } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => late.abort(), GRACE_MS);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  const close = () => {
    signal.removeEventListener("abort", begin);
    clearTimeout(timer);
    return Promise.resolve();
  };
  return { signal: late.signal, close };
}

/** What makes the run the one that it is. */
export async function identityOf({
  options,
  dump,
  selection,
  wanted,
}: {
  readonly options: RunOptions;
  readonly dump: Dump;
  readonly selection: Selection;
  readonly wanted: readonly { readonly adapter: Adapter; readonly name: string }[];
}): Promise<JobIdentity> {
  const { selection: selected, targets, mode } = options;
  return {
    dump: await dumpDigest(dump.path),
    mode: mode.name,
    options: identityOptions(options),
    adapters: [...(selected.adapters ?? [])],
    scopes: selected.scopes.map(scopeLabel).sort(),
    include: [...selected.include],
    exclude: [...selected.exclude],
    targets: wanted.map(({ adapter, name }) => ({ adapter, scope: name, target: selection.targetName(adapter, name) })),
    endpoints: endpointLabels(targets, new Set(wanted.map(({ adapter }) => adapter))),
  };
}

/** What decides how records are written, in words. */
function identityOptions(options: RunOptions): Record<string, string> {
  const { strategies, ttlPolicy, transform, targets, remapDirectory } = options;
  const { s3, sqs, redis } = targets;
  const all: Record<string, string | number | boolean | undefined> = {
    "--list-merge-strategy": strategies.list,
    "--stream-merge-strategy": strategies.stream,
    "--replace-strategy": redis?.replaceStrategy,
    "--ttl-policy": ttlPolicy,
    "--remap-dir": remapDirectory,
    "--transform": transform?.digest,
    "--fifo-dedup": sqs?.fifoDedup,
    "--preserve-visibility": sqs?.preserveVisibility,
    "--multipart-threshold": s3?.multipartThresholdBytes,
    "--keep-etag": s3?.keepEtag,
    "--allow-public": s3?.allowPublic,
    "--apply-policies": s3?.applyPolicies,
    "the records to retry": options.retry?.digest,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** Undoes what was opened, last first. Repeatable. */
export async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
}

/** Opens a dump with a directory of its own for what does not fit into memory; `closers` undo both. */
export async function openWithWorkDirectory(
  options: Pick<RunOptions, "dump" | "workRoot" | "workPrefix" | "allowOrphanBuckets" | "signal">,
  closers: (() => Promise<void>)[],
): Promise<{ readonly dump: Dump; readonly workDirectory: string }> {
  const prefix = join(options.workRoot, options.workPrefix ?? "elastickv-restore-");
  const workDirectory = await mkdtemp(prefix).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot make a folder under ${options.workRoot}: ${messageOf(cause)}`, {
      hint: "Point TMPDIR at a folder with room for the dump's catalogue.",
      cause,
    });
  });
  closers.push(() => rm(workDirectory, { recursive: true, force: true }));
  const dump = await openDump(options.dump, {
    workDirectory,
    allowOrphanBuckets: options.allowOrphanBuckets,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  closers.push(() => dump.close());
  return { dump, workDirectory };
}

function assertConsistent(options: RunOptions, dump: Dump): void {
  if (!options.requireConsistent || dump.manifest.phase === "phase1-live-pinned") return;
  throw new RestoreError(
    "DUMP_INCONSISTENT",
    "the dump is one Raft group's snapshot, not one moment of a whole cluster",
    {
      hint: "Take a live-pinned dump, or leave --require-consistent out.",
    },
  );
}

/** A database number in the Redis URL renames the dump's only database. */
function withUrlDatabase(
  options: RunOptions,
  outline: readonly { adapter: Adapter; name: string }[],
): SelectionOptions {
  const { selection, targets } = options;
  const database = targets.redis?.database;
  if (database === undefined) return selection;
  const wanted = new Selection(selection);
  const names = outline.filter(({ adapter, name }) => adapter === "redis" && wanted.wants(adapter, name));
  const [only] = names;
  if (only === undefined) return selection;
  const to = `db_${database}`;
  if (names.length > 1 || ![`db_${database}`, only.name].includes(wanted.targetName("redis", only.name))) {
    throw new RestoreError(
      "USAGE",
      `the Redis URL names database ${database}, the run restores ${names.length} databases`,
      {
        hint: "Leave the number out of the URL and give each database its own with --rename redis:0=3.",
      },
    );
  }
  return { ...selection, renames: [{ adapter: "redis", from: only.name, to }, ...selection.renames] };
}

async function assertWritable(options: RunOptions, selection: Selection, adapters: readonly Adapter[]): Promise<void> {
  assertNothingElseDeleted(options, selection, adapters);
  await assertRemapsWritable(options, adapters);
}

function assertNothingElseDeleted(options: RunOptions, selection: Selection, adapters: readonly Adapter[]): void {
  const { mode, targets } = options;
  if (mode.name !== "replace" || !selection.isPartial) return;
  const others = adapters.filter((adapter) => adapter !== "redis" || targets.redis?.replaceStrategy !== "per-key");
  if (others.length === 0) return;
  throw new RestoreError(
    "USAGE",
    `replace with a selection of keys would delete all other records of ${others.join(", ")}`,
    {
      hint: "Use --mode merge; for Redis alone, --replace-strategy per-key deletes only what the selection names.",
    },
  );
}

/** Remap files go beside the streams; a dump that cannot be written to shows before the first write, not at it. */
async function assertRemapsWritable(options: RunOptions, adapters: readonly Adapter[]): Promise<void> {
  const { mode, strategies, remapDirectory, dump } = options;
  const mayRemap = mode.onRecord("stream", strategies) === "append" && adapters.includes("redis");
  if (!mayRemap) return;
  await access(remapDirectory ?? join(dump, "redis"), constants.W_OK).catch((cause: unknown) => {
    throw new RestoreError("USAGE", `remap files cannot be written: ${messageOf(cause)}`, {
      hint: "Name a folder that exists and can be written to with --remap-dir.",
      cause,
    });
  });
}

function replayersInit(init: {
  readonly options: RunOptions;
  readonly dump: Dump;
  readonly selection: Selection;
  readonly startedAt: number;
  readonly writeSignal: AbortSignal;
  readonly job?: Job;
}) {
  const { options, dump, selection, startedAt, writeSignal, job } = init;
  const dumpTakenAt = dump.manifest.wallTime.unixMs;
  const { mode, strategies, ttlPolicy, clock, limits, maxRetryTimeMs, concurrency, control, signal } = options;
  const jobId = job?.id ?? options.newJobId;
  return {
    targets: options.targets,
    policy: bindPolicy({ mode, strategies, ttlPolicy, clock, jobId, dumpTakenAt, jobStartedAt: startedAt }),
    clock,
    limits,
    maxRetryTimeMs,
    concurrency,
    ...(control === undefined ? {} : { control }),
    ...(signal === undefined ? {} : { signal }),
    writeSignal,
    notebook: notebookOf(job?.journal),
    targetName: (adapter: Adapter, name: string) => selection.targetName(adapter, name),
    selectsKey: (key: string) => selection.wantsKey(key),
    transforms: options.transform !== undefined,
    empties: mode.destructive,
    dumpPath: dump.path,
    workDirectory: options.workRoot,
    ...(options.remapDirectory === undefined ? {} : { remapDirectory: options.remapDirectory }),
  };
}

/** A replayer's notes, apart from the engine's own. */
function notebookOf(journal: Journal | undefined): Notebook {
  if (journal === undefined) return NO_NOTEBOOK;
  return {
    find: (scope, prefix) => {
      const all = [...journal.notes(scope)].filter(([name]) => name.startsWith(`${NOTE}${prefix}`));
      return new Map(all.map(([name, value]) => [name.slice(NOTE.length), value]));
    },
    note: (scope, name, value) => journal.note(scope, `${NOTE}${name}`, value),
  };
}

const NOTE = "target:";

/** All endpoints at once: the operator hears of every wrong one, not of one after another. */
async function probeAll(replayers: Replayers): Promise<Map<Adapter, Capabilities>> {
  const all = replayers.all();
  const probed = await Promise.allSettled(all.map((replayer) => asksTarget(replayer, replayers.probe(replayer))));
  const errors = probed.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (errors.length > 0) throw together(errors);
  return new Map(
    all.flatMap((replayer, i) => {
      const result = probed[i];
      return result?.status === "fulfilled" ? [[replayer.adapter, result.value] as const] : [];
    }),
  );
}

/** Keys that the dump lacks can be deleted one by one only where they can be listed. */
function assertPerKeyPossible({ mode, targets }: RunOptions, capabilities: ReadonlyMap<Adapter, Capabilities>): void {
  const redis = capabilities.get("redis");
  if (mode.name !== "replace" || targets.redis?.replaceStrategy !== "per-key" || redis?.canCount !== false) return;
  throw new RestoreError("TARGET_UNFIT", `${redis.server} cannot be listed, so keys that the dump lacks would stay`, {
    where: { adapter: "redis" },
    hint: "Nothing was written. Use --replace-strategy flush, or --mode merge.",
  });
}

/** The check of the dump, with its progress. Paused, it reads on to the end of what it has begun. */
export async function check(
  dump: Dump,
  { progress, control, signal }: Pick<RunOptions, "control" | "progress" | "signal">,
): Promise<CheckProgress> {
  control?.begin();
  try {
    const seen = await dump.check(({ files, bytes }) => {
      progress.report({ type: "checking", files, bytes });
      return control?.isPaused === true ? control.rest(signal) : undefined;
    });
    progress.report({ type: "checked", ...seen });
    return seen;
  } finally {
    control?.end();
  }
}
