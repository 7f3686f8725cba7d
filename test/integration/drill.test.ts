/** Drills in sandboxes: real servers, started by the drill and gone with it. */
import { existsSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { processIdentity } from "../../src/cli/drill-processes.js";
import { cliProcesses } from "../support/cli-process.js";
import { type DrillResult, Drills, when } from "../support/drills.js";
import { MANIFEST, temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { freshDump } from "../support/fresh-dump.js";

let drills: Drills;
const removers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  // Sandboxes start servers of their own, whatever the tests run on.
  for (const name of ["REDIS_URL", "DYNAMODB_ENDPOINT", "S3_ENDPOINT", "SQS_ENDPOINT"]) {
    vi.stubEnv(`ELASTICKV_RESTORE_TEST_${name}`, "");
  }
  drills = await Drills.make(CLI_ENVIRONMENT);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const remove of removers.splice(0)) await remove();
  await drills.remove();
});

/** Nine keys, slow enough to be met on their way with `SLOWLY`; one of them lived an hour longer than the dump. */
async function keysDump(): Promise<string> {
  const files = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`redis/db_0/strings/key-${i}.bin`, `value ${i}`]),
  );
  const expire_at_ms = Date.parse(MANIFEST.wall_time_iso) + 3_600_000;
  const session = { format_version: 1, fields: [{ name: "user", value: "7" }], expire_at_ms };
  const dump = await temporaryDump({ files: { ...files, "redis/db_0/hashes/session.json": session } });
  removers.push(dump.remove);
  return dump.path;
}

const SLOWLY = ["--rate-limit", "2ops/s"];

