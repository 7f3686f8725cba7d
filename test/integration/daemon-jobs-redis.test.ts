/**
 * Jobs on the real command line and a real Redis: what was planned is carried out once, and what is let go of leaves nothing
 * behind.
 */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { lockScopes } from "../../src/run/job/scope-locks.js";
import { OPERATOR, OWNER } from "../support/daemon-jobs.js";
import { DUMP, jobsOnRedis, KEYS } from "../support/jobs-on-redis.js";

const SLOW = { rateLimit: "150ops/s" };

const on = jobsOnRedis();

describe("a plan that deletes", () => {
  const PLAN: JobRequest = { kind: "plan", dump: DUMP, target: "here", options: { mode: "replace" } };

  it("is carried out by whoever may destroy and confirms it, once", async () => {
    await on.client.set("other", "is not in the dump");
    const { id: plan } = await on.daemon.submit(PLAN);
    const { has, result } = await on.daemon.until(plan, "finished", "failed");
    expect([has.plan, result]).toEqual([true, { exitStatus: 0, verdict: "planned", deletes: true }]);
    expect((await on.daemon.jobs.plan(plan, OPERATOR)).confirm).toBeUndefined();
    const { confirm = "", deletes } = await on.daemon.jobs.plan(plan, OWNER);
    expect([confirm, deletes]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/u), ["redis:db_0 loses 1 record."]]);
    const ask = (more: object, by = OWNER) => on.daemon.jobs.submit({ request: { kind: "apply", plan, ...more }, by });
    await expect(ask({ confirm }, OPERATOR)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(ask({})).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    await expect(ask({ confirm: "0".repeat(32) })).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
    const [one, two] = await Promise.allSettled([ask({ confirm }), ask({ confirm })]);
    expect(two).toMatchObject({ status: "rejected", reason: { code: "PLAN_OUTDATED" } });
    const id = one.status === "fulfilled" ? one.value.job.id : "";
    const job = await on.daemon.until(id, "finished", "failed");
    expect(job, JSON.stringify(job.error)).toMatchObject({ state: "finished", plan, options: { mode: "replace" } });
    expect([await on.client.dbsize(), await on.values()]).toEqual([KEYS, KEYS]);
    expect((await on.daemon.jobs.plan(plan, OWNER)).confirm).toBeUndefined();
    await on.daemon.restart();
    await expect(ask({ confirm })).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
  });

  it("is refused once its file is another one", async () => {
    await on.client.set("other", "is not in the dump");
    const { id: plan } = await on.daemon.submit(PLAN);
    await on.daemon.until(plan, "finished");
    const { confirm = "" } = await on.daemon.jobs.plan(plan, OWNER);
    await appendFile(join(on.daemon.stateDirectory, "daemon", "jobs", plan, "plan.json"), " ");
    const asked = on.daemon.jobs.submit({ request: { kind: "apply", plan, confirm }, by: OWNER });
    await expect(asked).rejects.toMatchObject({ code: "PLAN_OUTDATED" });
  });

  it("fails where the target is another one by then, and nothing is changed", async () => {
    await on.client.set("other", "is not in the dump");
    const { id: plan } = await on.daemon.submit(PLAN);
    await on.daemon.until(plan, "finished");
    await on.client.set("more", "came later");
    const { confirm = "" } = await on.daemon.jobs.plan(plan, OWNER);
    const { id } = await on.daemon.submit({ kind: "apply", plan, confirm });
    expect(await on.daemon.until(id, "finished", "failed")).toMatchObject({ error: { code: "PLAN_OUTDATED" } });
    expect(await on.client.dbsize()).toBe(2);
  });
});

