/**
 * Removes what a drill started and made: scopes on servers that stay, then servers, then folders. Nothing but what is noted
 * in its folder, and each note goes when its thing is gone. What cannot be removed stays noted, and is told. Repeatable.
 */
import { messageOf } from "../../errors/restore-error.js";
import { type Adapter, scopeLabel } from "../../model/scope.js";
import { NO_NOTEBOOK } from "../../replayers/replayer.js";
import { bindPolicy } from "../policy.js";
import type { RunOptions } from "../prepare.js";
import { SILENT } from "../progress.js";
import { endpointLabels, Replayers } from "../targets.js";
import type { DrillFolder, ScopeNote } from "./drill-folder.js";
import { drillScope } from "./drill-scope.js";
import { removeKeys } from "./remove-keys.js";
import type { DrillTools, SandboxServer } from "./tools.js";
import { wroteInto } from "./wrote-into.js";

export interface CleanUp {
  readonly removed: readonly string[];
  /** What is left, and why. */
  readonly left: readonly string[];
}

export interface CleanUpInit {
  readonly folder: DrillFolder;
  readonly tools: DrillTools;
  /** Servers of this process. */
  readonly servers: readonly SandboxServer[];
  /** Also what stands on servers that stay: it takes their endpoints and credentials. */
  readonly scopes: boolean;
}

/** Never throws. */
export async function cleanUp(init: CleanUpInit): Promise<CleanUp> {
  const done: { removed: string[]; left: string[] } = { removed: [], left: [] };
  const { folder } = init;
  if (init.scopes && folder.open.scopes.length > 0) await removeScopes(init, done);
  else done.left.push(...folder.open.scopes.map((scope) => `${labelOf(scope)}: not tried`));
  await endServers(init, done);
  await folder.close().catch((error: unknown) => done.left.push(`${folder.work}: ${messageOf(error)}`));
  return done;
}

interface Done {
  readonly removed: string[];
  readonly left: string[];
}

async function endServers({ folder, tools, servers }: CleanUpInit, { removed, left }: Done): Promise<void> {
  // Their own end is the gentle one; it takes what was noted of them with it.
  for (const server of servers) {
    await server.stop().catch((error: unknown) => left.push(`${server.server}: ${messageOf(error)}`));
  }
  for (const note of folder.open.servers) {
    const what = "process" in note.started ? `process ${note.started.process}` : `container ${note.started.container}`;
    try {
      const end = await tools.endServer(note);
      await folder.forgetServer(note);
      const own = servers.some(({ adapter }) => adapter === note.adapter);
      if (end === "ended" || own) removed.push(`${note.name} (${what})`);
    } catch (error) {
      left.push(`${note.name} (${what}): ${messageOf(error)}`);
    }
  }
}

async function removeScopes(init: CleanUpInit, done: Done): Promise<void> {
  const { folder } = init;
  const notes = [...folder.open.scopes];
  const adapters = new Set(notes.map(({ adapter }) => adapter));
  const options = await optionsFor(init).catch((error: unknown) => {
    done.left.push(...notes.map((note) => `${labelOf(note)}: ${messageOf(error)}`));
  });
  if (options === undefined) return;
  const labels = endpointLabels(options.targets, adapters);
  for (const adapter of adapters) {
    const own = notes.filter((note) => note.adapter === adapter);
    const here = own.filter(({ endpoint }) => endpoint === labels[adapter]);
    const elsewhere = own.filter((note) => !here.includes(note));
    done.left.push(...elsewhere.map((note) => `${labelOf(note)}: the endpoint is ${labels[adapter] ?? "unknown"} now`));
    await removeOf(adapter, here, { ...init, options, done }).catch((error: unknown) => {
      done.left.push(...here.map((note) => `${labelOf(note)}: ${messageOf(error)}`));
    });
  }
}

/** A server that does not answer by then is told, and tried again by whoever cleans up next. */
const MOST_RETRY_MS = 30_000;

/** Where the sandbox's servers are some that the environment names, they are looked for there again. */
async function optionsFor({ folder, tools, servers }: CleanUpInit): Promise<RunOptions> {
  const { target, dump, scopes } = folder.open;
  const shared: SandboxServer[] = [];
  if (target.kind === "sandbox") {
    const wanted = new Set(scopes.map(({ adapter }) => adapter));
    for (const adapter of wanted) {
      const running = servers.find((server) => server.adapter === adapter);
      const start = { folder: folder.work, note: () => Promise.resolve() };
      if (running !== undefined) shared.push(running);
      else if (tools.isShared(adapter)) shared.push(await tools.startServer(adapter, start));
    }
  }
  const { signal: _ended, ...options } = await tools.optionsFor(target, { dump, servers: shared, progress: SILENT });
  // What interrupted the drill does not keep it from being cleaned up after.
  return { ...options, maxRetryTimeMs: Math.min(options.maxRetryTimeMs, MOST_RETRY_MS) };
}

interface Removing extends CleanUpInit {
  readonly options: RunOptions;
  readonly done: Done;
}

/** @throws when the server itself cannot be asked */
async function removeOf(adapter: Adapter, notes: readonly ScopeNote[], init: Removing): Promise<void> {
  if (notes.length === 0) return;
  const { folder, options, done } = init;
  // A database cannot be deleted, and others may have written into it meanwhile: keys go one by one.
  if (adapter === "redis") {
    for (const note of notes) {
      await told(note, done, async () => {
        // Where it wrote nothing, whatever stands there by now is somebody else's, also under the dump's names.
        const { job } = folder.open;
        const restore = { stateDirectory: folder.restoreState, isAlive: init.tools.isAlive };
        if (await wroteInto(note, { job, ...restore })) await removeKeys({ options, note, job });
        await folder.forgetScope(note);
      });
    }
    return;
  }
  const replayers = await bareReplayers(options, adapter);
  try {
    const [replayer] = replayers.all();
    await replayer?.probe();
    for (const note of notes) {
      await told(note, done, async () => {
        await replayer?.remove(drillScope(note));
        await folder.forgetScope(note);
      });
    }
  } finally {
    await replayers.close();
  }
}

async function told(note: ScopeNote, { removed, left }: Done, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
    removed.push(labelOf(note));
  } catch (error) {
    left.push(`${labelOf(note)}: ${messageOf(error)}`);
  }
}

function labelOf({ adapter, target, endpoint }: ScopeNote): string {
  return `${scopeLabel({ adapter, name: target })} on ${endpoint}`;
}

/** One that needs no dump. */
async function bareReplayers(options: RunOptions, adapter: Adapter): Promise<Replayers> {
  const {
    clock,
    mode,
    strategies,
    ttlPolicy,
    limits,
    maxRetryTimeMs,
    targets,
    concurrency,
    control,
    newJobId: jobId,
  } = options;
  const now = clock.now();
  return await Replayers.create([adapter], {
    targets,
    policy: bindPolicy({ mode, strategies, ttlPolicy, clock, jobId, dumpTakenAt: now, jobStartedAt: now }),
    clock,
    limits,
    maxRetryTimeMs,
    concurrency,
    ...(control === undefined ? {} : { control }),
    writeSignal: new AbortController().signal,
    notebook: NO_NOTEBOOK,
    targetName: (_, name) => name,
    selectsKey: () => true,
    empties: false,
    transforms: false,
    dumpPath: options.dump,
    workDirectory: options.workRoot,
  });
}
