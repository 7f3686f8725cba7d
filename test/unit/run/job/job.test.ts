import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Job, type JobInit, openJob } from "../../../../src/run/job/job.js";
import { readEnd } from "../../../../src/run/job/job-end.js";
import { jobIds, readJob } from "../../../../src/run/job/job-file.js";
import { listJobs } from "../../../../src/run/job/jobs.js";
import { identity, type JobHolder, jobInit, startJobHolder } from "../../../support/jobs.js";
import { CREATED } from "../../../support/memory-journal.js";
import { tableScope } from "../../../support/records.js";

const FIRST = "0123456789abcdef";
const SECOND = "fedcba9876543210";

let root: string;
let state: string;
const opened: Job[] = [];
const holders: JobHolder[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "elastickv-restore-jobs-"));
  state = join(root, "a", "state");
});
afterEach(async () => {
  for (const job of opened.splice(0)) await job.release();
  for (const holder of holders.splice(0)) await holder.kill();
  rmSync(root, { recursive: true });
});

async function open(more: Partial<JobInit> = {}): Promise<Job> {
  const job = await openJob({ ...jobInit(state), ...more });
  opened.push(job);
  return job;
}

/** A job that came as far as its first scope, and whose process is gone. */
async function left(more: Partial<JobInit> = {}): Promise<string> {
  const job = await open(more);
  await job.journal.admit(tableScope(), CREATED);
  await job.journal.close();
  await job.release();
  return job.id;
}

async function hold(id: string, target?: string): Promise<JobHolder> {
  const holder = await startJobHolder(state, id, target);
  holders.push(holder);
  return holder;
}

const byId = (id: string, rebindTarget = false) => ({ take: { id, rebindTarget }, newId: SECOND });
const differing = (more: Parameters<typeof identity>[1]) => ({
  identity: identity("orders", { endpoints: { dynamodb: `http://${state}` }, ...more }),
});
const journalOf = (id: string) => join(state, "jobs", id, "journal-00000001.log");

describe("a job that is begun", () => {
  it("is written down for its owner alone", async () => {
    const job = await open();
    expect(job).toMatchObject({ id: FIRST, isResumed: false, startedAt: 1_700_000_000_000 });
    expect(await jobIds(state)).toEqual([FIRST]);
    expect(await readJob(state, FIRST)).toMatchObject({
      id: FIRST,
      cwd: "/work",
      words: ["/dumps/one", "--mode", "merge"],
    });
    await job.journal.close();
  });

  it("is refused while the same one is unfinished, which is named", async () => {
    await left();
    await expect(open({ newId: SECOND })).rejects.toMatchObject({
      code: "JOB_UNFINISHED",
      message: expect.stringContaining(`2023-11-14T22:13:20.000Z and is unfinished (job ${FIRST})`) as string,
      hint: expect.stringContaining("--resume") as string,
    });
    expect(await jobIds(state)).toEqual([FIRST]);
  });

  it("is another one beside an unfinished one that differs, and after one that came to its end", async () => {
    await left();
    const other = await open({ newId: SECOND, ...differing({ mode: "replace" }) });
    expect(other).toMatchObject({ id: SECOND, isResumed: false });
    await other.journal.close();
    await other.release();
    const first = await open(byId(FIRST));
    await first.journal.close();
    await first.end("{}\n");
    await first.release();
    expect(await readEnd(state, FIRST)).toBe("{}\n");
    expect(await open({ newId: "1".repeat(16) })).toMatchObject({ id: "1".repeat(16), isResumed: false });
  });

  it("takes the place of one whose process ended before anything was begun, under the id that it was given", async () => {
    const job = await open();
    await job.journal.close();
    await job.release();
    for (const [take, newId] of [
      ["begin", SECOND],
      ["same", FIRST],
    ] as const) {
      const again = await open({ newId, take });
      expect(again).toMatchObject({ id: newId, isResumed: false });
      expect(readdirSync(join(state, "jobs"))).toEqual([newId]);
      await again.journal.close();
      await again.release();
    }
  });

  it("leaves nothing once it is forgotten", async () => {
    const job = await open();
    await job.forget();
    expect(readdirSync(join(state, "jobs"))).toEqual([]);
  });

  it("does not mind jobs that cannot be read", async () => {
    mkdirSync(join(state, "jobs", "0".repeat(16)), { recursive: true, mode: 0o700 });
    writeFileSync(join(state, "jobs", "0".repeat(16), "job.json"), "{");
    await expect(open({ take: "same" })).resolves.toMatchObject({ id: FIRST });
  });
});