describe("a drill in a sandbox", () => {
  it("restores, proves and measures the gallery on servers of its own, and leaves evidence alone", async () => {
    const dump = await freshDump("gallery");
    removers.push(dump.remove);
    const assertions = await drills.assertions([
      { kind: "count", scope: "dynamodb:orders", exact: 106 },
      { kind: "count", scope: "sqs:orders-events.fifo", of: "held", exact: 40 },
      { kind: "count", scope: "s3:photos", of: "held", min: 30, max: 30 },
      { kind: "record", scope: "redis:0", key: "日本", type: "string" },
      { kind: "record", scope: "redis:0", key: "no such key", absent: "true" },
    ]);
    let pids: number[] = [];
    const onStderr = when("comparing the target", () => {
      pids = drills.open(drills.ids()[0] ?? "")?.servers.map(({ started }) => started.process) ?? [];
    });
    const words = [dump.path, "--assertions", assertions, "--max-rto", "10m", "--max-rpo", "10000d"];
    const { status, report, stdout } = await drills.run(words, { onStderr });
    expect(stdout).toContain("The drill passed");
    expect(status).toBe(0);
    expect(report).toMatchObject({
      verdict: "passed",
      failures: [],
      objectives: { recoveryTime: { met: true }, recoveryPoint: { met: true } },
      cleanUp: { left: [] },
    });
    expect(report?.assertions.map(({ outcome }) => outcome)).toEqual(Array(5).fill("passed"));
    expect(report?.target.servers.map(({ adapter, how }) => `${adapter} ${how}`)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^redis (native|docker)$/)]),
    );
    expect(report?.verification?.standings.equal).toBe(report?.restore?.totals.restored);
    expect(report?.adapters.map(({ adapter }) => adapter)).toEqual(["dynamodb", "s3", "redis", "sqs"]);
    expect(report?.times.firstRecordMs).toBeLessThan(report?.times.restoreMs ?? 0);
    const id = report?.drill ?? "";
    expect(drills.open(id)).toBeUndefined();
    expect(existsSync(join(drills.folder, id, "work"))).toBe(false);
    expect(pids).toHaveLength(4);
    for (const pid of pids) expect(await processIdentity(pid)).toBeUndefined();
    const history = await drills.run(["--history"]);
    expect(history.status).toBe(0);
    expect(history.stdout).toContain(id);
  }, 180_000);

  it("fails for a missed objective and for assertions that do not hold, and says which", async () => {
    const assertions = await drills.assertions([
      { kind: "count", scope: "redis:0", exact: 8 },
      { kind: "record", scope: "redis:0", key: "session", field: "user", equals: "7" },
      { kind: "record", scope: "redis:0", key: "key-3", equals: "another value" },
      { kind: "record", scope: "redis:0", key: "key-4", equals: "value 4" },
      { kind: "record", scope: "redis:0", key: "key-99" },
      {
        kind: "command",
        name: "asks the sandbox",
        run: [process.execPath, "-e", 'console.log(process.env.REDIS_URL, "hunter2secret"); process.exit(3)'],
      },
    ]);
    const secret = await Drills.make({ ...CLI_ENVIRONMENT, SHOP_PASSWORD: "hunter2secret" });
    removers.push(() => secret.remove());
    const { status, report } = await secret.run([await keysDump(), "--assertions", assertions, "--max-rto", "1ms"]);
    expect(status).toBe(6);
    expect(report?.verdict).toBe("failed");
    expect(report?.assertions.map(({ outcome, detail = "" }) => [outcome, detail])).toEqual([
      ["failed", "9 were restored, not 8"],
      ["passed", ""],
      ["failed", "its value is another one than the expected"],
      ["passed", ""],
      ["failed", "the dump holds no such record"],
      ["failed", "it ended with status 3"],
    ]);
    const output = report?.assertions[5]?.output ?? "";
    expect(output).toMatch(/^redis:\/\/127\.0\.0\.1:\d+ \[redacted\]/);
    expect(report?.failures).toContain("the restore took longer than --max-rto allows");
    expect(report?.verification?.standings.equal).toBe(9);
  });

  it("ends with 4 for a dump that is corrupt, keeps that as evidence, and leaves nothing", async () => {
    const dump = await keysDump();
    const backups = join(drills.state, "backups");
    await cp(dump, join(backups, "2026/newest"), { recursive: true });
    await writeFile(join(backups, "2026/newest/redis/db_0/strings/key-2.bin"), "tampered");
    const { status, report, stdout } = await drills.run([backups, "--pick", "newest"]);
    expect(status).toBe(4);
    expect(report?.dump.picked).toMatchObject({
      how: "newest",
      root: backups,
      from: [{ takenAt: MANIFEST.wall_time_iso }],
    });
    expect(report).toMatchObject({ verdict: "bad-dump", error: { code: "CHECKSUM_MISMATCH" }, cleanUp: { left: [] } });
    expect(stdout).toContain("this dump cannot be restored from");
    expect(drills.open(report?.drill ?? "")).toBeUndefined();
    expect(await readFile(drills.historyPath, "utf8")).toContain('"verdict":"bad-dump"');
  });

  it("ends at once when one of its servers is killed, and says what happened", async () => {
    const onStderr = when("restoring", () => {
      const server = drills.open(drills.ids()[0] ?? "")?.servers[0];
      if (server !== undefined) process.kill(server.started.process, "SIGKILL");
    });
    const { status, report, stdout } = await drills.run([await keysDump(), ...SLOWLY], { onStderr });
    expect(status).toBe(1);
    expect(report).toMatchObject({ verdict: "stopped", error: { code: "OUTAGE" }, cleanUp: { left: [] } });
    expect(stdout).toMatch(/the sandbox's redis [\d.]+ ended while the drill ran: the process ended with SIGKILL/);
    expect(drills.open(report?.drill ?? "")).toBeUndefined();
  });

  it.each(["restoring", "checking what", "comparing the target", "running"])(
    "stops when it is interrupted while %s, and takes its servers with it",
    async (step) => {
      const interruption = new AbortController();
      let pid = 0;
      const assertions = await drills.assertions([
        { kind: "count", scope: "redis:0", of: "held", min: 1 },
        { kind: "command", run: ["sleep", "30"] },
      ]);
      const onStderr = when(step, () => {
        pid = drills.open(drills.ids()[0] ?? "")?.servers[0]?.started.process ?? 0;
        interruption.abort();
      });
      const words = [await keysDump(), "--assertions", assertions];
      const { status, report } = await drills.run(words, { signal: interruption.signal, onStderr });
      expect(status).toBe(130);
      expect(report).toMatchObject({ verdict: "interrupted", cleanUp: { left: [] } });
      expect(pid).toBeGreaterThan(0);
      expect(await processIdentity(pid)).toBeUndefined();
    },
  );

  it("is left alone by --clean while it runs, and takes names of its own where its servers need them", async () => {
    const files = { "redis/db_16/strings/k.bin": "v" };
    const dump = await temporaryDump({ files });
    removers.push(dump.remove);
    let cleaned: Promise<DrillResult> | undefined;
    const onStderr = when("restoring", () => {
      cleaned = drills.run(["--clean"]);
    });
    const { status, report } = await drills.run([dump.path], { onStderr });
    expect((await cleaned)?.stdout).toBe(`drill ${report?.drill}: it runs, and is left alone\n`);
    expect(report?.warnings).toContain("redis:db_16 is restored as db_15: the sandbox does not take its name");
    expect(report?.restore?.totals.restored).toBe(1);
    expect(status).toBe(0);
  });

  it("that is killed is cleaned up after by the next one", async () => {
    const processes = await cliProcesses();
    removers.push(() => processes.remove());
    const { child, said, ended } = processes.start(["drill", await keysDump(), ...SLOWLY], drills.env);
    await vi.waitUntil(() => said.stderr.includes("restoring"), 30_000);
    const [id = ""] = drills.ids();
    const pid = drills.open(id)?.servers[0]?.started.process ?? 0;
    child.kill("SIGKILL");
    await ended;
    const listed = await drills.run(["--clean"]);
    expect(listed.stdout).toContain(`drill ${id}: it had ended without removing what it made`);
    expect(listed.status).toBe(0);
    expect(pid).toBeGreaterThan(0);
    expect(await processIdentity(pid)).toBeUndefined();
    expect(existsSync(join(drills.folder, id, "work"))).toBe(false);
    expect((await drills.run(["--clean"])).stdout).toBe("No drill left anything behind.\n");
  });
});
