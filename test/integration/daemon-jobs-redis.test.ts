/**
 * Jobs of every kind on the real command line and a real Redis: what was planned is carried out once, what is let go of
 * leaves nothing behind, and a daemon that is killed in their midst, again and again, ends them as if it had not been.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type DaemonJobs, daemonJobs, OPERATOR, OWNER } from "../support/daemon-jobs.js";
import { onlooker } from "../support/redis-restore.js";

const KEYS = 400;
const VICTIM = join(import.meta.dirname, "../support/daemon-jobs-victim.ts");
const KILLS = 3;
const SLOW = { rateLimit: "150ops/s" };
const DUMP = { root: "backups", path: "one" };

let server: RunningServer;
let client: Redis;
let daemon: DaemonJobs;
const victims: ChildProcess[] = [];

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint);
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

beforeEach(async () => {
  await client.flushall();
  const keys = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `value ${i}`] as const);
  daemon = await daemonJobs({
    config: `targets:\n  here:\n    redis:\n      url: ${server.endpoint}\n`,
    dump: { files: Object.fromEntries(keys) },
    settings: { at_once: 4 },
  });
});

afterEach(async () => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
  await daemon.remove();
});

/** A daemon that takes up what is there, and is asked for more. Answers the ids of the latter. */
async function victim(requests: readonly JobRequest[]): Promise<{ readonly ids: string[]; kill(): void }> {
  const argv = ["--import", import.meta.resolve("tsx"), VICTIM, daemon.folder, JSON.stringify(requests)];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  victims.push(child);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ids = () => said.split("\n").slice(0, -1);
  await expect.poll(ids, { timeout: 30_000 }).toHaveLength(requests.length);
  return { ids: ids(), kill: () => void child.kill("SIGKILL") };
}

interface Kept {
  readonly state: string;
  readonly attempts: number;
}

async function kept(id: string): Promise<Kept> {
  const path = join(daemon.stateDirectory, "daemon", "jobs", id, "job.json");
  return JSON.parse(await readFile(path, "utf8")) as Kept;
}

/** How much of the work stands in the job's events. */
async function records(id: string): Promise<number> {
  const path = join(daemon.stateDirectory, "daemon", "jobs", id, "events.jsonl");
  const counts = (await readFile(path, "utf8")).matchAll(/"records":(\d+)/gu);
  return Math.max(0, ...[...counts].map(([, count]) => Number(count)));
}

/** Asks for the job, and kills its daemon several times while a process works on it; the last one is let be. */
async function killedAgainAndAgain(request: JobRequest, isUnderWay: (id: string, kill: number) => Promise<boolean>) {
  const first = await victim([request]);
  const [id = ""] = first.ids;
  let living = first;
  for (let kill = 1; kill <= KILLS; kill++) {
    const begun = async () => (await kept(id)).attempts >= kill && (await isUnderWay(id, kill));
    await expect.poll(begun, { timeout: 40_000, interval: 20, message: JSON.stringify(await kept(id)) }).toBe(true);
    living.kill();
    if (kill < KILLS) living = await victim([]);
  }
  await daemon.restart();
  const job = await daemon.until(id, "finished", "failed", "cancelled");
  const states = [];
  for await (const { event } of daemon.jobs.events(id, 0, AbortSignal.timeout(20_000))) {
    if (event.type === "state") states.push(event.job.state);
  }
  return { id, job, ends: states.filter((state) => !["queued", "running"].includes(state)) };
}

async function values(db = 0): Promise<number> {
  const other = onlooker(server.endpoint, db);
  try {
    const held = await other.mget(Array.from({ length: KEYS }, (_, i) => `k${i}`));
    return held.filter((value, i) => value === `value ${i}`).length;
  } finally {
    other.disconnect();
  }
}

async function fill(db = 0): Promise<void> {
  const other = onlooker(server.endpoint, db);
  try {
    for (let i = 0; i < KEYS; i++) await other.set(`k${i}`, `value ${i}`);
  } finally {
    other.disconnect();
  }
}

