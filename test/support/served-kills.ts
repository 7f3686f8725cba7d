/**
 * A daemon with a job of every kind under way, killed at random moments and begun again. Each kind has a Redis database of
 * its own, so that all of them can be under way at once.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFailed } from "vitest";
import type { JobRequest, JobView } from "../../src/daemon/schema/job.js";
import { drillReportSchema } from "../../src/run/drill/report.js";
import { planSchema } from "../../src/run/plan/plan-schema.js";
import { reportSchema } from "../../src/run/report.js";
import { verificationSchema } from "../../src/run/verify/report.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import type { DumpDescription } from "./dump-builder.js";
import { onlooker } from "./redis-restore.js";
import { ENDS, type Event, Served } from "./served.js";

const DATABASES = 5;

/** So many keys in each of the databases. */
function databasesDump(keys: number): DumpDescription {
  const files = Array.from({ length: DATABASES }, (_, db) =>
    Array.from({ length: keys }, (_each, i) => [`redis/db_${db}/strings/k${i}.bin`, `value ${db} ${i}`]),
  );
  return { files: Object.fromEntries(files.flat()) as Record<string, string> };
}

/** Moments to kill at. `ELASTICKV_RESTORE_TEST_SEED` takes the seed that a failure printed. */
export function randomly(): () => number {
  const given = process.env["ELASTICKV_RESTORE_TEST_SEED"] ?? "";
  let state = given === "" ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  const seed = state;
  onTestFailed(() => void process.stderr.write(`the seed was ${seed}\n`));
  // Of Numerical Recipes: moments need no better one.
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

class Databases {
  readonly #clients: readonly Redis[];
  readonly #keys: number;

  constructor(url: string, keys: number) {
    this.#clients = Array.from({ length: DATABASES }, (_, db) => onlooker(url, db));
    this.#keys = keys;
  }

  /** What stands there in `db` as the dump has it, and how much there is at all. */
  async held(db: number): Promise<{ readonly right: number; readonly all: number }> {
    const client = this.#clients[db] as Redis;
    const values = await client.mget(Array.from({ length: this.#keys }, (_, i) => `k${i}`));
    return { right: values.filter((value, i) => value === `value ${db} ${i}`).length, all: await client.dbsize() };
  }

  async fill(db: number): Promise<void> {
    const values = Array.from({ length: this.#keys }, (_, i) => [`k${i}`, `value ${db} ${i}`] as const);
    await (this.#clients[db] as Redis).mset(Object.fromEntries(values));
  }

  async set(db: number, key: string, value: string): Promise<void> {
    await (this.#clients[db] as Redis).set(key, value);
  }

  async clear(): Promise<void> {
    await this.#clients[0]?.flushall();
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }
}

export interface ServedOnRedis {
  readonly keys: number;
  readonly databases: Databases;
  /** New for each test, and not begun. */
  readonly served: Served;
}

/** For a file or a group of tests: a Redis for all of them, empty before each, and a daemon beside it. */
export function servedOnRedis(keys: number): ServedOnRedis {
  let server: RunningServer;
  let databases: Databases;
  let served: Served;
  beforeAll(async () => {
    server = await startRedis();
    databases = new Databases(server.endpoint, keys);
  }, 300_000);
  beforeEach(async () => {
    await databases.clear();
    served = await Served.make({
      targets: { here: { redis: { url: server.endpoint } } },
      settings: { jobs: { at_once: 6 } },
      dumps: { one: databasesDump(keys) },
    });
  });
  afterEach(() => served?.remove());
  afterAll(async () => {
    databases?.close();
    await server?.stop();
  });
  return {
    keys,
    get databases() {
      return databases;
    },
    get served() {
      return served;
    },
  };
}

const DUMP = { root: "backups", path: "one" };

/** By what they are; `perSecond`: how fast each of them may be. */
function requests(perSecond: number) {
  const common = { dump: DUMP, limits: { rateLimit: `${perSecond}ops/s` } };
  const into = (db: number) => ({ ...common, target: "here", options: { scopes: [`redis=${db}`] } });
  const named = {
    restore: { kind: "apply", ...into(0), options: { scopes: ["redis=0"], verify: true } },
    plan: { kind: "plan", ...into(1), options: { scopes: ["redis=1"], mode: "replace", replaceStrategy: "per-key" } },
    comparison: { kind: "verify", ...into(1) },
    repair: { kind: "verify", ...into(2), options: { scopes: ["redis=2"], repair: true, mode: "merge" } },
    drill: { kind: "drill", ...common, options: { scopes: ["redis=3"] } },
    paused: { kind: "apply", ...into(4) },
  } as const satisfies Record<string, JobRequest>;
  return named;
}

export type Name = keyof ReturnType<typeof requests>;
export type Ids = Readonly<Record<Name, string>>;

/** Fills what is compared, and asks for a job of every kind; that which is to be paused is. */
async function submitAll(served: Served, databases: Databases, perSecond: number): Promise<Ids> {
  await databases.fill(1);
  await databases.set(1, "k7", "another");
  const ids: Partial<Record<Name, string>> = {};
  for (const [name, request] of Object.entries(requests(perSecond))) ids[name as Name] = await served.submit(request);
  const { paused = "" } = ids;
  await expect.poll(async () => (await databases.held(4)).all, { timeout: 60_000 }).toBeGreaterThan(0);
  await served.post(`/v1/jobs/${paused}/pause`);
  await served.until(paused, ["paused"]);
  return ids as Ids;
}

/** Kills it `times`, each time at most `withinMs` after it answered, and begins it again. */
export async function killAgainAndAgain(
  served: Served,
  { times, withinMs, random }: { readonly times: number; readonly withinMs: number; readonly random: () => number },
): Promise<void> {
  for (let kill = 0; kill < times; kill++) {
    await sleep(random() * withinMs);
    await served.kill();
    await served.start();
  }
}

/** All that has to be true once every job but the paused one has ended, and that one was resumed and has ended too. */
async function assertEnded(served: Served, ids: Ids, { keys, databases }: { keys: number; databases: Databases }) {
  const jobs = Object.fromEntries(
    await Promise.all(Object.entries(ids).map(async ([name, id]) => [name, await served.until(id, ENDS, 180_000)])),
  ) as Record<Name, JobView>;
  const ends = Object.entries(jobs).map(([name, { state, result, error }]) => [name, state, result?.verdict, error]);
  expect(ends).toEqual([
    ["restore", "finished", "finished", undefined],
    ["plan", "finished", "planned", undefined],
    ["comparison", "finished", "differences", undefined],
    ["repair", "finished", "no-differences", undefined],
    ["drill", "finished", "passed", undefined],
    ["paused", "finished", "finished", undefined],
  ]);
  for (const db of [0, 2, 4]) expect(await databases.held(db), `database ${db}`).toEqual({ right: keys, all: keys });
  expect(await databases.held(1)).toEqual({ right: keys - 1, all: keys });
  const read = async (name: Name) => await served.get<Record<string, unknown>>(`/v1/jobs/${ids[name]}/report`);
  for (const name of ["restore", "paused"] as const) {
    const report = reportSchema.parse(await read(name));
    expect(report).toMatchObject({ job: ids[name], status: "finished", recordsRead: keys, totals: { restored: keys } });
  }
  expect(await read("restore")).toMatchObject({ verification: { records: keys, differenceCount: 0 } });
  expect(verificationSchema.parse(await read("comparison"))).toMatchObject({ records: keys, differenceCount: 1 });
  expect(verificationSchema.parse(await read("repair"))).toMatchObject({ records: keys, differenceCount: 0 });
  const drill = drillReportSchema.parse(await read("drill"));
  expect(drill).toMatchObject({ verdict: "passed", restore: { totals: { restored: keys } }, cleanUp: { left: [] } });
  const { plan } = await served.get<{ plan: unknown }>(`/v1/jobs/${ids.plan}/plan`);
  expect(planSchema.parse(plan)).toMatchObject({ scopes: [{ recordsRead: keys }] });
}

/** Of the events of a job, from its first. */
export function assertEventsWhole(events: readonly Event[]): void {
  const ids = events.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  expect(ids[0]).toBe(1);
  const states = events.flatMap(({ event }) => (event.type === "state" ? [event.job.state] : []));
  expect(states.filter((state) => ENDS.includes(state))).toHaveLength(1);
  expect(ENDS).toContain(states.at(-1));
}

export interface Kills {
  readonly times: number;
  readonly withinMs: number;
  /** How many records of each job. */
  readonly perSecond: number;
}

/** With a job of every kind under way: all end once, the targets are exact, and nothing is left behind. */
export async function provesKills(
  { served, databases, keys }: ServedOnRedis,
  { perSecond, ...kills }: Kills,
): Promise<void> {
  const random = randomly();
  await served.start();
  const ids = await submitAll(served, databases, perSecond);
  const followed = Promise.all(Object.values(ids).map((id) => served.follow(id)));
  await killAgainAndAgain(served, { ...kills, random });
  expect((await served.job(ids.paused)).state).toBe("paused");
  await served.post(`/v1/jobs/${ids.paused}/resume`);
  await assertEnded(served, ids, { keys, databases });
  for (const [at, events] of (await followed).entries()) {
    assertEventsWhole(events);
    expect(await served.follow(Object.values(ids)[at] ?? "")).toEqual(events);
  }
  await expect.poll(() => served.processes()).toHaveLength(1);
  const left = await readdir(join(served.state, "drills"), { recursive: true });
  expect(left.filter((name) => name.endsWith("open.json"))).toEqual([]);
}
