/** The daemon's jobs with real processes that do what the test says: queue, orders, crashes, restarts, what is kept. */
import { mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { type Clock, systemClock } from "../../src/support/clock.js";
import {
  CHECK,
  type DaemonJobs,
  type DaemonJobsInit,
  daemonJobs,
  OPERATOR,
  OWNER,
  placeDump,
} from "../support/daemon-jobs.js";

const WHOLE = { dump: "one", malformedCount: 0 };
const CHECKED = { writes: { stdout: WHOLE } };
const VERIFIED = { exitStatus: 0, records: 1, differenceCount: 0, durationMs: 10 };
const COMPARED = { writes: { report: VERIFIED } };
const COMPARE: JobRequest = { kind: "verify", dump: { root: "backups", path: "one" }, target: "here" };
const REPAIR: JobRequest = { ...COMPARE, options: { repair: true, mode: "merge" } };

let daemon: DaemonJobs;

async function start(init: DaemonJobsInit = {}): Promise<DaemonJobs> {
  daemon = await daemonJobs(init);
  return daemon;
}

afterEach(async () => {
  await daemon.remove();
});

async function eventsOf(id: string, after = 0) {
  const events = [];
  for await (const event of daemon.jobs.events(id, after, AbortSignal.timeout(20_000))) events.push(event);
  return events;
}

/** A job that was paused while it ran; told to go on, its process does as `behaviour` says. */
async function submitPaused(request: JobRequest, behaviour: object): Promise<string> {
  await daemon.behave({ waits: true, ...behaviour });
  const { id } = await daemon.submit(request);
  await daemon.until(id, "running");
  await daemon.jobs.pause(id);
  await daemon.until(id, "paused");
  return id;
}

/** As it stands in the job's file. */
async function lastKept(id: string): Promise<{ readonly id: number }> {
  const text = await readFile(join(daemon.stateDirectory, "daemon", "jobs", id, "events.jsonl"), "utf8");
  return JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
}

async function statesOf(id: string) {
  return (await eventsOf(id)).flatMap(({ event }) => (event.type === "state" ? event.job.state : []));
}

describe("a job", () => {
  it("is on disk, for its owner alone, before it is told", async () => {
    const { submit, stateDirectory } = await start({ isStarted: true, settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    const path = join(stateDirectory, "daemon", "jobs", id, "job.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ id, kind: "verify", by: "owner" });
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect((await stat(join(path, ".."))).mode & 0o077).toBe(0);
  });

  it("is begun by the words that it was asked for, and ends with what its report says", async () => {
    const { submit, until, begun } = await start();
    await daemon.behave({ ...CHECKED, exits: 0 });
    const { id } = await submit({ ...CHECK, options: { scopes: ["redis=0"] } } as JobRequest);
    const job = await until(id, "finished", "failed");
    expect(job).toMatchObject({ state: "finished", attempts: 1, result: { exitStatus: 0, verdict: "finished" } });
    expect(job.has).toEqual({ plan: false, report: true, rejects: false });
    expect(JSON.parse(await readFile(await daemon.jobs.reportPath(id), "utf8"))).toEqual(WHOLE);
    const [process] = await begun();
    expect(process?.id).toBe(id);
    expect(process?.words).toEqual([
      "verify",
      `--state-dir=${daemon.stateDirectory}`,
      "--progress=none",
      "--scope=redis=0",
      "--json",
      join(daemon.backups, "one"),
    ]);
    expect(await statesOf(id)).toEqual(["queued", "running", "finished"]);
  });

  it("that fails says why, with what its process told and said", async () => {
    const { submit, until, stateDirectory } = await start();
    const failure = { code: "CHECKSUM_MISMATCH", message: "a file differs", hint: "Take another dump." };
    await daemon.behave({ tells: [{ type: "failed", failure }], says: "error: a file differs", exits: 4 });
    const { id } = await submit(CHECK);
    expect(await until(id, "failed")).toMatchObject({ error: failure, attempts: 1 });
    const output = await readFile(join(stateDirectory, "daemon", "jobs", id, "output.log"), "utf8");
    expect(output).toBe("error: a file differs\n");
  });

  it("tells its progress and warnings, each warning once", async () => {
    const { submit, until } = await start();
    const progress = { check: { files: 1, bytes: 2, isDone: true }, scopes: [] };
    const warning = { type: "warning", text: "odd", scope: "redis/db_0" };
    await daemon.behave({ tells: [{ type: "progress", progress }, warning, warning], ...CHECKED });
    const { id } = await submit(CHECK);
    expect(await until(id, "finished")).toMatchObject({ progress, warnings: ["redis/db_0: odd"] });
    const events = await eventsOf(id);
    expect(events.map((each) => each.id)).toEqual(events.map((_, at) => at + 1));
    expect(events.map(({ event }) => event.type).sort()).toEqual(["progress", "state", "state", "state", "warning"]);
  });

  it("says which its last event is, so that only those to come can be followed, also after a restart", async () => {
    const { submit, until, jobs } = await start();
    const progress = { check: { files: 1, bytes: 2, isDone: true }, scopes: [] };
    await daemon.behave({ tells: [{ type: "progress", progress }], waits: true, ...CHECKED });
    const { id, lastEvent } = await submit(CHECK);
    expect(lastEvent).toBe(1);
    await until(id, "running");
    await expect.poll(() => jobs.get(id).lastEvent).toBe(3);
    await daemon.restart();
    await until(id, "running");
    const from = 6;
    await expect.poll(() => daemon.jobs.get(id).lastEvent).toBe(from);
    expect((await lastKept(id)).id).toBe(from);
    const following = eventsOf(id, from);
    await daemon.go();
    expect((await following).map((each) => each.id)).toEqual([from + 1]);
    const { lastEvent: end } = await until(id, "finished");
    expect(end).toBe(from + 1);
    await daemon.restart();
    expect(daemon.jobs.get(id).lastEvent).toBe(end);
    expect(await eventsOf(id, end)).toEqual([]);
  });

  it("that is paused says which its last event is to the daemon that follows as well", async () => {
    await start();
    const id = await submitPaused(CHECK, CHECKED);
    await daemon.restart();
    expect(daemon.jobs.get(id).lastEvent).toBe((await lastKept(id)).id);
  });

  it("of the newest dump says which it was, once it is begun", async () => {
    const { submit, until, backups, begun } = await start();
    await placeDump(join(backups, "two"), { manifest: { wall_time_iso: "2026-05-29T15:42:11.094Z" } });
    await daemon.behave(CHECKED);
    const { id, dump } = await submit({ kind: "verify", dump: { root: "backups", pick: "newest" } });
    expect(dump.path).toBe("");
    expect((await until(id, "finished")).dump).toEqual({ root: "backups", path: "two" });
    expect((await begun())[0]?.words.at(-1)).toBe(join(backups, "two"));
  });
});

describe("what cannot be done is refused before it is kept", () => {
  const at = (path: string): JobRequest => ({ kind: "verify", dump: { root: "backups", path } });

  it.each([
    ["a dump that is not there", at("none"), "UNPROCESSABLE"],
    ["a place above the root", at("../backups/one"), "UNPROCESSABLE"],
    ["a place of its own", at("/etc"), "UNPROCESSABLE"],
    ["a link that leads out of the root", at("out"), "UNPROCESSABLE"],
    ["a folder that is no dump", at("plain"), "UNPROCESSABLE"],
    ["a root that nobody configured", { kind: "verify", dump: { root: "other", path: "one" } }, "UNPROCESSABLE"],
    ["a target that nobody configured", { ...COMPARE, target: "where" }, "UNPROCESSABLE"],
    ["a repair without a target", { ...at("one"), options: { repair: true } }, "UNPROCESSABLE"],
    ["a name that holds a NUL", { ...at("one"), options: { include: ["a\0b"] } }, "UNPROCESSABLE"],
    [
      "a restore that replaces without a plan",
      { ...COMPARE, kind: "apply", options: { mode: "replace" } },
      "NOT_CONFIRMED",
    ],
    [
      "a repair that deletes, by a token that may not",
      { ...COMPARE, options: { repair: true, mode: "replace" } },
      "FORBIDDEN",
    ],
  ] as [string, JobRequest, string][])("%s", async (_name, request, code) => {
    const { jobs, backups, folder } = await start();
    await mkdir(join(folder, "elsewhere"));
    await mkdir(join(backups, "plain"));
    await writeFile(join(folder, "elsewhere", "MANIFEST.json"), "{}");
    await symlink(join(folder, "elsewhere"), join(backups, "out"));
    await expect(jobs.submit({ request, by: OPERATOR })).rejects.toMatchObject({ code });
    expect(jobs.list({ limit: 10 }).jobs).toEqual([]);
  });

  it("a link to a dump in the root is none of it, until it leads elsewhere", async () => {
    const { submit, until, backups, folder } = await start({ settings: { at_once: 1 } });
    await symlink(join(backups, "one"), join(backups, "latest"));
    await daemon.behave({ waits: true, ...CHECKED });
    const { id: first } = await submit(CHECK);
    const { id } = await submit(at("latest"));
    await mkdir(join(folder, "elsewhere"));
    await writeFile(join(folder, "elsewhere", "MANIFEST.json"), "{}");
    await symlink(join(folder, "elsewhere"), join(backups, "other"));
    await rename(join(backups, "other"), join(backups, "latest"));
    await daemon.go();
    await until(first, "finished");
    expect((await until(id, "failed", "finished")).error?.message).toMatch(/leads out of it/u);
  });
});

describe("the same idempotency key", () => {
  it("gives the same job, also after a restart, and refuses another request", async () => {
    const { jobs, until } = await start();
    await daemon.behave(CHECKED);
    const asked = { request: CHECK, by: OPERATOR, idempotencyKey: "k" };
    const [one, two] = await Promise.all([jobs.submit(asked), jobs.submit(asked)]);
    expect([one.job.id === two.job.id, one.isNew, two.isNew]).toEqual([true, true, false]);
    await until(one.job.id, "finished");
    await daemon.restart();
    expect(await daemon.jobs.submit(asked)).toMatchObject({ job: { id: one.job.id }, isNew: false });
    await expect(daemon.jobs.submit({ ...asked, request: COMPARE })).rejects.toMatchObject({ code: "CONFLICT" });
    expect(daemon.jobs.madeUnder("operator", "k")?.id).toBe(one.job.id);
    expect(daemon.jobs.madeUnder("other", "k")).toBeUndefined();
    const other = await daemon.jobs.submit({ ...asked, by: { name: "other", role: "restore" } });
    expect(other.isNew).toBe(true);
  });
});

describe("the queue", () => {
  it("lets so many run at once, and says of the others that they wait", async () => {
    const { submit, until, jobs, begun } = await start({ settings: { at_once: 2 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push((await submit(CHECK)).id);
    await until(ids[1] ?? "", "running");
    expect(ids.map((id) => jobs.get(id).state)).toEqual(["running", "running", "queued", "queued"]);
    expect(jobs.get(ids[2] ?? "").waitsFor).toMatch(/2 jobs run already/u);
    await daemon.go();
    for (const id of ids) await until(id, "finished");
    expect((await begun()).map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it("keeps two jobs apart of which one writes into what the other reaches, in the order in which they came", async () => {
    const { submit, until, jobs } = await start({ settings: { at_once: 4 } });
    await daemon.behave({ waits: true, ...COMPARED });
    const { id: reader } = await submit(COMPARE);
    const { id: writer } = await submit(REPAIR);
    const { id: late } = await submit(COMPARE);
    const { id: elsewhere } = await submit({ ...COMPARE, target: "there" });
    await until(reader, "running");
    await until(elsewhere, "running");
    expect([jobs.get(writer).state, jobs.get(late).state]).toEqual(["queued", "queued"]);
    expect(jobs.get(writer).waitsFor).toContain(`job ${reader} runs`);
    expect(jobs.get(late).waitsFor).toContain(`job ${writer} comes first`);
    await daemon.go();
    await until(late, "finished");
    const started = [reader, writer, late].map((id) => jobs.get(id).startedAt ?? "");
    expect(started).toEqual([...started].sort());
  });

  it("refuses more than so many that wait", async () => {
    const { submit, until } = await start({ settings: { at_once: 1, queued: 1 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    await until(id, "running");
    await submit(CHECK);
    await expect(submit(CHECK)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("tries again what somebody else holds, and says so", async () => {
    const { submit, until } = await start();
    const failure = { code: "JOB_HELD", message: "redis:0 is being restored by another process" };
    await daemon.behave({ tells: [{ type: "failed", failure }], exits: 1 }, COMPARED);
    const { id } = await submit(COMPARE);
    expect(await until(id, "finished")).toMatchObject({ attempts: 2 });
    const waiting = (await eventsOf(id)).findLast(
      ({ event }) => event.type === "state" && event.job.state === "queued",
    );
    expect(waiting?.event).toMatchObject({
      job: { waitsFor: expect.stringContaining("is being restored by another") },
    });
  });
});

describe("orders", () => {
  it("pause and resume go to the process, and its answer makes the state", async () => {
    const { until, jobs } = await start();
    const id = await submitPaused(CHECK, CHECKED);
    await expect(jobs.pause(id)).rejects.toMatchObject({ code: "CONFLICT" });
    await jobs.resume(id, OWNER);
    await until(id, "running");
    await daemon.go();
    await until(id, "finished");
    expect(await statesOf(id)).toEqual(["queued", "running", "paused", "running", "finished"]);
    await expect(jobs.pause(id)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("a job that waits is paused without a process, and does not begin until it is resumed", async () => {
    const { submit, until, jobs, begun } = await start({ settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id: first } = await submit(CHECK);
    const { id } = await submit(CHECK);
    expect(await jobs.pause(id)).toMatchObject({ state: "paused" });
    await daemon.go();
    await until(first, "finished");
    const { id: third } = await submit(CHECK);
    await until(third, "finished");
    expect(jobs.get(id)).toMatchObject({ state: "paused", attempts: 0 });
    await jobs.resume(id, OWNER);
    await until(id, "finished");
    expect((await begun()).map((each) => each.id)).toEqual([first, third, id]);
  });

  it("limits hold for the process, and for those that take its job up", async () => {
    const { submit, until, jobs, begun } = await start();
    await daemon.behave({ waits: true, dies: "SIGKILL" }, COMPARED);
    const { id } = await submit({ ...COMPARE, limits: { concurrency: "2" } });
    await until(id, "running");
    expect((await jobs.setLimits(id, { rateLimit: "5ops/s" })).limits).toEqual({
      concurrency: "2",
      rateLimit: "5ops/s",
    });
    await daemon.go();
    await until(id, "finished");
    expect((await begun())[1]?.words).toEqual(expect.arrayContaining(["--rate-limit=5ops/s", "--concurrency=2"]));
  });

  it("a concurrency that is changed for one adapter stays as it was for the others", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave({ waits: true }, COMPARED);
    const { id } = await submit({ ...COMPARE, limits: { concurrency: "dynamodb=2,s3=2" } });
    await until(id, "running");
    expect((await jobs.setLimits(id, { concurrency: "s3=4" })).limits).toEqual({ concurrency: "dynamodb=2,s3=4" });
  });

  it("new limits are no longer waited for where the process hangs, and hold once it goes on", async () => {
    const sleep: Clock["sleep"] = (ms, signal) => systemClock.sleep(ms === 20_000 ? 100 : ms, signal);
    const { submit, until, jobs, begun } = await start({ clock: { ...systemClock, sleep } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    await until(id, "running");
    await expect.poll(begun).toHaveLength(1);
    const [{ pid } = { pid: Number.NaN }] = await begun();
    process.kill(pid, "SIGSTOP");
    const limits = { rateLimit: "5ops/s" };
    await expect(jobs.setLimits(id, limits)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("gives no answer"),
      hint: expect.stringContaining("cancel the job"),
    });
    expect(jobs.get(id).limits).toEqual({});
    process.kill(pid, "SIGCONT");
    await expect.poll(() => jobs.get(id).limits).toEqual(limits);
  });

  it("a job that deletes is resumed only by whoever may ask for it, and paused and cancelled by others as well", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave({ waits: true }, COMPARED);
    const { id, deletes } = await submit({ ...COMPARE, options: { repair: true, mode: "replace" } } as JobRequest);
    expect(deletes).toBe(true);
    await until(id, "running");
    await jobs.pause(id);
    await until(id, "paused");
    await expect(jobs.resume(id, OPERATOR)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(jobs.get(id).state).toBe("paused");
    await jobs.resume(id, OWNER);
    await until(id, "running");
    const { id: other, deletes: none } = await submit({ ...REPAIR, target: "there" });
    expect(none).toBeUndefined();
    await until(other, "running", "finished");
    await jobs.cancel(id);
    await until(id, "cancelled");
  });

  it("cancel ends a job that waits at once, and one that runs once its process has ended", async () => {
    const { submit, until, jobs } = await start({ settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    await until(id, "running");
    const { id: waiting } = await submit(CHECK);
    expect(await jobs.cancel(waiting)).toMatchObject({ state: "cancelled", attempts: 0 });
    await jobs.cancel(id);
    expect(await until(id, "cancelled")).not.toHaveProperty("error");
    expect(await statesOf(id)).toEqual(["queued", "running", "cancelled"]);
    await expect(jobs.cancel(id)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  it("that come while a process is begun reach it", async () => {
    const { submit, until, jobs, begun } = await start();
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    await jobs.pause(id);
    await until(id, "paused");
    const { id: other } = await submit(CHECK);
    await jobs.cancel(other);
    await until(other, "cancelled");
    await jobs.resume(id, OWNER);
    await daemon.go();
    await until(id, "finished");
    expect((await begun()).filter((each) => each.id === id)).toHaveLength(1);
  });

  it("name a job that is there", async () => {
    const { jobs } = await start();
    for (const order of ["pause", "resume", "cancel"] as const) {
      await expect(jobs[order]("0".repeat(16), OWNER)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
  });
});

describe("a process that is killed", () => {
  it("is followed by one that goes on, and the job ends as if it had not been", async () => {
    const { submit, until, begun } = await start();
    await daemon.behave({ dies: "SIGKILL", says: "out of memory" }, COMPARED);
    const { id } = await submit(COMPARE);
    expect(await until(id, "finished")).toMatchObject({ attempts: 2 });
    expect((await begun()).map(({ words }) => words.includes("--resume"))).toEqual([false, true]);
    expect(await statesOf(id)).toEqual(["queued", "running", "queued", "running", "finished"]);
  });

  it("begins from the start where there is nothing to go on with", async () => {
    const { submit, until, begun } = await start();
    const failure = { code: "JOB_UNKNOWN", message: "nothing to be taken up" };
    await daemon.behave({ dies: "SIGKILL" }, { tells: [{ type: "failed", failure }], exits: 2 }, COMPARED);
    const { id } = await submit(COMPARE);
    await until(id, "finished");
    expect((await begun()).map(({ words }) => words.includes("--resume"))).toEqual([false, true, false]);
  });

  it("whose report is whole has ended the job", async () => {
    const { submit, until, begun } = await start();
    await daemon.behave({ ...COMPARED, dies: "SIGKILL" });
    const { id } = await submit(COMPARE);
    await until(id, "finished");
    expect(await begun()).toHaveLength(1);
  });
});

describe("what the disk refuses", () => {
  it("puts a job off, and ends none", async () => {
    const { submit, until, jobs, stateDirectory } = await start({ settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...CHECKED });
    const { id: first } = await submit(CHECK);
    const { id } = await submit(CHECK);
    await mkdir(join(stateDirectory, "daemon", "jobs", id, "report.json"));
    await daemon.go();
    await until(first, "finished");
    await expect.poll(() => jobs.get(id).waitsFor).toMatch(/could not work on it: EISDIR/u);
    expect(jobs.get(id)).toMatchObject({ state: "queued", attempts: 0 });
    // It may be tried again at this very moment: then the order is kept, and the state follows.
    await jobs.cancel(id);
    await until(id, "cancelled");
  });
});

describe("a daemon that is stopped", () => {
  it("lets jobs be taken up by the next one, and begins no more", async () => {
    const { submit, until, begun, stateDirectory } = await start({ settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...COMPARED });
    const { id } = await submit(COMPARE);
    const { id: waiting } = await submit(COMPARE);
    await until(id, "running");
    await daemon.jobs.stop(10_000);
    expect(JSON.parse(await readFile(join(stateDirectory, "daemon", "jobs", id, "job.json"), "utf8"))).toMatchObject({
      state: "running",
      attempts: 1,
    });
    await expect(submit(CHECK)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await daemon.go();
    await daemon.restart();
    await until(id, "finished");
    await until(waiting, "finished");
    expect((await begun()).map((each) => each.id)).toEqual([id, id, waiting]);
    expect(await statesOf(id)).toEqual(["queued", "running", "queued", "running", "finished"]);
  });

  it("kills what does not end in time", async () => {
    const { submit, until, begun } = await start();
    await daemon.behave({ waits: true, ignoresStop: true });
    const { id } = await submit(COMPARE);
    await until(id, "running");
    await expect.poll(begun).toHaveLength(1);
    await daemon.jobs.stop(100);
    const [process] = await begun();
    expect(() => globalThis.process.kill(process?.pid ?? 0, 0)).toThrow();
    expect(daemon.jobs.get(id).state).toBe("running");
  });

  it("holds jobs that were under way where the settings say so, until they are resumed", async () => {
    const { submit, until, begun } = await start({ settings: { at_once: 1 } });
    await daemon.behave({ waits: true, ...COMPARED });
    const { id } = await submit(COMPARE);
    await until(id, "running");
    await daemon.restart({ after_restart: "hold" });
    expect(daemon.jobs.get(id).state).toBe("held");
    await daemon.go();
    await daemon.jobs.resume(id, OWNER);
    await until(id, "finished");
    expect(await begun()).toHaveLength(2);
  });

  it("leaves a paused job paused", async () => {
    const { submit, until, begun } = await start();
    const id = await submitPaused(COMPARE, COMPARED);
    await daemon.restart();
    await daemon.go();
    const { id: writer } = await submit(REPAIR);
    await expect.poll(() => daemon.jobs.get(writer).waitsFor).toContain(`job ${id} is to go on`);
    expect(daemon.jobs.get(id).state).toBe("paused");
    expect(await begun()).toHaveLength(1);
    await daemon.jobs.resume(id, OWNER);
    await until(id, "finished");
    await until(writer, "finished");
  });

  it("forgets no order to cancel", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave({ waits: true, ignoresStop: true });
    const { id } = await submit(COMPARE);
    await until(id, "running");
    await jobs.cancel(id);
    await daemon.jobs.stop(0);
    await daemon.restart();
    await until(id, "cancelled");
  });
});

describe("events", () => {
  it("go on behind the last one that a client has seen, for many clients at once", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave({ waits: true, ...CHECKED });
    const { id } = await submit(CHECK);
    for await (const event of jobs.events(id, 0, AbortSignal.timeout(20_000))) if (event.id === 2) break;
    const followers = Array.from({ length: 200 }, (_, i) => eventsOf(id, i % 3));
    await jobs.pause(id);
    await until(id, "paused");
    await jobs.cancel(id);
    const all = await Promise.all(followers);
    for (const [i, events] of all.entries()) {
      const last = events.at(-1);
      expect(events.map((each) => each.id)).toEqual(events.map((_, at) => at + 1 + (i % 3)));
      expect(last?.event).toMatchObject({ type: "state", job: { state: "cancelled" } });
    }
  });

  it("of an ended job end, also where a crash kept its last one from the disk", async () => {
    const { submit, until, stateDirectory } = await start();
    await daemon.behave(CHECKED);
    const { id } = await submit(CHECK);
    await until(id, "finished");
    const path = join(stateDirectory, "daemon", "jobs", id, "events.jsonl");
    const lines = (await readFile(path, "utf8")).split("\n").slice(0, -2);
    await daemon.jobs.stop(0);
    await writeFile(path, `${lines.join("\n")}\n{"id":3,"ev`);
    await daemon.restart();
    expect(await statesOf(id)).toEqual(["queued", "running", "finished"]);
    expect(await statesOf(id)).toEqual(["queued", "running", "finished"]);
  });

  it("of all jobs are their changes of state", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave(CHECKED);
    const end = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { state } of jobs.changes(end.signal)) seen.push(state);
    })();
    const { id } = await submit(CHECK);
    await until(id, "finished");
    await expect.poll(() => seen).toEqual(["queued", "running", "finished"]);
    end.abort();
    await following;
  });
});

describe("what is kept", () => {
  it("is the latest jobs, and what a kept one was made from", async () => {
    const { submit, until, jobs, stateDirectory } = await start({ settings: { keep_most: 2, at_once: 1 } });
    await daemon.behave(CHECKED);
    const ids = [];
    for (let i = 0; i < 4; i++) {
      const { id } = await submit(CHECK);
      await until(id, "finished");
      ids.push(id);
    }
    await expect
      .poll(() => jobs.list({ limit: 10 }).jobs.map(({ id }) => id), { timeout: 5_000 })
      .toEqual([ids[3], ids[2]]);
    await expect(stat(join(stateDirectory, "daemon", "jobs", ids[0] ?? ""))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is listed page by page, the latest first", async () => {
    const { submit, until, jobs } = await start();
    await daemon.behave(CHECKED);
    const ids = [];
    for (let i = 0; i < 5; i++) ids.unshift((await submit(CHECK)).id);
    for (const id of ids) await until(id, "finished");
    const pages = [];
    let next: string | undefined;
    do {
      const page = jobs.list({ limit: 2, ...(next === undefined ? {} : { cursor: next }) });
      pages.push(page.jobs.map(({ id }) => id));
      next = page.next;
    } while (next !== undefined);
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    expect(() => jobs.list({ limit: 2, cursor: "x" })).toThrowError(/cursor/u);
  });
});
