/** What a schedule does over days, restarts and refusals: its loops are the real ones, its clock is moved by the test. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Fault } from "../../../../src/daemon/fault.js";
import type { Schedules } from "../../../../src/daemon/schedules/schedules.js";
import { scheduleSchema } from "../../../../src/daemon/schema/schedule.js";
import { type Bench, type BenchSettings, runsOf, schedulesBench } from "../../../support/schedules.js";

const START = Date.parse("2026-01-10T00:00:00Z");
const TWO = "2026-01-10T02:00:00.000Z";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let folder: string;
let bench: Bench;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-schedules-"));
  bench = schedulesBench(folder, START);
});
afterEach(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});

async function begin(settings: BenchSettings = { schedules: { nightly: {} } }): Promise<Schedules> {
  const schedules = await bench.open(settings);
  schedules.start();
  return schedules;
}

/** Time passes until then; nothing is due on the way. */
async function until(time: string): Promise<void> {
  const ms = Date.parse(time) - bench.clock.now();
  await idle();
  bench.clock.pass(ms - 1000);
  await idle();
  bench.clock.pass(1000);
  await idle();
}

/** The loops of the schedule and of the webhooks wait for time to pass. */
async function idle(): Promise<void> {
  await expect.poll(() => bench.clock.asleep().length, { interval: 1 }).toBe(2);
}

async function restart(settings?: BenchSettings, downMs = 1000): Promise<Schedules> {
  await bench.close();
  bench.clock.pass(downMs);
  const schedules = await begin(settings);
  await idle();
  return schedules;
}

const nightly = (more: object): BenchSettings => ({ schedules: { nightly: more } });
const asked = () => bench.jobs.submissions.length;
const client = { name: "ann", role: "restore" } as const;

async function finish(id: string, exitStatus = 0, more: object = {}): Promise<void> {
  bench.jobs.move(id, "finished", { result: { exitStatus, verdict: "passed", ...more } });
  await expect
    .poll(() => bench.log.filter(({ text }) => text === "a scheduled run has ended").length)
    .toBeGreaterThan(0);
}

async function outbox(): Promise<{ event: string; text: string }[]> {
  const directory = join(folder, "daemon", "outbox");
  const files = (await readdir(directory)).map((name) => readFile(join(directory, name), "utf8"));
  return (await Promise.all(files)).map((text) => JSON.parse(JSON.parse(text).body));
}

test("a drill is asked for when it is due, with the schedule's name and what its settings say", async () => {
  await begin(nightly({ target: "staging", pick: "random", options: { maxRto: "5m" }, limits: { concurrency: "4" } }));
  await until("2026-01-10T01:59:59Z");
  expect(asked()).toBe(0);
  await until(TWO);
  expect(bench.jobs.submissions).toEqual([
    {
      request: {
        kind: "drill",
        dump: { root: "backups", pick: "random" },
        target: "staging",
        options: { maxRto: "5m" },
        limits: { concurrency: "4" },
      },
      by: { name: "schedule:nightly", role: "restore" },
      schedule: "nightly",
      idempotencyKey: expect.stringMatching(/^schedule:[0-9a-f]{16}$/),
    },
  ]);
});

test("it comes again the next day, and each run ends with its job", async () => {
  const schedules = await begin();
  await until(TWO);
  bench.jobs.move("0000000000000001", "running");
  await finish("0000000000000001", 0, { recoveryMs: 1500, recordsPerSecond: 9 });
  await until("2026-01-11T02:00:00Z");
  expect(runsOf(schedules)).toMatchObject([
    { due: "2026-01-11T02:00:00.000Z", trigger: "due", state: "running", job: "0000000000000002" },
    {
      ...{ due: TWO, state: "ended", outcome: "passed", verdict: "passed", exitStatus: 0, job: "0000000000000001" },
      ...{ recoveryMs: 1500, recordsPerSecond: 9, dump: { root: "backups", path: "newest" } },
    },
  ]);
});