async function report(id: string) {
  return JSON.parse(await readFile(await daemon.jobs.reportPath(id), "utf8")) as Record<string, unknown>;
}

describe("a plan that deletes", () => {
  const PLAN: JobRequest = { kind: "plan", dump: DUMP, target: "here", options: { mode: "replace" } };

  it("is carried out by whoever may destroy and confirms it, once", async () => {
    await client.set("other", "is not in the dump");
    const { id: plan } = await daemon.submit(PLAN);
    const { has, result } = await daemon.until(plan, "finished", "failed");
    expect([has.plan, result]).toEqual([true, { exitStatus: 0, verdict: "planned", deletes: true }]);
    expect((await daemon.jobs.plan(plan, OPERATOR)).confirm).toBeUndefined();
    const { confirm = "", deletes } = await daemon.jobs.plan(plan, OWNER);
    expect([confirm, deletes]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/u), ["redis:db_0 loses 1 record."]]);
    const ask = (more: object, by = OWNER) => daemon.jobs.submit({ request: { kind: "apply", plan, ...more }, by });
    await expect(ask({ confirm }, OPERATOR)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(ask({})).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    await expect(ask({ confirm: "0".repeat(32) })).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
    const [one, two] = await Promise.allSettled([ask({ confirm }), ask({ confirm })]);
    expect(two).toMatchObject({ status: "rejected", reason: { code: "PLAN_OUTDATED" } });
    const id = one.status === "fulfilled" ? one.value.job.id : "";
    const job = await daemon.until(id, "finished", "failed");
    expect(job, JSON.stringify(job.error)).toMatchObject({ state: "finished", plan, options: { mode: "replace" } });
    expect([await client.dbsize(), await values()]).toEqual([KEYS, KEYS]);
    expect((await daemon.jobs.plan(plan, OWNER)).confirm).toBeUndefined();
    await daemon.restart();
    await expect(ask({ confirm })).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
  });

  it("is refused once its file is another one", async () => {
    await client.set("other", "is not in the dump");
    const { id: plan } = await daemon.submit(PLAN);
    await daemon.until(plan, "finished");
    const { confirm = "" } = await daemon.jobs.plan(plan, OWNER);
    await appendFile(join(daemon.stateDirectory, "daemon", "jobs", plan, "plan.json"), " ");
    const asked = daemon.jobs.submit({ request: { kind: "apply", plan, confirm }, by: OWNER });
    await expect(asked).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
  });

  it("fails where the target is another one by then, and nothing is changed", async () => {
    await client.set("other", "is not in the dump");
    const { id: plan } = await daemon.submit(PLAN);
    await daemon.until(plan, "finished");
    await client.set("more", "came later");
    const { confirm = "" } = await daemon.jobs.plan(plan, OWNER);
    const { id } = await daemon.submit({ kind: "apply", plan, confirm });
    expect(await daemon.until(id, "finished", "failed")).toMatchObject({ error: { code: "PLAN_OUTDATED" } });
    expect(await client.dbsize()).toBe(2);
  });
});

