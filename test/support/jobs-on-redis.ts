/** What tests of the daemon's jobs on the real command line and a real Redis stand on. */
import { readFile } from "node:fs/promises";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type DaemonJobs, daemonJobs } from "./daemon-jobs.js";
import { onlooker } from "./redis-restore.js";

/** Of the dump: `k0` and on, each with `value <n>`. */
export const KEYS = 400;
export const DUMP = { root: "backups", path: "one" };

/** Lives while a file's tests run; the jobs and the target's keys are new for each test. */
export class JobsOnRedis {
  #server: RunningServer | undefined;
  #client: Redis | undefined;
  #daemon: DaemonJobs | undefined;

  get endpoint(): string {
    return made(this.#server).endpoint;
  }

  get client(): Redis {
    return made(this.#client);
  }

  get daemon(): DaemonJobs {
    return made(this.#daemon);
  }

  async start(): Promise<void> {
    this.#server = await startRedis();
    this.#client = onlooker(this.endpoint);
  }

  async begin(): Promise<void> {
    await this.client.flushall();
    const keys = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `value ${i}`] as const);
    this.#daemon = await daemonJobs({
      config: `targets:\n  here:\n    redis:\n      url: ${this.endpoint}\n`,
      dump: { files: Object.fromEntries(keys) },
      settings: { at_once: 4 },
    });
  }

  async stop(): Promise<void> {
    this.#client?.disconnect();
    await this.#server?.stop();
  }

  /** How many keys hold what the dump says. */
  async values(db = 0): Promise<number> {
    return await this.#in(db, async (other) => {
      const held = await other.mget(Array.from({ length: KEYS }, (_, i) => `k${i}`));
      return held.filter((value, i) => value === `value ${i}`).length;
    });
  }

  /** Writes what the dump says. */
  async fill(db = 0): Promise<void> {
    await this.#in(db, async (other) => {
      for (let i = 0; i < KEYS; i++) await other.set(`k${i}`, `value ${i}`);
    });
  }

  async report(id: string): Promise<Record<string, unknown>> {
    const text = await readFile(await this.daemon.jobs.reportPath(id), "utf8");
    return JSON.parse(text) as Record<string, unknown>;
  }

  async #in<T>(db: number, use: (client: Redis) => Promise<T>): Promise<T> {
    const other = onlooker(this.endpoint, db);
    try {
      return await use(other);
    } finally {
      other.disconnect();
    }
  }
}

/** For one file of tests. */
export function jobsOnRedis(): JobsOnRedis {
  const on = new JobsOnRedis();
  beforeAll(() => on.start(), 300_000);
  beforeEach(() => on.begin());
  afterEach(() => on.daemon.remove());
  afterAll(() => on.stop());
  return on;
}

function made<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing was started");
  return value;
}