test("the end of a job is seen within a minute where nothing tells of it", async () => {
  bench = schedulesBench(folder, START, { jobs: { ...bench.jobs, changes: async function* () {} } });
  const schedules = await bench.open(nightly({}));
  schedules.start();
  // The loop that follows jobs waits as well.
  const waiting = () => expect.poll(() => bench.clock.asleep().length, { interval: 1 }).toBe(3);
  await waiting();
  bench.clock.pass(2 * HOUR - 1000);
  await waiting();
  bench.clock.pass(1000);
  await expect.poll(() => runsOf(schedules)[0]?.state).toBe("running");
});

test("a run that was due while the daemon was down is made up for, once for all of them", async () => {
  await begin();
  const schedules = await restart(undefined, 3 * DAY + 3 * HOUR);
  expect(runsOf(schedules)).toMatchObject([
    { trigger: "missed", due: "2026-01-13T02:00:00.000Z", since: TWO, state: "running" },
  ]);
  expect(asked()).toBe(1);
  const again = await restart();
  expect([runsOf(again).length, asked()]).toEqual([1, 1]);
});

test("with missed: skip it is left out, and the history says so", async () => {
  await begin(nightly({ missed: "skip" }));
  const schedules = await restart(nightly({ missed: "skip" }), DAY);
  expect(runsOf(schedules)).toMatchObject([
    { trigger: "missed", due: TWO, state: "ended", outcome: "skipped", reason: expect.stringContaining("not running") },
  ]);
  expect(asked()).toBe(0);
  await until("2026-01-11T02:00:00Z");
  expect(asked()).toBe(1);
});

test("a machine that slept through a due time has missed it", async () => {
  const schedules = await begin(nightly({ missed: "skip" }));
  await idle();
  bench.clock.set(Date.parse("2026-01-10T06:00:00Z"));
  bench.clock.pass(MINUTE);
  await idle();
  expect(runsOf(schedules)).toMatchObject([{ outcome: "skipped", due: TWO }]);
});

test("a clock that is set forward a little makes a run begin when the clock says so", async () => {
  const schedules = await begin();
  await idle();
  bench.clock.set(Date.parse("2026-01-10T01:59:30Z"));
  bench.clock.pass(MINUTE);
  await idle();
  expect(runsOf(schedules)).toMatchObject([{ due: TWO, trigger: "due" }]);
});

test("a run that is due while the one before is under way is skipped, one line for several", async () => {
  const schedules = await begin(nightly({ cron: "0 * * * *" }));
  for (const time of ["01", "02", "03", "04"]) await until(`2026-01-10T${time}:00:00Z`);
  expect(asked()).toBe(1);
  expect(runsOf(schedules)).toMatchObject([
    {
      ...{ outcome: "skipped", reason: "the run before was under way" },
      ...{ since: "2026-01-10T02:00:00.000Z", due: "2026-01-10T04:00:00.000Z" },
    },
    { state: "running", due: "2026-01-10T01:00:00.000Z" },
  ]);
  await finish("0000000000000001");
  await until("2026-01-10T05:00:00Z");
  await until("2026-01-10T06:00:00Z");
  expect(runsOf(schedules).map(({ due, outcome }) => [due.slice(11, 13), outcome])).toEqual([
    ["06", "skipped"],
    ["05", undefined],
    ["04", "skipped"],
    ["01", "passed"],
  ]);
});

test("runs that are left out in a row are told once", async () => {
  const settings = nightly({ cron: "0 * * * *", notify: ["ops"] });
  const schedules = await begin({ ...settings, webhooks: { ops: { url: "http://127.0.0.1:1/" } } });
  for (const [at, due] of ["01", "02", "03"].entries()) {
    await until(`2026-01-10T${due}:00:00Z`);
    await expect.poll(() => runsOf(schedules)[0]?.due).toBe(`2026-01-10T${due}:00:00.000Z`);
    const events = async () => (await outbox()).map(({ event }) => event);
    await expect.poll(events).toEqual(at === 0 ? [] : ["run-skipped"]);
  }
  expect(await outbox()).toMatchObject([
    { text: expect.stringContaining("was not run: the run before was under way") },
  ]);
});