describe("a job that is taken up", () => {
  it.each([
    ["as the same", { take: "same" as const, newId: SECOND }],
    ["by its id", byId(FIRST)],
  ])("%s goes on with its journal", async (_, take) => {
    await left();
    const job = await open(take);
    expect(job).toMatchObject({ id: FIRST, isResumed: true, startedAt: 1_700_000_000_000 });
    expect(job.journal.recovered(tableScope())).toMatchObject({ phase: "admitted" });
    await job.journal.close();
  });

  it("is begun where there is none the same", async () => {
    const job = await open({ take: "same" });
    expect(job).toMatchObject({ id: FIRST, isResumed: false });
    await job.journal.close();
  });

  it("by an unknown id is refused", async () => {
    await expect(open(byId(SECOND))).rejects.toMatchObject({
      code: "JOB_UNKNOWN",
      message: `there is no job ${SECOND} in ${state}`,
    });
  });

  it("otherwise than it was begun is refused with every difference", async () => {
    await left();
    const other = differing({ mode: "replace", options: {}, include: ["a*", "b"], targets: [] });
    await expect(open({ ...byId(FIRST), ...other })).rejects.toMatchObject({
      code: "JOB_DIFFERS",
      message:
        `job ${FIRST} was begun otherwise: --mode was merge and is replace; --ttl-policy was preserve and is not there; ` +
        "target of dynamodb:orders was orders and is not there; --include was not there and is a*, b",
      hint: "Take it up as it was begun, or begin another job.",
    });
  });

  it("at another endpoint needs --rebind-target, and stays there then", async () => {
    await left();
    const moved = differing({ endpoints: { dynamodb: "http://elsewhere" } });
    await expect(open({ ...byId(FIRST), ...moved })).rejects.toMatchObject({
      code: "JOB_DIFFERS",
      hint: expect.stringContaining("--rebind-target") as string,
    });
    const job = await open({ ...byId(FIRST, true), ...moved });
    await job.journal.close();
    await job.release();
    expect((await readJob(state, FIRST))?.identity.endpoints).toEqual({ dynamodb: "http://elsewhere" });
    await expect(open({ ...byId(FIRST, true), ...moved, ...differing({ mode: "replace" }) })).rejects.toMatchObject({
      code: "JOB_DIFFERS",
    });
  });

  it("by a newer version's file, or a damaged one, is refused by its name", async () => {
    await left();
    const path = join(state, "jobs", FIRST, "job.json");
    for (const text of [readFileSync(path, "utf8").replace('"jobVersion": 1', '"jobVersion": 2'), "{"]) {
      writeFileSync(path, text);
      await expect(open(byId(FIRST))).rejects.toMatchObject({
        code: "JOURNAL_INVALID",
        message: expect.stringContaining(path) as string,
      });
    }
  });

  it("with a damaged journal is refused, nothing is changed, and its locks are free again", async () => {
    await left();
    const path = journalOf(FIRST);
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged[40] = 0xff;
    writeFileSync(path, damaged);
    await expect(open(byId(FIRST))).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      message: expect.stringContaining(`${path} is damaged at byte 34`) as string,
    });
    expect(readFileSync(path)).toEqual(damaged);
    writeFileSync(path, whole);
    const job = await open(byId(FIRST));
    await job.journal.close();
  });
});