describe("a plan that deletes nothing", () => {
  it("is carried out by whoever may restore", async () => {
    const { id: plan } = await on.daemon.submit({ kind: "plan", dump: DUMP, target: "here" });
    await on.daemon.until(plan, "finished");
    expect(await on.daemon.jobs.plan(plan, OWNER)).not.toHaveProperty("confirm");
    const { job } = await on.daemon.jobs.submit({ request: { kind: "apply", plan }, by: OPERATOR });
    expect(await on.daemon.until(job.id, "finished", "failed")).toMatchObject({ state: "finished", by: "operator" });
    expect(await on.values()).toBe(KEYS);
  });

  it("is refused where the plan itself came to nothing", async () => {
    await on.client.set("other", "is not in the dump");
    const { id: plan } = await on.daemon.submit({ kind: "plan", dump: DUMP, target: "here" });
    expect(await on.daemon.until(plan, "failed")).toMatchObject({
      error: { code: "TARGET_NOT_EMPTY" },
      has: { plan: true },
    });
    const asked = on.daemon.jobs.submit({ request: { kind: "apply", plan }, by: OWNER });
    await expect(asked).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

describe("a restore", () => {
  const RESTORE: JobRequest = { kind: "apply", dump: DUMP, target: "here", limits: SLOW };

  it("that is paused, limited and resumed ends as any other", async () => {
    const { id } = await on.daemon.submit(RESTORE);
    await expect.poll(() => on.client.dbsize(), { timeout: 30_000 }).toBeGreaterThan(20);
    await on.daemon.jobs.pause(id);
    await on.daemon.until(id, "paused");
    const held = await on.client.dbsize();
    await on.daemon.jobs.setLimits(id, { rateLimit: "none" });
    expect(await on.client.dbsize()).toBe(held);
    await on.daemon.jobs.resume(id, OWNER);
    expect(await on.daemon.until(id, "finished", "failed")).toMatchObject({
      limits: { rateLimit: "none" },
      attempts: 1,
    });
    expect(await on.values()).toBe(KEYS);
  });

  describe("that fails on its way", () => {
    afterEach(() => on.client.config("SET", "maxmemory", "0"));

    async function held(): Promise<string> {
      const { id } = await on.daemon.submit(RESTORE);
      await expect.poll(() => on.client.dbsize(), { timeout: 30_000 }).toBeGreaterThan(20);
      await on.client.config("SET", "maxmemory", "1");
      const job = await on.daemon.until(id, "held", "failed", "finished");
      expect(job).toMatchObject({
        ...{ state: "held", has: { report: true } },
        error: { code: "TARGET_FULL", hint: expect.stringContaining("Resume the job") },
      });
      expect(job).not.toHaveProperty("endedAt");
      await on.client.config("SET", "maxmemory", "0");
      return id;
    }

    it("is held with the reason, also by the next daemon, and ends as any other once it is resumed", async () => {
      const id = await held();
      await on.daemon.restart();
      expect(on.daemon.jobs.get(id)).toMatchObject({ state: "held", error: { code: "TARGET_FULL" } });
      const going = await on.daemon.jobs.resume(id, OWNER);
      expect(going).not.toHaveProperty("error");
      expect(going.has).toMatchObject({ report: false });
      expect(await on.daemon.until(id, "finished", "failed", "held")).toMatchObject({ state: "finished", attempts: 2 });
      expect(await on.report(id)).toMatchObject({ resumed: true, recordsRead: KEYS, totals: { restored: KEYS } });
      expect(await on.values()).toBe(KEYS);
    });

    it("lets nobody else write there, until it is let go of", async () => {
      const id = await held();
      const { id: other } = await on.daemon.submit({
        ...RESTORE,
        limits: {},
        options: { mode: "merge" },
      } as JobRequest);
      await expect.poll(() => on.daemon.jobs.get(other).waitsFor).toContain(`job ${id} is to go on`);
      await on.daemon.jobs.cancel(id);
      expect(await on.daemon.until(id, "cancelled", "failed")).not.toHaveProperty("error");
      expect(await on.daemon.until(other, "finished", "failed")).toMatchObject({ state: "finished" });
      expect(await on.values()).toBe(KEYS);
    });
  });

  it("that is let go of is let go of by the engine as well", async () => {
    const { id } = await on.daemon.submit(RESTORE);
    await expect.poll(() => on.client.dbsize(), { timeout: 30_000 }).toBeGreaterThan(20);
    await on.daemon.jobs.cancel(id);
    expect(await on.daemon.until(id, "cancelled", "failed")).toMatchObject({ state: "cancelled", warnings: [] });
    const kept = JSON.parse(
      await readFile(join(on.daemon.stateDirectory, "jobs", id, "cancelled.json"), "utf8"),
    ) as object;
    expect(kept).toMatchObject({ targetsReached: true });
    expect(await on.client.dbsize()).toBeLessThan(KEYS);
    // The same again is a restore of its own, and not in the way of one that is unfinished.
    const { id: again } = await on.daemon.submit({ ...RESTORE, limits: {}, options: { mode: "merge" } } as JobRequest);
    await on.daemon.until(again, "finished");
    expect(await on.values()).toBe(KEYS);
  });

  it("that stands in a queue behind another one on the same target waits for it", async () => {
    const { id: first } = await on.daemon.submit(RESTORE);
    const { id } = await on.daemon.submit({ ...RESTORE, options: { mode: "merge" } } as JobRequest);
    await on.daemon.until(first, "running");
    expect(on.daemon.jobs.get(id).waitsFor).toContain(`job ${first} runs`);
    await on.daemon.jobs.setLimits(first, { rateLimit: "none" });
    await on.daemon.until(first, "finished");
    await on.daemon.jobs.setLimits(id, { rateLimit: "none" });
    expect(await on.daemon.until(id, "finished", "failed")).toMatchObject({ state: "finished" });
  });

  it("lists the records that are not plainly restored, to be searched", async () => {
    await on.client.set("k3", "there before");
    const { id } = await on.daemon.submit({ ...RESTORE, limits: {}, options: { mode: "skip-existing" } } as JobRequest);
    expect((await on.daemon.until(id, "finished")).has).toMatchObject({ report: true, rejects: true });
    const { rejects } = await on.daemon.jobs.rejects(id, { limit: 10, search: "K3", outcome: "skipped-existing" });
    expect(rejects).toMatchObject([{ key: "k3", outcome: "skipped-existing" }]);
  });

  it("that was finished by its process, which was killed before its report was kept, has the engine's", async () => {
    const { id } = await on.daemon.submit({ ...RESTORE, limits: {} } as JobRequest);
    await on.daemon.until(id, "finished");
    await on.daemon.jobs.stop(0);
    const folder = join(on.daemon.stateDirectory, "daemon", "jobs", id);
    const record = JSON.parse(await readFile(join(folder, "job.json"), "utf8")) as object;
    const { endedAt: _endedAt, result: _result, ...running } = record as { endedAt: number; result: object };
    await writeFile(join(folder, "job.json"), JSON.stringify({ ...running, state: "running" }));
    await writeFile(join(folder, "report.json"), '{"job":"cut o');
    await on.daemon.restart();
    expect(await on.daemon.until(id, "finished", "failed")).toMatchObject({ state: "finished", attempts: 1 });
    expect(await on.report(id)).toMatchObject({ job: id, totals: { restored: KEYS } });
  });
});

describe("a comparison that repairs", () => {
  it("waits for a process that restores into the same scope, and mends once that one has ended", async () => {
    await on.fill();
    await on.client.set("other", "is not in the dump");
    const lock = await lockScopes({
      targets: [{ adapter: "redis", target: "db_0" }],
      endpoints: { redis: on.endpoint },
      holder: { pid: process.pid, job: "0123456789abcdef" },
      stateDirectory: on.daemon.stateDirectory,
      isAlive: () => true,
    });
    try {
      const options = { repair: true, mode: "replace" } as const;
      const { id } = await on.daemon.submit({ kind: "verify", dump: DUMP, target: "here", options });
      const waitsFor = async () => await Promise.resolve(on.daemon.jobs.get(id).waitsFor);
      await expect.poll(waitsFor, { timeout: 30_000 }).toContain("is being restored by job 0123456789abcdef");
      expect(await on.client.dbsize()).toBe(KEYS + 1);
      await lock.release();
      const job = await on.daemon.until(id, "finished", "failed");
      expect(job, JSON.stringify(job.error)).toMatchObject({ state: "finished", result: { exitStatus: 0 } });
      expect([await on.client.dbsize(), await on.values()]).toEqual([KEYS, KEYS]);
    } finally {
      await lock.release();
    }
  });
});