test("with overlap: queue it waits for the one before, and only one waits", async () => {
  const settings = nightly({ cron: "0 * * * *", overlap: "queue" });
  const schedules = await begin(settings);
  for (const time of ["01", "02", "03"]) await until(`2026-01-10T${time}:00:00Z`);
  expect(schedules.get("nightly")).toMatchObject({
    current: { due: "2026-01-10T01:00:00.000Z" },
    waiting: { due: "2026-01-10T02:00:00.000Z", state: "waiting" },
  });
  expect(runsOf(schedules)[0]).toMatchObject({ outcome: "skipped", reason: "another run was waiting already" });
  const again = await restart(settings);
  await finish("0000000000000001");
  await expect.poll(() => again.get("nightly").current?.due).toBe("2026-01-10T02:00:00.000Z");
  expect([asked(), again.get("nightly").waiting]).toEqual([2, undefined]);
});

test("jitter delays the run, not the time that it was due", async () => {
  const settings = { ...nightly({ jitter: "40m" }), random: () => 0.5 };
  const schedules = await begin(settings);
  expect(schedules.get("nightly")).toMatchObject({ next: [TWO, ...Array(4).fill(expect.any(String))] });
  expect(schedules.get("nightly").startsAt).toBe("2026-01-10T02:20:00.000Z");
  await until("2026-01-10T02:19:59Z");
  expect(asked()).toBe(0);
  await until("2026-01-10T02:20:00Z");
  expect(runsOf(schedules)).toMatchObject([{ due: TWO, trigger: "due" }]);
});

test("a night on which the time does not exist has its run, and one on which it exists twice has one", async () => {
  const settings = nightly({ cron: "30 2 * * *", timezone: "Europe/Berlin" });
  bench = schedulesBench(folder, Date.parse("2026-03-29T00:00:00Z"));
  const spring = await begin(settings);
  await until("2026-03-29T01:00:00Z");
  expect(runsOf(spring)).toMatchObject([{ due: "2026-03-29T01:00:00.000Z" }]);
  await finish("0000000000000001");
  await bench.close();
  bench = schedulesBench(join(folder, "autumn"), Date.parse("2026-10-25T00:00:00Z"));
  const autumn = await begin(settings);
  await until("2026-10-25T00:30:00Z");
  await finish("0000000000000001");
  await until("2026-10-25T01:30:00Z");
  expect(runsOf(autumn)).toMatchObject([{ due: "2026-10-25T00:30:00.000Z" }]);
});

test("a submission that is refused is a failed run, and is told", async () => {
  const settings = { ...nightly({ notify: ["ops"] }), webhooks: { ops: { url: "http://127.0.0.1:1/" } } };
  const schedules = await begin(settings);
  bench.jobs.failure = new Fault("UNAVAILABLE", "the queue is full", { hint: "Wait." });
  await until("2026-01-10T01:59:59Z");
  bench.clock.pass(1000);
  await expect
    .poll(() => runsOf(schedules)[0])
    .toMatchObject({
      outcome: "refused",
      error: { code: "UNAVAILABLE", message: "the queue is full", hint: "Wait." },
    });
  expect(await outbox()).toMatchObject([{ event: "run-failed", text: expect.stringContaining("the queue is full") }]);
  expect(schedules.get("nightly").lately).toMatchObject({ failed: 1, failingSince: TWO });
});

