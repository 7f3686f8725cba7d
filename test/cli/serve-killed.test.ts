/**
 * The daemon is killed with jobs under way, and begun again. `test/long/serve-killed.test.ts` does it more often, and with
 * servers of the other protocols.
 */
import { expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { ENDS } from "../support/served.js";
import { assertEventsWhole, provesKills, randomly, servedOnRedis } from "../support/served-kills.js";

const KEYS = 120;
const on = servedOnRedis(KEYS);

it("with a job of every kind under way: all end once, the targets are exact, and nothing is left behind", async () => {
  await provesKills(on, { times: 2, withinMs: 2_500, perSecond: 80 });
}, 120_000);

it("right after it answered: whatever was answered is there, once, and is done", async () => {
  const { served } = on;
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
  const { served, databases } = on;
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
  const { served, databases } = on;
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
