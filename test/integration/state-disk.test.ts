/** A state directory that fills up: nothing more is sent, and once there is room the job ends as if nothing had happened. */
import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";

import { readFileJournal } from "../../src/run/journal/file-journal.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { commandIn } from "../support/built-command.js";
import { type DumpFile, temporaryDump } from "../support/dump-builder.js";
import { failWith } from "../support/recorded-disk.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli, runCliWithReport } from "../support/run-cli.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../support/recorded-disk.js");
  return recorded(await original());
});

const KEYS = 1200;
/** Keys that no restore takes: they are listed. */
const REFUSED = 30;

/** A dump of whose files the journal says more than a catalogue does. */
const LIMITED = { keys: 20, refused: 150 };
/** Two batches. */
const PLAIN = { keys: 600, refused: 0 };

let server: RunningServer;
let client: ReturnType<typeof onlooker>;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let limited: typeof dump;
let plain: typeof dump;
let folder: string;
let isMounted = false;

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint, 0);
  [dump, limited, plain] = await Promise.all([
    dumpOf({ keys: KEYS, refused: REFUSED }),
    dumpOf(LIMITED),
    dumpOf(PLAIN),
  ]);
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await Promise.all([server?.stop(), dump?.remove(), limited?.remove(), plain?.remove()]);
});

beforeEach(async () => {
  await client.flushall();
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-disk-"));
  isMounted = mountSmallDisk(join(folder, "state"));
});

afterEach(async () => {
  failWith(undefined);
  if (isMounted) execFileSync("umount", [join(folder, "state")]);
  await rm(folder, { recursive: true, force: true });
});

async function dumpOf({ keys, refused }: { readonly keys: number; readonly refused: number }) {
  const good = Array.from({ length: keys }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `v${i}`] as const);
  const odd = { format_version: 9, fields: {} };
  const bad = Array.from({ length: refused }, (_, i) => [`redis/db_0/hashes/h${i}.json`, odd] as const);
  return await temporaryDump({ files: Object.fromEntries<DumpFile>([...good, ...bad]) });
}

function mountSmallDisk(path: string): boolean {
  mkdirSync(path, { mode: 0o700 });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=0700", "none", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Takes all the room that is left. */
function fill(path: string): void {
  const file = openSync(path, "a");
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file);
  }
}

const arguments_ = ({ path } = dump) => [path, "--redis-url", `${server.endpoint}/0`, "--adapter", "redis"];
const jobIn = (text: string) => /elastickv-restore resume ([0-9a-f]{16})/.exec(text)?.[1] ?? "";

/** Every key that is on the target was announced: nothing was sent that the journal does not know of. */
async function expectNothingUnannounced(state: string, job: string): Promise<void> {
  const scope = (await readFileJournal(join(state, "jobs", job))).get("redis:db_0");
  expect(await client.dbsize()).toBeLessThanOrEqual((scope?.tally.totals.restored ?? 0) + (scope?.open ?? 0));
}

async function expectResumed(state: string, job: string, { keys, refused } = { keys: KEYS, refused: REFUSED }) {
  const { status, report, stderr } = await runCliWithReport(["resume", job, "--state-dir", state]);
  expect(status, stderr).toBe(refused === 0 ? 0 : 3);
  expect(report?.totals).toMatchObject({ restored: keys, failed: 0 });
  expect(report?.recordsRead).toBe(keys + refused);
  expect(report?.listed ?? []).toHaveLength(refused);
  expect(new Set(report?.listed.map(({ path }) => path)).size).toBe(refused);
  expect(await client.dbsize()).toBe(keys);
  expect(await client.get(`k${keys - 1}`)).toBe(`v${keys - 1}`);
}

it("that is full stops the sending, and the job is taken up when there is room", async ({ skip }) => {
  skip(!isMounted, "no file system can be mounted here");
  const state = join(folder, "state");
  const onStderr = (text: string) => {
    // Everything was checked, and nothing has been written.
    if (text.includes("on the target")) fill(join(state, "ballast"));
  };
  const { status, stderr } = await runCli(["apply", ...arguments_(), "--state-dir", state], {}, { onStderr });
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/cannot write the journal in .*: ENOSPC/);
  expect(stderr).toContain("--state-dir");
  expect(await client.dbsize()).toBeLessThan(KEYS);
  await expectNothingUnannounced(state, jobIn(stderr));
  const again = await runCli(["resume", jobIn(stderr), "--state-dir", state]);
  expect(again.status, again.stderr).toBe(1);
  expect(again.stderr).toContain("ENOSPC");
  rmSync(join(state, "ballast"));
  await expectResumed(state, jobIn(stderr));
});

it.each([2, 3, 4, 5, 6, 7, 8])(
  "that fails from its %s. write on stops the sending: what was sent was announced, and the rest comes later",
  async (first) => {
    const state = join(folder, "state");
    let writes = 0;
    failWith((operation, path) => {
      if (operation !== "write" || !path.endsWith(".log")) return;
      writes++;
      if (writes >= first) throw Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" });
    });
    const { status, stderr } = await runCli(["apply", ...arguments_(plain), "--state-dir", state]);
    failWith(undefined);
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/cannot write the journal in .*: EIO/);
    await expectNothingUnannounced(state, jobIn(stderr));
    await expectResumed(state, jobIn(stderr), PLAIN);
  },
);

it("that cannot take the report at the end leaves the job, which is taken up and has nothing left to write", async () => {
  const state = join(folder, "state");
  failWith((operation, path) => {
    if (operation === "write" && path.includes("report.json"))
      throw new Error("ENOSPC: no space left on device, write");
  });
  const { status, stderr } = await runCli(["apply", ...arguments_(plain), "--state-dir", state]);
  failWith(undefined);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/cannot write into .*: ENOSPC/);
  expect(await client.dbsize()).toBe(PLAIN.keys);
  const [job = ""] = readdirSync(join(state, "jobs"));
  await expectResumed(state, job, PLAIN);
});

it("that is full before the first write refuses the restore, and nothing is written", async ({ skip }) => {
  skip(!isMounted, "no file system can be mounted here");
  const state = join(folder, "state");
  mkdirSync(join(state, "jobs"), { mode: 0o700 });
  fill(join(state, "ballast"));
  const { status, stderr } = await runCli(["apply", ...arguments_(), "--state-dir", state]);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/ENOSPC/);
  expect(stderr).toContain("--state-dir");
  expect(await client.dbsize()).toBe(0);
});

it("that is read-only refuses the restore, and nothing is written", async ({ skip }) => {
  skip(!isMounted, "no file system can be mounted here");
  const state = join(folder, "state");
  mkdirSync(join(state, "jobs"), { mode: 0o700 });
  execFileSync("mount", ["-o", "remount,ro", state]);
  const { status, stderr } = await runCli(["apply", ...arguments_(), "--state-dir", state]);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/EROFS/);
  expect(stderr).toContain("--state-dir");
  expect(await client.dbsize()).toBe(0);
});

it("a limit on the size of files stops the sending, and does not kill the process", async () => {
  const state = join(folder, "state");
  const argv = ["apply", ...arguments_(limited), "--state-dir", state, "--progress", "none"];
  const node = [process.execPath, await commandIn(folder), ...argv];
  const { status, stderr } = await bash('ulimit -f 24; exec "$@"', node);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/cannot write the journal in .*: EFBIG/);
  await expectNothingUnannounced(state, jobIn(stderr));
  await expectResumed(state, jobIn(stderr), LIMITED);
});

async function bash(script: string, words: readonly string[]) {
  const child = spawn("bash", ["-c", script, "bash", ...words], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  return { status, stderr };
}