test("a daemon that is told to end blames no run for it, and the next one asks again", async () => {
  const schedules = await begin();
  const submit = bench.jobs.submit;
  bench.jobs.submit = async () => {
    void schedules.stop();
    throw new Fault("UNAVAILABLE", "the daemon is about to end");
  };
  await until("2026-01-10T01:59:59Z");
  bench.clock.pass(1000);
  await expect.poll(() => bench.clock.asleep().length).toBe(0);
  await bench.close();
  expect(runsOf(schedules)).toMatchObject([{ state: "starting" }]);
  bench.jobs.submit = submit;
  expect(runsOf(await restart())).toMatchObject([{ state: "running", due: TWO }]);
  expect(asked()).toBe(1);
});

test("a run whose job ended while no daemon was there is settled when the next one begins", async () => {
  await begin();
  await until(TWO);
  await bench.close();
  bench.jobs.move("0000000000000001", "finished", { result: { exitStatus: 0, verdict: "passed" } });
  expect(runsOf(await restart())).toMatchObject([{ outcome: "passed", job: "0000000000000001" }]);
});

test.each([
  ["", {}],
  [", also where its options were changed meanwhile", { options: { maxRto: "5m" } }],
])("a daemon that was killed before it knew the job finds it again and makes no second one%s", async (_how, now) => {
  await begin();
  await until(TWO);
  await bench.close();
  const path = join(folder, "daemon", "schedules", "nightly.runs.jsonl");
  const lines = (await readFile(path, "utf8")).split("\n");
  expect(lines.slice(0, -1).map((line) => JSON.parse(line).state)).toEqual(["starting", "running"]);
  await writeFile(path, `${lines[0]}\n`);
  expect(runsOf(await restart(nightly(now)))).toMatchObject([{ state: "running", job: "0000000000000001" }]);
  expect(asked()).toBe(1);
});

test("a daemon that was killed before a due time was handled makes no second run of it", async () => {
  await begin();
  const path = join(folder, "daemon", "schedules", "nightly.json");
  const before = await readFile(path, "utf8");
  await until(TWO);
  await bench.close();
  await writeFile(path, before);
  expect(runsOf(await restart())).toHaveLength(1);
  expect(asked()).toBe(1);
});

test("a due time that cannot be kept as handled has one run, and is tried again after a while", async () => {
  const schedules = await begin();
  await idle();
  const inTheWay = join(folder, "daemon", "schedules", "nightly.json.tmp");
  await mkdir(inTheWay);
  await until(TWO);
  expect(runsOf(schedules)).toMatchObject([{ state: "starting" }]);
  expect(bench.clock.asleep()).toContain(30_000);
  await rm(inTheWay, { recursive: true });
  bench.clock.pass(MINUTE);
  await expect.poll(() => schedules.get("nightly").next[0]).toBe("2026-01-11T02:00:00.000Z");
  expect(runsOf(schedules)).toMatchObject([{ state: "running" }]);
});

test("a run that was asked for while jitter delayed one does not stand for it after a restart", async () => {
  const settings = { ...nightly({ jitter: "40m" }), random: () => 0.5 };
  const schedules = await begin(settings);
  await until("2026-01-10T02:10:00Z");
  await schedules.runNow("nightly", client);
  await finish("0000000000000001");
  await restart(settings);
  await until("2026-01-10T02:20:00Z");
  expect(asked()).toBe(2);
});

test("a run of a time when the clock was far ahead hides none that is missed later", async () => {
  const schedules = await begin();
  await idle();
  bench.clock.set(Date.parse("2035-01-01T03:00:00Z"));
  bench.clock.pass(MINUTE);
  await idle();
  await finish("0000000000000001");
  await idle();
  bench.clock.set(Date.parse("2026-01-10T03:00:00Z"));
  bench.clock.pass(MINUTE);
  await expect.poll(() => schedules.get("nightly").next[0]).toBe("2026-01-11T02:00:00.000Z");
  const again = await restart(undefined, DAY);
  expect(runsOf(again)[0]).toMatchObject({ trigger: "missed", due: "2026-01-11T02:00:00.000Z" });
});

