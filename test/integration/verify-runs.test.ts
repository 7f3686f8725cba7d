/**
 * Comparisons as runs: sampled, reported, retried, interrupted and taken up again, of targets in use, and behind a
 * restore. On a Redis alone: what is compared how is `verify.test.ts`.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { reportSchema } from "../../src/run/report.js";
import { verificationSchema } from "../../src/run/verify/report.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { told } from "../support/damages/damage.js";
import { runVerify, verification } from "../support/damages/verifications.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

const RECORDS = 2_000;
const KEYS = Array.from({ length: RECORDS }, (_, i) => `k${String(i).padStart(4, "0")}`);
const [FIRST = "", LAST = ""] = [KEYS[0], KEYS.at(-1)];

let server: RunningServer;
let client: Redis;
let monitor: Redis;
let processes: CliProcesses;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint, 0);
  monitor = await client.monitor();
  processes = await cliProcesses();
  const strings = KEYS.map((key) => [`redis/db_0/strings/${key}.bin`, `value of ${key}`]);
  dump = await temporaryDump({ files: Object.fromEntries(strings) as Record<string, string> });
}, 300_000);

afterAll(async () => {
  monitor?.disconnect();
  client?.disconnect();
  await Promise.all([server?.stop(), dump?.remove(), processes?.remove()]);
});

/** As it was restored. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-verify-runs-"));
  await client.flushall();
  await client.mset(Object.fromEntries(KEYS.map((key) => [key, `value of ${key}`])));
});

afterEach(async () => {
  monitor.removeAllListeners("monitor");
  await rm(folder, { recursive: true, force: true });
});

const target = () => ["--redis-url", server.endpoint];
const state = () => ["--state-dir", join(folder, "state")];
const verify = (...more: string[]) => verification([dump.path, ...target(), ...more]);
const parsed = (text: string) => JSON.parse(text) as unknown;

/**
 * Calls with each command that Redis is sent after this has resolved; `TYPE` is asked once for each key that is
 * compared. What a monitor tells comes late, from an earlier test as well: it counts behind a mark of our own.
 */
async function onCommand(react: (name: string, key: string) => void): Promise<void> {
  const mark = randomUUID();
  let isMarked = false;
  monitor.on("monitor", (_time: string, [name = "", key = ""]: string[]) => {
    if (isMarked) react(name.toUpperCase(), key);
    isMarked ||= key === mark;
  });
  await client.echo(mark);
}

/** Keys that are compared from now on. */
async function comparedKeys(): Promise<Set<string>> {
  const keys = new Set<string>();
  await onCommand((name, key) => {
    if (name === "TYPE") keys.add(key);
  });
  return keys;
}

/** What was found once; once more for what is looked at again. */
async function damage(): Promise<string[]> {
  await client.set(FIRST, "another");
  await client.del(LAST);
  await client.set("stranger", "1");
  return ['redis:db_0 "stranger" extra', `redis:db_0 "${FIRST}" value`, `redis:db_0 "${LAST}" missing`].sort();
}