describe("a plan that deletes nothing", () => {
  it("is carried out by whoever may restore", async () => {
    const { id: plan } = await daemon.submit({ kind: "plan", dump: DUMP, target: "here" });
    await daemon.until(plan, "finished");
    expect(await daemon.jobs.plan(plan, OWNER)).not.toHaveProperty("confirm");
    const { job } = await daemon.jobs.submit({ request: { kind: "apply", plan }, by: OPERATOR });
    expect(await daemon.until(job.id, "finished", "failed")).toMatchObject({ state: "finished", by: "operator" });
    expect(await values()).toBe(KEYS);
  });

  it("is refused where the plan itself came to nothing", async () => {
    await client.set("other", "is not in the dump");
    const { id: plan } = await daemon.submit({ kind: "plan", dump: DUMP, target: "here" });
    expect(await daemon.until(plan, "failed")).toMatchObject({
      error: { code: "TARGET_NOT_EMPTY" },
      has: { plan: true },
    });
    const asked = daemon.jobs.submit({ request: { kind: "apply", plan }, by: OWNER });
    await expect(asked).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

describe("a restore", () => {
  const RESTORE: JobRequest = { kind: "apply", dump: DUMP, target: "here", limits: SLOW };

  it("that is paused, limited and resumed ends as any other", async () => {
    const { id } = await daemon.submit(RESTORE);
    await expect.poll(() => client.dbsize(), { timeout: 30_000 }).toBeGreaterThan(20);
    await daemon.jobs.pause(id);
    await daemon.until(id, "paused");
    const held = await client.dbsize();
    await daemon.jobs.setLimits(id, { rateLimit: "none" });
    expect(await client.dbsize()).toBe(held);
    await daemon.jobs.resume(id);
    expect(await daemon.until(id, "finished", "failed")).toMatchObject({ limits: { rateLimit: "none" }, attempts: 1 });
    expect(await values()).toBe(KEYS);
  });

  it("that is let go of is let go of by the engine as well", async () => {
    const { id } = await daemon.submit(RESTORE);
    await expect.poll(() => client.dbsize(), { timeout: 30_000 }).toBeGreaterThan(20);
    await daemon.jobs.cancel(id);
    expect(await daemon.until(id, "cancelled", "failed")).toMatchObject({ state: "cancelled", warnings: [] });
    const kept = JSON.parse(
      await readFile(join(daemon.stateDirectory, "jobs", id, "cancelled.json"), "utf8"),
    ) as object;
    expect(kept).toMatchObject({ targetsReached: true });
    expect(await client.dbsize()).toBeLessThan(KEYS);
    // The same again is a restore of its own, and not in the way of one that is unfinished.
    const { id: again } = await daemon.submit({ ...RESTORE, limits: {}, options: { mode: "merge" } } as JobRequest);
    await daemon.until(again, "finished");
    expect(await values()).toBe(KEYS);
  });

  it("that stands in a queue behind another one on the same target waits for it", async () => {
    const { id: first } = await daemon.submit(RESTORE);
    const { id } = await daemon.submit({ ...RESTORE, options: { mode: "merge" } } as JobRequest);
    await daemon.until(first, "running");
    expect(daemon.jobs.get(id).waitsFor).toContain(`job ${first} runs`);
    await daemon.jobs.setLimits(first, { rateLimit: "none" });
    await daemon.until(first, "finished");
    await daemon.jobs.setLimits(id, { rateLimit: "none" });
    expect(await daemon.until(id, "finished", "failed")).toMatchObject({ state: "finished" });
  });

  it("lists the records that are not plainly restored, to be searched", async () => {
    await client.set("k3", "there before");
    const { id } = await daemon.submit({ ...RESTORE, limits: {}, options: { mode: "skip-existing" } } as JobRequest);
    expect((await daemon.until(id, "finished")).has).toMatchObject({ report: true, rejects: true });
    const { rejects } = await daemon.jobs.rejects(id, { limit: 10, search: "K3", outcome: "skipped-existing" });
    expect(rejects).toMatchObject([{ key: "k3", outcome: "skipped-existing" }]);
  });

  it("that was finished by its process, which was killed before its report was kept, has the engine's", async () => {
    const { id } = await daemon.submit({ ...RESTORE, limits: {} } as JobRequest);
    await daemon.until(id, "finished");
    await daemon.jobs.stop(0);
    const folder = join(daemon.stateDirectory, "daemon", "jobs", id);
    const record = JSON.parse(await readFile(join(folder, "job.json"), "utf8")) as object;
    const { endedAt: _endedAt, result: _result, ...running } = record as { endedAt: number; result: object };
    await writeFile(join(folder, "job.json"), JSON.stringify({ ...running, state: "running" }));
    await writeFile(join(folder, "report.json"), '{"job":"cut o');
    await daemon.restart();
    expect(await daemon.until(id, "finished", "failed")).toMatchObject({ state: "finished", attempts: 1 });
    expect(await report(id)).toMatchObject({ job: id, totals: { restored: KEYS } });
  });
});

describe("a daemon that is killed several times", () => {
  it("in the midst of a restore: the target is exact, and the report whole", async () => {
    const request: JobRequest = { kind: "apply", dump: DUMP, target: "here", limits: SLOW, options: { verify: true } };
    const { id, job, ends } = await killedAgainAndAgain(
      request,
      async (_, kill) => (await client.dbsize()) >= kill * 80,
    );
    expect(job, JSON.stringify(job.error)).toMatchObject({
      state: "finished",
      result: { verdict: "finished", differences: 0 },
    });
    expect(ends).toEqual(["finished"]);
    expect([await client.dbsize(), await values()]).toEqual([KEYS, KEYS]);
    expect(await report(id)).toMatchObject({
      ...{ job: id, status: "finished", recordsRead: KEYS, resumed: true },
      totals: { restored: KEYS },
      verification: { records: KEYS, differenceCount: 0 },
    });
  });

  it("in the midst of a comparison: it comes to the same", async () => {
    await fill();
    await client.set("k7", "another");
    const request: JobRequest = { kind: "verify", dump: DUMP, target: "here", limits: SLOW };
    const { id, job, ends } = await killedAgainAndAgain(
      request,
      async (each, kill) => (await records(each)) >= kill * 20,
    );
    expect(job).toMatchObject({ state: "finished", result: { exitStatus: 6, verdict: "differences", differences: 1 } });
    expect([ends, job.has.rejects]).toEqual([["finished"], true]);
    expect(await report(id)).toMatchObject({ records: KEYS, differenceCount: 1 });
    expect((await daemon.jobs.rejects(id, { limit: 5 })).rejects).toMatchObject([{ key: "k7" }]);
  });

  it("in the midst of a repair: the target is exact", async () => {
    const request: JobRequest = {
      ...{ kind: "verify", dump: DUMP, target: "here", limits: SLOW },
      options: { repair: true, mode: "merge" },
    };
    const { job, ends } = await killedAgainAndAgain(request, async (_, kill) => (await client.dbsize()) >= kill * 40);
    expect(job, JSON.stringify(job.error)).toMatchObject({
      state: "finished",
      result: { exitStatus: 0, differences: 0 },
    });
    expect(ends).toEqual(["finished"]);
    expect([await client.dbsize(), await values()]).toEqual([KEYS, KEYS]);
  });

  it("in the midst of a plan: it is made, and can be carried out", async () => {
    await fill();
    const request: JobRequest = {
      ...{
        kind: "plan",
        dump: DUMP,
        target: "here",
        limits: SLOW,
        options: { mode: "replace", replaceStrategy: "per-key" },
      },
    };
    const { id, job, ends } = await killedAgainAndAgain(
      request,
      async (each) => (await kept(each)).state === "running",
    );
    expect(job, JSON.stringify(job.error)).toMatchObject({
      state: "finished",
      result: { verdict: "planned", deletes: true },
    });
    expect(ends).toEqual(["finished"]);
    await client.set("other", "is not in the dump");
    expect((await daemon.jobs.plan(id, OPERATOR)).deletes).toHaveLength(1);
  });

  it("in the midst of a drill: it is run again, and nothing of it is left", async () => {
    const request: JobRequest = {
      kind: "drill",
      dump: DUMP,
      target: "here",
      limits: SLOW,
      options: { databases: [5] },
    };
    const drilled = onlooker(server.endpoint, 5);
    try {
      const isUnderWay = async () => (await drilled.dbsize()) > 20;
      const { id, job, ends } = await killedAgainAndAgain(request, isUnderWay);
      expect(job, JSON.stringify(job.error)).toMatchObject({ state: "finished", result: { verdict: "passed" } });
      expect(ends).toEqual(["finished"]);
      expect(await drilled.dbsize()).toBe(0);
      expect(await report(id)).toMatchObject({ verdict: "passed", restore: { totals: { restored: KEYS } } });
      const left = await readdir(join(daemon.stateDirectory, "drills"), { recursive: true });
      expect(left.filter((name) => name.endsWith("open.json"))).toEqual([]);
    } finally {
      drilled.disconnect();
    }
  });
});