test("stopping waits for a run that was asked for and is being begun", async () => {
  const schedules = await begin();
  const submit = bench.jobs.submit;
  let release = () => {};
  bench.jobs.submit = async (submission) => {
    await new Promise<void>((resolve) => (release = resolve));
    return await submit(submission);
  };
  const run = schedules.runNow("nightly", client);
  await expect.poll(() => runsOf(schedules)[0]?.state).toBe("starting");
  let isStopped = false;
  const stopping = schedules.stop().then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  release();
  await stopping;
  expect(await run).toMatchObject({ state: "running" });
});

test("a message and a run are there after a kill between the two, under the same id", async () => {
  const settings = { ...nightly({ notify: ["ops"] }), webhooks: { ops: { url: "http://127.0.0.1:1/" } } };
  await begin(settings);
  await until(TWO);
  await bench.close();
  bench.jobs.move("0000000000000001", "failed", { error: { code: "OUTAGE", message: "redis is gone" } });
  const path = join(folder, "daemon", "schedules", "nightly.runs.jsonl");
  const before = await readFile(path, "utf8");
  const names = async () => await readdir(join(folder, "daemon", "outbox"));
  const open = async () => {
    const schedules = await begin(settings);
    await expect.poll(() => runsOf(schedules)[0]?.outcome).toBe("failed");
    await bench.close();
    return await names();
  };
  const first = await open();
  await writeFile(path, before);
  expect(await open()).toEqual(first);
  expect(first).toHaveLength(1);
});

test("a run of which nobody knows the job any more has failed", async () => {
  await begin();
  await until(TWO);
  await bench.close();
  bench.jobs.get = (id) => {
    throw new Fault("NOT_FOUND", `there is no job ${id}`);
  };
  expect(runsOf(await restart())).toMatchObject([{ outcome: "failed", error: { code: "NOT_FOUND" } }]);
});

test("a disk that is full delays a run, and makes it once", async () => {
  const schedules = await begin();
  await idle();
  const directory = join(folder, "daemon", "schedules");
  await rm(directory, { recursive: true });
  await until(TWO);
  expect([asked(), runsOf(schedules).length]).toEqual([0, 0]);
  expect(bench.log.at(-1)).toMatchObject({ level: "error", text: "a schedule cannot go on; it is tried again" });
  await mkdir(directory);
  bench.clock.pass(MINUTE);
  await expect.poll(() => runsOf(schedules)[0]?.state).toBe("running");
  expect(asked()).toBe(1);
});

test("what was put off is not put off for longer by a clock that is set back", async () => {
  const schedules = await begin();
  await until(TWO);
  const directory = join(folder, "daemon", "schedules");
  await rename(directory, join(folder, "aside"));
  bench.jobs.move("0000000000000001", "finished", { result: { exitStatus: 0, verdict: "passed" } });
  await expect.poll(() => bench.log.at(-1)?.text).toBe("a schedule cannot go on; it is tried again");
  await rename(join(folder, "aside"), directory);
  bench.clock.set(Date.parse("2026-01-10T01:50:00Z"));
  bench.clock.pass(MINUTE);
  await expect.poll(() => runsOf(schedules)[0]?.outcome).toBe("passed");
});

test("a run can be asked for at once, by whoever may do what it does", async () => {
  const schedules = await begin();
  await expect(schedules.runNow("nightly", { name: "eve", role: "read" })).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await schedules.runNow("nightly", client)).toMatchObject({ trigger: "asked", by: "ann", state: "running" });
  expect(bench.jobs.submissions).toMatchObject([{ by: { name: "ann", role: "restore" }, schedule: "nightly" }]);
  await expect(schedules.runNow("nightly", client)).rejects.toMatchObject({
    code: "CONFLICT",
    hint: "Wait for the job 0000000000000001, or cancel it.",
  });
});

