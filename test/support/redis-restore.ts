/** A Redis replayer under a mode, and a second client that looks at what it did. */
import { tmpdir } from "node:os";

import { Redis } from "ioredis";
import type { Outcome } from "../../src/model/outcome.js";
import type { RedisRecord } from "../../src/model/record.js";
import type { DatabaseScope } from "../../src/model/scope.js";
import { modeByName } from "../../src/modes/by-name.js";
import { resolveExpiry, type TtlPolicy } from "../../src/modes/expiry.js";
import type { MergeStrategies, ModeName } from "../../src/modes/mode.js";
import { UNPACED } from "../../src/replayers/calls.js";
import type { RemapLine, RemapSink } from "../../src/replayers/redis/remap.js";
import { createRedisReplayer, type RedisTarget } from "../../src/replayers/redis/replayer.js";
import { NO_NOTEBOOK, type Notebook, type Replayer, type ReplayerContext } from "../../src/replayers/replayer.js";
import { type Clock, systemClock } from "../../src/support/clock.js";
import { databaseScope } from "./redis-records.js";

export interface RestoreOptions {
  readonly mode?: ModeName;
  readonly strategies?: Partial<MergeStrategies>;
  readonly ttl?: TtlPolicy;
  readonly dumpTakenAt?: number;
  readonly clock?: Clock;
  readonly maxRetryTimeMs?: number;
  readonly jobId?: string;
  readonly target?: Partial<RedisTarget>;
  readonly notebook?: Notebook;
}

let jobs = 0;

export function replayerFor(url: string, options: RestoreOptions = {}): Replayer<"redis"> {
  const clock = options.clock ?? systemClock;
  const mode = modeByName(options.mode ?? "none");
  const strategies: MergeStrategies = { list: "replace", stream: "reject", ...options.strategies };
  const startedAt = clock.now();
  const context: ReplayerContext = {
    policy: {
      actionFor: (type) => mode.onRecord(type, strategies),
      wrongType: mode.wrongType,
      jobId: options.jobId ?? (++jobs).toString(16).padStart(16, "0"),
      expiryOf: (expireAtMs) =>
        resolveExpiry(expireAtMs, options.ttl ?? "skip-expired", {
          now: clock.now(),
          dumpTakenAt: options.dumpTakenAt ?? startedAt,
          jobStartedAt: startedAt,
        }),
    },
    clock,
    pacer: UNPACED,
    maxRetryTimeMs: options.maxRetryTimeMs ?? 5_000,
    notebook: options.notebook ?? NO_NOTEBOOK,
    workDirectory: tmpdir(),
  };
  return createRedisReplayer({ url, ...options.target }, context);
}

/** Writes records with a replayer of their own and returns their outcomes. */
export async function restore(
  url: string,
  records: readonly RedisRecord[],
  options: RestoreOptions & { readonly scope?: DatabaseScope } = {},
): Promise<Outcome[]> {
  const replayer = replayerFor(url, options);
  const scope = options.scope ?? databaseScope();
  try {
    const outcomes = await replayer.write(scope, records);
    await replayer.finish(scope);
    return outcomes;
  } finally {
    await replayer.close();
  }
}

/** Outcomes as `kind` or `kind/reason`. */
export function words(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(({ kind, reason }) => (reason === undefined ? kind : `${kind}/${reason}`));
}

export interface RemapMemory extends RemapSink {
  readonly lines: RemapLine[];
  closed: number;
}

export function remapMemory(): RemapMemory {
  const memory: RemapMemory = {
    lines: [],
    closed: 0,
    open: () =>
      Promise.resolve({
        write: (lines) => {
          memory.lines.push(...lines);
          return Promise.resolve();
        },
        close: () => {
          memory.closed++;
          return Promise.resolve();
        },
        abandon: () => Promise.resolve(),
      }),
  };
  return memory;
}

/** Notes that outlive a replayer. */
export function notebookInMemory(): Notebook {
  const notes = new Map<string, string>();
  return {
    find: (_scope, prefix) => new Map([...notes].filter(([name]) => name.startsWith(prefix))),
    note: (_scope, name, value) => {
      if (value === undefined) notes.delete(name);
      else notes.set(name, value);
      return Promise.resolve();
    },
  };
}

/** A client to set up and to look, without any of the replayer's code. */
export function onlooker(url: string, db = 0): Redis {
  return new Redis(url, {
    db,
    protocol: 2,
    replyMapping: "legacy",
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 1,
  });
}
