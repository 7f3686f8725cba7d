/** The command line as a process of its own: what signals do to it, and errors that nobody catches. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { startRespServer } from "../support/resp-server.js";

const PROCESS = join(import.meta.dirname, "../../src/cli/process.ts");
const CODE = `import { runProcess } from ${JSON.stringify(PROCESS)}; await runProcess();`;
const TSX = import.meta.resolve("tsx");

let server: RunningServer;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;

beforeAll(async () => {
  server = await startRedis();
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-process-"));
  await writeFile(join(folder, "main.mjs"), CODE);
  const keys = Array.from({ length: 400 }, (_, i) => [`redis/db_0/strings/k${i}.bin`, "ours"] as const);
  dump = await temporaryDump({ files: Object.fromEntries(keys) });
}, 300_000);

afterAll(async () => {
  await Promise.all([server?.stop(), dump?.remove(), rm(folder, { recursive: true, force: true })]);
});

/** The sources, not a build, with an environment of its own. */
function start(...argv: readonly string[]) {
  return startIn(process.env["TMPDIR"], ...argv);
}

function startIn(temporary: string | undefined, ...argv: readonly string[]) {
  const node = ["--import", TSX, join(folder, "main.mjs"), ...argv];
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: temporary };
  const child = spawn(process.execPath, node, { env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  return { child, said, ended };
}

it("a signal lets what is under way end: SIGINT ends a restore with 130, SIGTERM with 143", async () => {
  const runs = (
    [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const
  ).map(async ([signal, status], database) => {
    const client = onlooker(server.endpoint, database);
    const argv = ["--redis-url", `${server.endpoint}/${database}`, "--rate-limit", "20ops/s"];
    const { child, said, ended } = start("apply", dump.path, ...argv);
    try {
      let isKilled = false;
      const tooEarly = ended.then((end) => {
        if (!isKilled) throw new Error(`ended with ${end}: ${said.stderr}`);
      });
      const written = expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
      await Promise.race([written, tooEarly]);
      isKilled = child.kill(signal);
      expect(await ended, said.stderr).toBe(status);
      expect(said.stderr).toContain("interrupted: waiting for what is under way");
      expect(said.stderr).toContain("What was restored stays.");
      expect(said.stdout).toMatch(/redis:db_0/u);
      expect(await client.dbsize()).toBeLessThan(400);
    } finally {
      child.kill("SIGKILL");
      client.disconnect();
    }
  });
  await Promise.all(runs);
});

it("a run that is killed leaves one folder of temporary files, which the next run removes with its own", async () => {
  const temporary = join(folder, "temporary");
  await mkdir(temporary);
  const left = async () => (await readdir(temporary)).filter((name) => name.startsWith("elastickv-restore-"));
  const client = onlooker(server.endpoint, 2);
  const slowly = ["--redis-url", `${server.endpoint}/2`, "--rate-limit", "20ops/s"];
  const { child, said, ended } = startIn(temporary, "apply", dump.path, ...slowly);
  try {
    await expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    child.kill("SIGKILL");
    expect(await ended, said.stderr).toBe("SIGKILL");
    expect(await left()).toHaveLength(1);
    expect(await startIn(temporary, "verify", dump.path).ended).toBe(0);
    expect(await left()).toEqual([]);
  } finally {
    child.kill("SIGKILL");
    client.disconnect();
  }
});

it("an error that a library throws where nobody can catch it ends the run with 1 and a message, not with a trace", async () => {
  const hostile = await startRespServer(() => "*-5\r\n$-7\r\n");
  const { child, said, ended } = start("apply", dump.path, "--redis-url", `redis://127.0.0.1:${hostile.port}`);
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