test("a run that is asked for waits where runs may wait", async () => {
  const schedules = await begin(nightly({ overlap: "queue" }));
  await schedules.runNow("nightly", client);
  expect(await schedules.runNow("nightly", client)).toMatchObject({ state: "waiting", by: "ann" });
  await expect(schedules.runNow("nightly", client)).rejects.toMatchObject({ code: "CONFLICT" });
});

test("who asks for a run that is refused is told why, and the history as well", async () => {
  const schedules = await begin();
  bench.jobs.failure = new Fault("UNPROCESSABLE", "no dump stands there");
  await expect(schedules.runNow("nightly", client)).rejects.toBe(bench.jobs.failure);
  expect(runsOf(schedules)).toMatchObject([{ trigger: "asked", outcome: "refused" }]);
});

test("a run that is asked for does not stand for the one that is due", async () => {
  const schedules = await begin();
  await schedules.runNow("nightly", client);
  await finish("0000000000000001");
  await until(TWO);
  expect(asked()).toBe(2);
});

test("nothing is begun before they are started, nor after they were stopped", async () => {
  const schedules = await bench.open(nightly({}));
  await expect(schedules.runNow("nightly", client)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  schedules.start();
  await schedules.stop();
  await expect(schedules.runNow("nightly", client)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  bench.clock.pass(DAY);
  expect([asked(), bench.clock.asleep()]).toEqual([0, []]);
});

test("what is answered is what the schema says", async () => {
  const schedules = await begin({ schedules: { nightly: { overlap: "queue", jitter: "1m", target: "t" }, other: {} } });
  await schedules.runNow("nightly", client);
  await schedules.runNow("nightly", client);
  for (const view of schedules.list()) expect(scheduleSchema.parse(view)).toEqual(view);
  expect(schedules.list().map(({ name, next }) => [name, next])).toEqual([
    ["nightly", [TWO]],
    ["other", [TWO]],
  ]);
  expect(schedules.get("other").next).toHaveLength(5);
});

test("a schedule that is not there is told with those that are", async () => {
  const schedules = await begin();
  expect(() => schedules.get("nightyl")).toThrow(
    expect.objectContaining({ code: "NOT_FOUND", hint: "There are: nightly." }),
  );
});

test("runs are listed by pages, and a cursor of none is refused", async () => {
  const schedules = await begin();
  bench.jobs.failure = new Fault("UNAVAILABLE", "full");
  for (let times = 0; times < 5; times++) await schedules.runNow("nightly", client).catch(() => undefined);
  const all = runsOf(schedules).map(({ id }) => id);
  const pages: string[][] = [];
  for (let cursor: string | undefined, page = 0; page < 3; page++) {
    const { runs, next } = schedules.runs("nightly", { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(runs.map(({ id }) => id));
    cursor = next;
  }
  expect(pages).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
  expect(schedules.runs("nightly", { limit: 5 }).next).toBeUndefined();
  expect(() => schedules.runs("nightly", { limit: 5, cursor: "x" })).toThrow(
    expect.objectContaining({ code: "BAD_REQUEST" }),
  );
});

test("a schedule whose dumps take long to be looked through holds up no other", async () => {
  const submit = bench.jobs.submit;
  let release = () => {};
  bench.jobs.submit = async (submission) => {
    if (submission.schedule === "slow") await new Promise<void>((resolve) => (release = resolve));
    return await submit(submission);
  };
  const schedules = await begin({ schedules: { slow: { cron: "0 1 * * *" }, nightly: {} } });
  await expect.poll(() => bench.clock.asleep().length).toBe(3);
  for (const ms of [HOUR, HOUR - 1000, 1000]) {
    bench.clock.pass(ms);
    await expect.poll(() => bench.clock.asleep().length).toBe(2);
  }
  expect(runsOf(schedules, "slow")).toMatchObject([{ state: "starting" }]);
  expect(runsOf(schedules)).toMatchObject([{ state: "running" }]);
  release();
  await expect.poll(() => runsOf(schedules, "slow")[0]?.state).toBe("running");
});