describe("a job that another process has", () => {
  it("is refused with the holder's id, also where the targets alone are the same, and free once it was killed", async () => {
    const holder = await hold(FIRST);
    expect(holder.answer).toBe("held");
    const who = `is being restored by job ${FIRST} (process ${holder.process.pid})`;
    await expect(open({ take: "same" })).rejects.toMatchObject({ code: "JOB_HELD", message: `job ${FIRST} ${who}` });
    const sameTarget = differing({ mode: "replace" });
    await expect(open({ newId: SECOND, ...sameTarget })).rejects.toMatchObject({
      code: "JOB_HELD",
      message: `dynamodb:orders on http://${state} ${who}`,
    });
    expect(await jobIds(state)).toEqual([FIRST]);
    await holder.kill();
    const job = await open({ take: "same" });
    expect(job.id).toBe(FIRST);
    await job.journal.close();
  });

  it("is not bound to another endpoint meanwhile", async () => {
    await left();
    const job = await open(byId(FIRST));
    const moved = differing({ endpoints: { dynamodb: "http://elsewhere" } });
    await expect(open({ ...byId(FIRST, true), ...moved })).rejects.toMatchObject({ code: "JOB_HELD" });
    expect((await readJob(state, FIRST))?.identity.endpoints).toEqual({ dynamodb: `http://${state}` });
    await job.journal.close();
  });

  it("is had by exactly one of those who come at once", async () => {
    const ids = ["a", "b", "c"].map((digit) => digit.repeat(16));
    const all = await Promise.all(ids.map((id) => hold(id)));
    const answers = all.map(({ answer }) => answer).sort();
    expect(answers).toEqual(["JOB_HELD", "JOB_HELD", "held"]);
    // Another target is nobody's.
    expect((await hold("d".repeat(16), "users")).answer).toBe("held");
  }, 30_000);

  it("keeps nothing that it got, when it does not get all", async () => {
    const first = await open();
    const wanted = differing({
      targets: [
        { adapter: "dynamodb", scope: "users", target: "users" },
        { adapter: "dynamodb", scope: "orders", target: "orders" },
      ],
    });
    await expect(open({ newId: SECOND, ...wanted })).rejects.toMatchObject({ code: "JOB_HELD" });
    await first.journal.close();
    await first.release();
    await first.release();
    const job = await open({ newId: SECOND, ...wanted });
    await job.journal.close();
  });
});

describe("a state directory", () => {
  const isRoot = process.getuid?.() === 0;

  it("is made where it is missing, for its owner alone", async () => {
    const job = await open();
    await job.journal.close();
    expect(existsSync(job.directory)).toBe(true);
  });

  it("is refused when others may write into it", async () => {
    mkdirSync(state, { recursive: true });
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(state, mode);
      await expect(open()).rejects.toMatchObject({
        code: "LOCAL_IO",
        message: `cannot use the state directory ${state}: others may write into it`,
        hint: "Name another place with --state-dir.",
      });
    }
  });

  it.skipIf(!isRoot)("is refused when it belongs to somebody else", async () => {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    chownSync(state, 12_345, 12_345);
    await expect(open()).rejects.toThrow(/it belongs to another user/);
  });

  it("is refused when it is a file", async () => {
    mkdirSync(join(root, "a"));
    writeFileSync(state, "");
    await expect(open()).rejects.toMatchObject({ code: "LOCAL_IO", hint: "Name another place with --state-dir." });
  });
});

it("a folder whose process was killed before it wrote down its job is no job, and one that lost it is damaged", async () => {
  const folders = ["0", "1", "2"].map((digit) => join(state, "jobs", digit.repeat(16)));
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folders[1] ?? "", "job.json.tmp"), "{");
  writeFileSync(join(folders[2] ?? "", "journal-00000001.log"), "");
  expect(await jobIds(state)).toEqual(["2".repeat(16)]);
  expect(await listJobs({ stateDirectory: state, isAlive: () => true })).toMatchObject([{ state: "damaged" }]);
});
