/** A daemon that is killed in the midst of jobs of every kind, again and again, ends them as if it had not been. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { OPERATOR } from "../support/daemon-jobs.js";
import { DUMP, jobsOnRedis, KEYS } from "../support/jobs-on-redis.js";
import { onlooker } from "../support/redis-restore.js";

const VICTIM = join(import.meta.dirname, "../support/daemon-jobs-victim.ts");
const KILLS = 3;
const SLOW = { rateLimit: "150ops/s" };
const victims: ChildProcess[] = [];

const on = jobsOnRedis();

afterEach(() => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
});

/** A daemon that takes up what is there, and is asked for more. Answers the ids of the latter. */
async function victim(requests: readonly JobRequest[]): Promise<{ readonly ids: string[]; kill(): void }> {
  const argv = ["--import", import.meta.resolve("tsx"), VICTIM, on.daemon.folder, JSON.stringify(requests)];
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
  const path = join(on.daemon.stateDirectory, "daemon", "jobs", id, "job.json");
  return JSON.parse(await readFile(path, "utf8")) as Kept;
}

/** How much of the work stands in the job's events. */
async function records(id: string): Promise<number> {
  const path = join(on.daemon.stateDirectory, "daemon", "jobs", id, "events.jsonl");
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
  await on.daemon.restart();
  const job = await on.daemon.until(id, "finished", "failed", "cancelled");
  const states = [];
  for await (const { event } of on.daemon.jobs.events(id, 0, AbortSignal.timeout(20_000))) {
    if (event.type === "state") states.push(event.job.state);
  }
  return { id, job, ends: states.filter((state) => !["queued", "running"].includes(state)) };
}

describe("a daemon that is killed several times", () => {
  it("in the midst of a restore: the target is exact, and the report whole", async () => {
    const request: JobRequest = { kind: "apply", dump: DUMP, target: "here", limits: SLOW, options: { verify: true } };
    const { id, job, ends } = await killedAgainAndAgain(
      request,
      async (_, kill) => (await on.client.dbsize()) >= kill * 80,
    );
    expect(job, JSON.stringify(job.error)).toMatchObject({
      state: "finished",
      result: { verdict: "finished", differences: 0 },
    });
    expect(ends).toEqual(["finished"]);
    expect([await on.client.dbsize(), await on.values()]).toEqual([KEYS, KEYS]);
    expect(await on.report(id)).toMatchObject({
      ...{ job: id, status: "finished", recordsRead: KEYS, resumed: true },
      totals: { restored: KEYS },
      verification: { records: KEYS, differenceCount: 0 },
    });
  });

  it("in the midst of a comparison: it comes to the same", async () => {
    await on.fill();
    await on.client.set("k7", "another");
    const request: JobRequest = { kind: "verify", dump: DUMP, target: "here", limits: SLOW };
    const { id, job, ends } = await killedAgainAndAgain(
      request,
      async (each, kill) => (await records(each)) >= kill * 20,
    );
    expect(job).toMatchObject({ state: "finished", result: { exitStatus: 6, verdict: "differences", differences: 1 } });
    expect([ends, job.has.rejects]).toEqual([["finished"], true]);
    expect(await on.report(id)).toMatchObject({ records: KEYS, differenceCount: 1 });
    expect((await on.daemon.jobs.rejects(id, { limit: 5 })).rejects).toMatchObject([{ key: "k7" }]);
  });

  it("in the midst of a repair: the target is exact", async () => {
    const request: JobRequest = {
      ...{ kind: "verify", dump: DUMP, target: "here", limits: SLOW },
      options: { repair: true, mode: "merge" },
    };
    const { job, ends } = await killedAgainAndAgain(
      request,
      async (_, kill) => (await on.client.dbsize()) >= kill * 40,
    );
    expect(job, JSON.stringify(job.error)).toMatchObject({
      state: "finished",
      result: { exitStatus: 0, differences: 0 },
    });
    expect(ends).toEqual(["finished"]);
    expect([await on.client.dbsize(), await on.values()]).toEqual([KEYS, KEYS]);
  });

  it("in the midst of a plan: it is made, and can be carried out", async () => {
    await on.fill();
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
    await on.client.set("other", "is not in the dump");
    expect((await on.daemon.jobs.plan(id, OPERATOR)).deletes).toHaveLength(1);
  });

  it("in the midst of a drill: it is run again, and nothing of it is left", async () => {
    const request: JobRequest = {
      kind: "drill",
      dump: DUMP,
      target: "here",
      limits: SLOW,
      options: { databases: [5] },
    };
    const drilled = onlooker(on.endpoint, 5);
    try {
      const isUnderWay = async () => (await drilled.dbsize()) > 20;
      const { id, job, ends } = await killedAgainAndAgain(request, isUnderWay);
      expect(job, JSON.stringify(job.error)).toMatchObject({ state: "finished", result: { verdict: "passed" } });
      expect(ends).toEqual(["finished"]);
      expect(await drilled.dbsize()).toBe(0);
      expect(await on.report(id)).toMatchObject({ verdict: "passed", restore: { totals: { restored: KEYS } } });
      const left = await readdir(join(on.daemon.stateDirectory, "drills"), { recursive: true });
      expect(left.filter((name) => name.endsWith("open.json"))).toEqual([]);
    } finally {
      drilled.disconnect();
    }
  });
});
