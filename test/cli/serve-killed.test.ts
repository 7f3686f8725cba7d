/**
 * The daemon is killed with jobs under way, and begun again. `test/long/serve-killed.test.ts` does it more often, and with
 * servers of the other protocols.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { ENDS, Served } from "../support/served.js";
import {
  assertEnded,
  assertEventsWhole,
  Databases,
  databasesDump,
  killAgainAndAgain,
  randomly,
  submitAll,
} from "../support/served-kills.js";

const KEYS = 120;

let server: RunningServer;
let databases: Databases;
let served: Served;

beforeAll(async () => {
  server = await startRedis();
  databases = new Databases(server.endpoint, KEYS);
}, 300_000);

afterAll(async () => {
  databases?.close();
  await server?.stop();
});

beforeEach(async () => {
  await databases.clear();
  served = await Served.make({
    targets: { here: { redis: { url: server.endpoint } } },
    settings: { jobs: { at_once: 6 } },
    dumps: { one: databasesDump(KEYS) },
  });
});

afterEach(async () => {
  await served.remove();
});

it("with a job of every kind under way: all end once, the targets are exact, and nothing is left behind", async () => {
  const random = randomly();
  await served.start();
  const ids = await submitAll(served, databases, 80);
  const followed = Promise.all(Object.values(ids).map((id) => served.follow(id)));
  await killAgainAndAgain(served, { times: 2, withinMs: 2_500, random });
  expect((await served.job(ids.paused)).state).toBe("paused");
  await served.post(`/v1/jobs/${ids.paused}/resume`);
  await assertEnded(served, ids, { keys: KEYS, databases });
  for (const [at, events] of (await followed).entries()) {
    assertEventsWhole(events);
    expect(await served.follow(Object.values(ids)[at] ?? "")).toEqual(events);
  }
  await expect.poll(() => served.processes()).toHaveLength(1);
  const left = await readdir(join(served.state, "drills"), { recursive: true });
  expect(left.filter((name) => name.endsWith("open.json"))).toEqual([]);
}, 120_000);

it("right after it answered: whatever was answered is there, once, and is done", async () => {
  const random = randomly();
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    await served.start();
    const request: JobRequest = {
      kind: "verify",
      dump: { root: "backups", path: "one" },
      options: { checksums: true },
    };
    const key = { "idempotency-key": `submission-${i}` };
    ids.push(await served.submit(request, key));
    await new Promise((resolve) => setTimeout(resolve, random() * 20));
    await served.kill();
    await served.start();
    expect(await served.submit(request, key)).toBe(ids[i]);
    if (i === 0) await served.kill();
  }
  for (const id of ids) expect((await served.until(id, ENDS)).state).toBe("finished");
  const { jobs } = await served.get<{ jobs: { id: string }[] }>("/v1/jobs");
  expect(jobs.map(({ id }) => id)).toEqual(ids.toReversed());
}, 120_000);

it("where the settings say hold: what was under way waits for a person, and ends then", async () => {
  const hold = { jobs: { at_once: 2, after_restart: "hold" } };
  await served.start(hold);
  const request: JobRequest = {
    ...{ kind: "apply", dump: { root: "backups", path: "one" }, target: "here" },
    ...{ options: { scopes: ["redis=0"] }, limits: { rateLimit: "50ops/s" } },
  };
  const id = await served.submit(request);
  await expect.poll(async () => (await databases.held(0)).all, { timeout: 30_000 }).toBeGreaterThan(20);
  await served.kill();
  await expect.poll(() => served.processes(), { timeout: 30_000 }).toEqual([]);
  const before = (await databases.held(0)).all;
  await served.start(hold);
  expect((await served.job(id)).state).toBe("held");
  await served.kill();
  await served.start(hold);
  expect((await served.job(id)).state).toBe("held");
  expect((await databases.held(0)).all).toBe(before);
  await served.post(`/v1/jobs/${id}/resume`);
  expect((await served.until(id, ENDS)).state).toBe("finished");
  expect(await databases.held(0)).toEqual({ right: KEYS, all: KEYS });
}, 120_000);

it("while a job ends: it has ended once, with a whole report", async () => {
  const random = randomly();
  for (let db = 0; db < 2; db++) {
    await served.start();
    const id = await served.submit({
      ...{
        kind: "apply",
        dump: { root: "backups", path: "one" },
        target: "here",
        options: { scopes: [`redis=${db}`] },
      },
    });
    const full = async () => (await databases.held(db)).all;
    await expect.poll(full, { timeout: 30_000, interval: 5 }).toBe(KEYS);
    await new Promise((resolve) => setTimeout(resolve, random() * 150));
    await served.kill();
    await served.start();
    expect((await served.until(id, ENDS)).result).toMatchObject({ exitStatus: 0, totals: { restored: KEYS } });
    assertEventsWhole(await served.follow(id));
    const report = await served.get<object>(`/v1/jobs/${id}/report`);
    expect(report).toMatchObject({ job: id, status: "finished", recordsRead: KEYS });
    expect(await databases.held(db)).toEqual({ right: KEYS, all: KEYS });
    await served.kill();
  }
}, 120_000);
