/** Replace deletes, so it asks who sits before it: what may be typed, and what each answer does. */
import { PassThrough } from "node:stream";

import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

let server: RunningServer;
let redis: Redis;
let dump: Awaited<ReturnType<typeof temporaryDump>>;

beforeAll(async () => {
  server = await startRedis();
  redis = onlooker(server.endpoint);
  dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "ours" } });
}, 300_000);

afterAll(async () => {
  redis?.disconnect();
  await Promise.all([server?.stop(), dump?.remove()]);
});

beforeEach(async () => {
  await redis.flushall();
  await redis.set("stranger", "theirs");
});

const argv = () => ["apply", dump.path, "--redis-url", server.endpoint, "--mode", "replace"];

/** Types `answer` once the question stands there. */
async function answering(answer: (stdin: PassThrough) => void, signal?: AbortSignal) {
  const stdin = new PassThrough();
  let asked = 0;
  const onStderr = (text: string) => {
    if (text.includes('Type "replace" to go on') && asked++ === 0) answer(stdin);
  };
  const result = await runCli(argv(), {}, { stdin, onStderr, ...(signal === undefined ? {} : { signal }) });
  return { ...result, asked };
}

describe("replace asks before it deletes", () => {
  it("names what it would empty, and goes on when the word is typed", async () => {
    const { status, stderr, asked } = await answering((stdin) => stdin.write("replace\n"));
    expect(status, stderr).toBe(0);
    expect(asked).toBeGreaterThan(0);
    expect(stderr).toContain("This deletes what redis:db_0 holds.");
    expect(await redis.keys("*")).toEqual(["k"]);
  });

  it.each(["yes", "", "replace it"])("deletes nothing at the answer %j", async (answer) => {
    const { status, asked } = await answering((stdin) => stdin.write(`${answer}\n`));
    expect(status).toBe(5);
    expect(asked).toBeGreaterThan(0);
    expect(await redis.keys("*")).toEqual(["stranger"]);
  });

  it.each([
    ["the end of input", 5, (stdin: PassThrough) => stdin.write("\u0004")],
    ["a terminal that goes away", 5, (stdin: PassThrough) => stdin.end()],
    ["an interrupting key", 130, (stdin: PassThrough) => stdin.write("\u0003")],
  ])("deletes nothing at %s, and ends with %i", async (_what, expected, act) => {
    const { status, stderr, asked } = await answering(act);
    expect(status, stderr).toBe(expected);
    expect(asked).toBeGreaterThan(0);
    expect(await redis.keys("*")).toEqual(["stranger"]);
  });

  it("deletes nothing when it is interrupted instead", async () => {
    const interruption = new AbortController();
    const { status, asked } = await answering(() => interruption.abort(), interruption.signal);
    expect(status).toBe(130);
    expect(asked).toBeGreaterThan(0);
    expect(await redis.keys("*")).toEqual(["stranger"]);
  });

  it("asks nobody where --yes was said or nothing would be deleted", async () => {
    const silent = { stdin: new PassThrough() };
    expect((await runCli([...argv(), "--yes"], {}, silent)).stderr).not.toContain("Type");
    await redis.flushall();
    const { status, stderr } = await runCli(argv(), {}, silent);
    expect(status).toBe(0);
    expect(stderr).not.toContain("Type");
  });
});