describe("a comparison that is interrupted", () => {
  /** So that it can be met in the middle. */
  const slow = ["--rate-limit", "400ops/s", "--concurrency", "1"];

  async function checkpoint(): Promise<{ begun: Record<string, { compared: number; suspects: number }> } | undefined> {
    const comparisons = join(folder, "state", "comparisons");
    const [id] = await readdir(comparisons).catch(() => []);
    if (id === undefined) return undefined;
    const text = await readFile(join(comparisons, id, "checkpoint.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (parsed(text) as Awaited<ReturnType<typeof checkpoint>>);
  }

  it("says how to go on, and then compares the rest only, and still knows what differed before", async () => {
    const found = await damage();
    const interruption = new AbortController();
    let asked = 0;
    await onCommand((name) => {
      if (name === "TYPE" && ++asked === 1_500) interruption.abort();
    });
    const argv = [dump.path, ...target(), ...state()];
    const stopped = await runVerify([...argv, ...slow], {}, { signal: interruption.signal });
    expect(stopped.status, stopped.stderr).toBe(130);
    expect(stopped.report).toBeUndefined();
    expect(stopped.stderr).toContain("--resume");
    monitor.removeAllListeners("monitor");
    const compared = (await checkpoint())?.begun["redis:db_0"]?.compared ?? 0;
    expect(compared).toBeGreaterThan(0);
    expect(compared).toBeLessThan(RECORDS);

    const keys = await comparedKeys();
    const { report, status, stderr } = await runVerify([...argv, "--resume"], {});
    expect(status, stderr).toBe(6);
    expect(told(report ?? { differences: [] })).toEqual(found);
    expect(report?.standings).toMatchObject({ equal: RECORDS - 2, missing: 1, differing: 1 });
    // The rest, and what differed before.
    expect(keys.size).toBe(RECORDS - compared + 1);
    expect(keys).toContain(FIRST);
    expect(await checkpoint()).toBeUndefined();
  });

  it("goes on also where its process was killed", async () => {
    const found = await damage();
    const argv = ["verify", dump.path, ...target(), ...state(), "--progress", "none", "--look-again-after", "50ms"];
    const { child, ended } = processes.start([...argv, "--rate-limit", "170ops/s", "--concurrency", "1"]);
    try {
      await expect.poll(checkpoint, { timeout: 50_000, interval: 50 }).toBeDefined();
    } finally {
      child.kill("SIGKILL");
    }
    expect(await ended).toBe("SIGKILL");
    const compared = (await checkpoint())?.begun["redis:db_0"]?.compared ?? 0;
    expect(compared).toBeGreaterThan(0);
    const keys = await comparedKeys();
    const { report, status, stderr } = await runVerify([...argv.slice(1), "--resume"], {});
    expect(status, stderr).toBe(6);
    expect(told(report ?? { differences: [] })).toEqual(found);
    expect(keys.size).toBe(RECORDS - compared + 1);
  }, 120_000);

  it("is not taken up by other demands, nor where none was stopped", async () => {
    const argv = ["verify", dump.path, ...target(), ...state(), "--resume"];
    expect(await runCli(argv)).toMatchObject({ status: 2, stderr: expect.stringContaining("Leave --resume out") });
  });
});

describe("a repair that is interrupted", () => {
  it("is a job that is taken up, and then nothing differs", async () => {
    await client.flushall();
    const interruption = new AbortController();
    let written = 0;
    await onCommand((name) => {
      if (name === "SET" && ++written === 200) interruption.abort();
    });
    const argv = [dump.path, ...target(), ...state(), "--repair", "--concurrency", "1", "--rate-limit", "1000ops/s"];
    const { status, stderr, report } = await runVerify(argv, {}, { signal: interruption.signal });
    expect(status, stderr).toBe(130);
    expect(report).toBeUndefined();
    expect(stderr).toContain("the repair was stopped");
    expect(await client.dbsize()).toBeLessThan(RECORDS);
    const resumed = await runCli(["resume", ...state(), "--progress", "none"]);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(await verify()).toMatchObject({ exitStatus: 0, standings: { equal: RECORDS } });
  });
});

describe("a target in use", () => {
  it("raises no alarm for keys that come and go", async () => {
    let isOver = false;
    const writer = (async () => {
      for (let i = 0; !isOver; i++) {
        await client
          .multi()
          .set(`session-${i}`, "1")
          .del(`session-${i - 3}`)
          .exec();
      }
    })();
    try {
      const { exitStatus, differences, standings } = await verify();
      expect(differences).toEqual([]);
      expect({ exitStatus, equal: standings.equal }).toEqual({ exitStatus: 0, equal: RECORDS });
    } finally {
      isOver = true;
      await writer;
    }
  });

  it("raises none for a value that was changed and changed back before the second look", async () => {
    await client.set(FIRST, "for a moment");
    await client.del(LAST);
    const seen = await comparedKeys();
    await onCommand((name) => {
      if (name !== "SCAN" || !seen.has(LAST)) return;
      void client.mset(FIRST, `value of ${FIRST}`, LAST, `value of ${LAST}`);
    });
    const { report, stdout } = await runVerify([dump.path, ...target(), "--look-again-after", "1s"]);
    expect(report?.differences).toEqual([]);
    expect(report?.scopes[0]?.settled).toBe(2);
    expect(stdout).toContain("2 records differed at first and no more when looked at again");
  });

  it("is called different at the first look where one look is asked for, and that is said", async () => {
    await client.set(FIRST, "for a moment");
    const { differences, stdout } = await verify("--looks", "1");
    expect(told({ differences })).toEqual([`redis:db_0 "${FIRST}" value`]);
    expect(stdout).toContain("looked at once");
  });
});

describe("a sample", () => {
  it("is of the share that was asked for, the same for the same seed, and tells what it did not look for", async () => {
    await client.set("stranger", "1");
    const sampled = async (...more: string[]) => {
      const keys = await comparedKeys();
      const report = await verify("--sample", "10%", ...more);
      monitor.removeAllListeners("monitor");
      return { keys: [...keys].sort(), report };
    };
    const [one, again] = [await sampled("--sample-seed", "s"), await sampled("--sample-seed", "s")];
    const other = await sampled("--sample-seed", "t");
    const { standings, records, scopes, sample, exitStatus, stdout } = one.report;
    expect({ records, sample, exitStatus }).toEqual({
      records: RECORDS,
      sample: { share: 0.1, seed: "s" },
      exitStatus: 0,
    });
    expect(standings).toMatchObject({ equal: one.keys.length, "not-compared": RECORDS - one.keys.length });
    expect(one.keys.length).toBeGreaterThan(RECORDS * 0.06);
    expect(one.keys.length).toBeLessThan(RECORDS * 0.14);
    expect(again.keys).toEqual(one.keys);
    expect(other.keys).not.toEqual(one.keys);
    expect(scopes[0]?.notListed).toBe("only a sample is compared");
    expect(stdout).toContain("A sample of 10%, chosen by the seed s.");
  });
});

describe("the report", () => {
  it("is on standard output with --json what it is in the file, and in both by its schema", async () => {
    const found = await damage();
    const path = join(folder, "comparison.json");
    const argv = ["verify", dump.path, ...target(), "--json", "--report", path, "--look-again-after", "0s"];
    const { status, stdout } = await runCli(argv);
    expect(status).toBe(6);
    const report = verificationSchema.parse(parsed(stdout));
    expect(parsed(await readFile(path, "utf8"))).toEqual(parsed(stdout));
    expect(told(report)).toEqual(found);
    expect(report).toMatchObject({ exitStatus: 6, records: RECORDS, extra: 1, differenceCount: 3 });
    const lines = (await readFile(report.differencesFile ?? "", "utf8")).trim().split("\n");
    expect(told({ differences: lines.map((line) => parsed(line)) as typeof report.differences })).toEqual(found);
  });

  it("for people names every difference with its place", async () => {
    await damage();
    const path = join(folder, "comparison.html");
    const { status } = await runCli(["verify", dump.path, ...target(), "--report", path, "--look-again-after", "0s"]);
    expect(status).toBe(6);
    const html = await readFile(path, "utf8");
    for (const word of ["<html", "stranger", FIRST, LAST, "missing", "extra"]) expect(html).toContain(word);
  });

  it("is retried: what is missing or differs is restored, and nothing else", async () => {
    await damage();
    const path = join(folder, "comparison.json");
    await runCli(["verify", dump.path, ...target(), ...state(), "--report", path, "--look-again-after", "0s"]);
    const again = join(folder, "again.json");
    const argv = ["retry", path, ...target(), ...state(), "--progress", "none", "--report", again];
    const { status, stderr } = await runCli(argv);
    expect(status, stderr).toBe(0);
    const report = reportSchema.parse(parsed(await readFile(again, "utf8")));
    expect(report).toMatchObject({ recordsRead: 2, totals: { restored: 2 }, retryOf: path });
    expect(told(await verify())).toEqual(['redis:db_0 "stranger" extra']);
  });

  it("holds the first differences where there are very many; all stand in the file beside it, and are mended", async () => {
    await client.flushall();
    const path = join(folder, "comparison.json");
    await runCli(["verify", dump.path, ...target(), ...state(), "--report", path, "--look-again-after", "0s"]);
    const report = verificationSchema.parse(parsed(await readFile(path, "utf8")));
    expect(report).toMatchObject({ differenceCount: RECORDS, standings: { missing: RECORDS } });
    expect(report.differences).toHaveLength(1_000);
    const lines = (await readFile(join(folder, "comparison.differences.jsonl"), "utf8")).trim().split("\n");
    expect(lines).toHaveLength(RECORDS);
    const repaired = await verify("--repair");
    expect(repaired).toMatchObject({ exitStatus: 0, standings: { equal: RECORDS } });
  });

  it("that lists nothing which a restore mends is not retried", async () => {
    await client.set("stranger", "1");
    const path = join(folder, "comparison.json");
    await runCli(["verify", dump.path, ...target(), ...state(), "--report", path, "--look-again-after", "0s"]);
    const { status, stderr } = await runCli(["retry", path, ...target(), ...state()]);
    expect(status).toBe(2);
    expect(stderr).toContain("names no record of the dump that is missing or differs");
  });
});

describe("a dump with records that cannot be read", () => {
  it("ends a comparison with status 3, and one that finds differences as well", async () => {
    const faulty = await temporaryDump({
      files: { "redis/db_0/strings/k.bin": "v", "redis/db_0/sets/bad.json": "no JSON" },
    });
    try {
      await client.flushall();
      await client.set("k", "v");
      // What may be the record that cannot be read is nothing that the dump lacks.
      await client.sadd("bad", "x");
      const verified = await verification([faulty.path, ...target()]);
      expect(verified).toMatchObject({ exitStatus: 3, differences: [], standings: { equal: 1, malformed: 1 } });
      await client.set("k", "w");
      expect(await verification([faulty.path, ...target()])).toMatchObject({ exitStatus: 3, differenceCount: 1 });
    } finally {
      await faulty.remove();
    }
  });
});

describe("apply --verify", () => {
  const apply = (...more: string[]) =>
    runCli(["apply", dump.path, ...target(), "--verify", "--json", "--progress", "none", ...more]);

  it("compares what it restored, and tells both in one report", async () => {
    await client.flushall();
    const { status, stdout, stderr } = await apply();
    expect(status, stderr).toBe(0);
    const { verification: compared, totals } = reportSchema.parse(parsed(stdout));
    expect(totals.restored).toBe(RECORDS);
    expect(compared).toMatchObject({ exitStatus: 0, differenceCount: 0, standings: { equal: RECORDS } });
  });

  it("ends with status 6 where the target is not what was restored", async () => {
    await client.flushall();
    let isLost = false;
    await onCommand((name, key) => {
      if (isLost || name === "TYPE" || !/^k0/u.test(key)) return;
      isLost = true;
      void client.del(FIRST).then(() => client.set("stranger", "1"));
    });
    const { status, stdout, stderr } = await apply("--concurrency", "1", "--rate-limit", "1500ops/s");
    expect(status, stderr).toBe(6);
    const { verification: compared } = reportSchema.parse(parsed(stdout));
    expect(told(compared ?? { differences: [] })).toContain('redis:db_0 "stranger" extra');
  });

  it("tells what it restored also where it was interrupted while it compared", async () => {
    await client.flushall();
    const interruption = new AbortController();
    await onCommand((name) => {
      if (name === "GETRANGE") interruption.abort();
    });
    const path = join(folder, "report.json");
    const argv = ["apply", dump.path, ...target(), "--verify", "--progress", "none", "--report", path];
    const { status, stderr, stdout } = await runCli(argv, {}, { signal: interruption.signal });
    expect(status, stderr).toBe(130);
    expect(stderr).toContain("what was restored was not compared");
    expect(stdout).toContain(`${RECORDS.toLocaleString("en")} restored`);
    const report = reportSchema.parse(parsed(await readFile(path, "utf8")));
    expect(report).toMatchObject({ exitStatus: 0, totals: { restored: RECORDS } });
    expect(report.verification).toBeUndefined();
  });

  it("passes over what was not restored, with its reason told", async () => {
    await client.flushall();
    await client.set(FIRST, "theirs");
    const { status, stdout, stderr } = await apply("--mode", "skip-existing");
    expect(status, stderr).toBe(0);
    const { verification: compared, totals } = reportSchema.parse(parsed(stdout));
    expect(totals).toMatchObject({ restored: RECORDS - 1, "skipped-existing": 1 });
    expect(compared?.standings).toMatchObject({ equal: RECORDS - 1, "not-compared": 1 });
    expect(await client.get(FIRST)).toBe("theirs");
  });
});
