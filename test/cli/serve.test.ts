/** `serve`: what is found before anything is started, where it listens, and its end. */
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../../src/cli/commands/serve.js";
import type { JobsInit } from "../../src/daemon/jobs/jobs.js";
import { Interruption } from "../../src/errors/interruption.js";
import { fakeJobs } from "../support/fake-jobs.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-serve-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ENV = { TOKEN: "a-token-of-enough-chars", NOTIFY_SOCKET: "", AWS_PROFILE: "p" };

function serving(config: string, more: { readonly check?: boolean } = {}) {
  const [stdout, stderr, ending] = [new PassThrough(), new PassThrough(), new AbortController()];
  const places: JobsInit[] = [];
  const text = { stdout: "", stderr: "" };
  stdout.on("data", (chunk: Buffer) => (text.stdout += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => (text.stderr += chunk.toString()));
  const io = {
    env: { ...ENV, XDG_STATE_HOME: folder },
    pid: process.pid,
    isAlive: () => true,
    cwd: folder,
    program: { module: "/bin/true", nodeArguments: [] },
    stdout,
    stderr,
    signal: ending.signal,
  };
  const run = async () => {
    await writeFile(join(folder, "config.yaml"), config);
    return await serve({ config: "config.yaml", ...more }, io, async (place) => {
      places.push(place);
      return { ...fakeJobs(), start: async () => undefined, stop: async () => undefined };
    });
  };
  return { status: run(), text, places, end: () => ending.abort(new Interruption(143)) };
}

async function refusal(config: string): Promise<{ code: string; message: string; where: unknown }> {
  const { status } = serving(config);
  return await status.then(
    () => expect.fail("it was started"),
    (error: unknown) => error as { code: string; message: string; where: unknown },
  );
}

describe("a configuration with a mistake", () => {
  it.each([
    ["daemon:\n  jobs:\n    at_once: 0\n", 3, /daemon\.jobs\.at_once: too small/],
    ["daemon:\n  roots:\n    a: .\n  colour: red\n", 4, /daemon\.colour: nothing of this name/],
    ["daemon:\n  roots:\n    a: /nowhere\n", 3, /daemon\.roots\.a: \/nowhere is not there/],
    [
      "daemon:\n  tokens:\n    - name: x\n      role: read\n      env: NONE\n",
      3,
      /daemon\.tokens\.0: the variable NONE/,
    ],
    [
      "targets:\n  staging: { redis: { url: 'redis://h' } }\ndaemon:\n  roots: { a: . }\n  schedules:\n    nightly:\n      kind: drill\n      cron: 0 3 * * *\n      root: a\n      target: stagin\n",
      10,
      /daemon\.schedules\.nightly\.target: no target is called "stagin"; there are: staging/,
    ],
    ["targets:\n  t:\n    redis: { uri: x }\ndaemon: {}\n", 3, /targets\.t\.redis\.u/],
    ["daemon:\n  roots: [\n", 3, /line \d/],
  ])("%j is refused with its line", async (config, line, what) => {
    const error = await refusal(config);
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(join(folder, "config.yaml"));
    expect(error.message).toMatch(what);
    expect(error.message).toContain(`line ${line}`);
  });

  it("is told with all its mistakes, in the order of the file", async () => {
    const { message } = await refusal("daemon:\n  socket: false\n  roots:\n    a: /nowhere\n    b: /nowhere\n");
    expect(message.match(/line \d/g)).toEqual(["line 2", "line 4", "line 5"]);
  });

  it("has no daemon in it", async () => {
    expect((await refusal("targets: {}\n")).message).toContain("has no section `daemon:`");
  });
});

it("--check tells that the configuration is in order, and starts nothing", async () => {
  const { status, text, places } = serving("daemon: { roots: { a: . } }\n", { check: true });
  expect(await status).toBe(0);
  expect(text.stdout).toBe(`${join(folder, "config.yaml")} is in order\n`);
  expect(places).toEqual([]);
  await expect(stat(join(folder, "elastickv-restore"))).rejects.toMatchObject({ code: "ENOENT" });
});

it("a port in use is refused with the line that names it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => other.once("listening", listening));
  const { port } = other.address() as { port: number };
  const tokens = "  tokens:\n    - { name: a, role: read, env: TOKEN }\n";
  const { code, message } = await refusal(`daemon:\n${tokens}  listen:\n    port: ${port}\n`);
  expect([code, message]).toEqual([
    "CONFIG_INVALID",
    expect.stringMatching(
      /line 4: daemon\.listen: cannot listen on 127\.0\.0\.1, port \d+: another process listens there/,
    ),
  ]);
  other.close();
});

it("it says where it listens, hands jobs no tokens, and ends with 0 when it is told to", async () => {
  const config = "targets:\n  t: { s3: { endpoint: aws } }\ndaemon:\n  tokens: [{ name: a, role: read, env: TOKEN }]\n";
  const { status, text, places, end } = serving(config);
  const socket = join(folder, "elastickv-restore", "daemon.sock");
  await expect.poll(() => text.stdout).toBe(`listening on unix:${socket}\n`);
  expect(places[0]?.program.env).toEqual({ AWS_PROFILE: "p", XDG_STATE_HOME: folder });
  expect(places[0]).toMatchObject({ config: join(folder, "config.yaml"), targets: ["t"], roots: {} });
  expect(places[0]?.endpointsOf("t")).toEqual(["aws s3 "]);
  end();
  expect(await status).toBe(0);
  await expect(stat(socket)).rejects.toMatchObject({ code: "ENOENT" });
  const lines = text.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { message: string });
  expect(lines.at(-1)).toMatchObject({ level: "info", message: "ended" });
});
