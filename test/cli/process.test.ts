/** The command line as a process of its own: what signals do to it, and errors that nobody catches. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { startRespServer } from "../support/resp-server.js";

let server: RunningServer;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let processes: CliProcesses;

beforeAll(async () => {
  server = await startRedis();
  processes = await cliProcesses();
  const keys = Array.from({ length: 400 }, (_, i) => [`redis/db_0/strings/k${i}.bin`, "ours"] as const);
  dump = await temporaryDump({ files: Object.fromEntries(keys) });
}, 300_000);

afterAll(async () => {
  await Promise.all([server?.stop(), dump?.remove(), processes?.remove()]);
});

interface Running {
  readonly database: number;
  readonly endpoint?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A slow restore into a database of its own, in which something stands by now. */
async function running({ database, endpoint = server.endpoint, env = {} }: Running, ...argv: string[]) {
  const client = onlooker(endpoint, database);
  const target = ["--redis-url", `${endpoint}/${database}`, "--rate-limit", "20ops/s", "--concurrency", "1"];
  const started: CliProcess = processes.start(["apply", dump.path, ...target, ...argv], env);
  const { said, ended } = started;
  try {
    const tooEarly = ended.then((end) => {
      throw new Error(`ended with ${end}: ${said.stderr}`);
    });
    tooEarly.catch(() => undefined);
    const written = expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    await Promise.race([written, tooEarly]);
    return started;
  } catch (error) {
    started.child.kill("SIGKILL");
    throw error;
  } finally {
    client.disconnect();
  }
}

it.concurrent.for([
  ["SIGINT", 130, 0],
  ["SIGTERM", 143, 1],
] as const)(
  "%s lets what is under way end: status %i, also in the report",
  async ([signal, status, database], { expect }) => {
    const report = join(dump.path, "..", `${signal}-${process.pid}.json`);
    const { child, said, ended } = await running({ database }, "--report", report);
    child.kill(signal);
    expect(await ended, said.stderr).toBe(status);
    expect(said.stderr).toMatch(
      /What was restored stays\. To go on where it was: elastickv-restore resume [0-9a-f]{16}\n/u,
    );
    expect(said.stdout).toMatch(/redis:db_0/u);
    expect(JSON.parse(await readFile(report, "utf8"))).toMatchObject({ status: "stopped", exitStatus: status });
  },
);

it.concurrent("a second signal ends it at once, and says how to go on", async ({ expect }) => {
  // A server that answers nothing: what is under way cannot end.
  const hanging = await startRedis();
  const client = onlooker(hanging.endpoint);
  try {
    const { child, said, ended } = await running({ database: 0, endpoint: hanging.endpoint });
    await client.call("CLIENT", "PAUSE", "60000", "WRITE");
    const before = said.stderr.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGINT");
    await expect
      .poll(() => said.stderr.slice(before), { timeout: 30_000, interval: 5 })
      .toContain("interrupted: waiting");
    child.kill("SIGINT");
    expect(await ended, said.stderr).toBe(130);
    expect(said.stderr).toMatch(
      /ended at once; a restore that has begun is taken up again by: elastickv-restore resume\n$/u,
    );
    expect(said.stdout).toBe("");
  } finally {
    client.disconnect();
    await hanging.stop();
  }
});

it("a run that is killed leaves one folder of temporary files, which the next run removes with its own", async () => {
  const temporary = await mkdtemp(join(tmpdir(), "elastickv-killed-"));
  const left = async () => (await readdir(temporary)).filter((name) => name.startsWith("elastickv-restore-"));
  const env = { TMPDIR: temporary };
  try {
    const { child, said, ended } = await running({ database: 3, env });
    child.kill("SIGKILL");
    expect(await ended, said.stderr).toBe("SIGKILL");
    expect(await left()).toHaveLength(1);
    expect(await processes.start(["verify", dump.path], env).ended).toBe(0);
    expect(await left()).toEqual([]);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});

it("an error that a library throws where nobody can catch it ends the run with 1 and a message, not with a trace", async () => {
  const hostile = await startRespServer(() => "*-5\r\n$-7\r\n");
  const argv = ["apply", dump.path, "--redis-url", `redis://127.0.0.1:${hostile.port}`];
  const { child, said, ended } = processes.start(argv);
  try {
    expect(await ended, said.stderr).toBe(1);
    expect(said.stderr).toMatch(/^error: the run was stopped by an unexpected error: /mu);
    expect(said.stderr).toContain("What was restored stays.");
    expect(said.stderr).not.toMatch(/\n\s+at |node:internal|Node\.js v/u);
  } finally {
    child.kill("SIGKILL");
    await hostile.stop();
  }
});
