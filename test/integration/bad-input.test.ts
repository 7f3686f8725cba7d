/** What stops a restore before its first write: the status, a message that says what, where and what next, no trace. */
import { linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { type FreshDump, freshDump, reseal } from "../support/fresh-dump.js";
import { dynamoDbState } from "../support/readback/verify-dynamodb.js";
import { redisState } from "../support/readback/verify-redis.js";
import { s3State } from "../support/readback/verify-s3.js";
import { queueDepths } from "../support/readback/verify-sqs.js";
import { runCli } from "../support/run-cli.js";

let servers: FourServers;
let dump: FreshDump;

beforeAll(async () => {
  servers = await startFourServers();
}, 600_000);
afterAll(async () => {
  await servers?.stop();
});
beforeEach(async () => {
  dump = await freshDump("design");
});
afterEach(async () => {
  await dump.remove();
});

const at = (path: string) => join(dump.path, path);
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(at(path), change(readFileSync(at(path), "utf8")));
const apply = (...more: string[]) =>
  runCli(["apply", dump.path, ...servers.options, "--progress", "none", ...more], CLI_ENVIRONMENT);

/** Everything that the four servers hold, by name. */
async function traces(): Promise<string[]> {
  return [
    ...(await redisState(servers.redis.endpoint)).keys(),
    ...(await dynamoDbState(servers.dynamodb.endpoint)).keys(),
    ...(await s3State(servers.s3)).keys(),
    ...(await queueDepths(servers.sqs)).keys(),
  ];
}

async function refused(
  run: ReturnType<typeof runCli>,
  status: number,
  ...says: readonly (string | RegExp)[]
): Promise<void> {
  const result = await run;
  expect(result.status, result.stderr).toBe(status);
  for (const word of says) expect(result.stderr).toMatch(word);
  expect(result.stderr).not.toMatch(/\n\s+at /u);
  expect(result.stdout).toBe("");
  expect(await traces()).toEqual([]);
}

describe("a dump that is not whole is refused with nothing written", () => {
  it("where there is no dump", () => refused(runCli(["apply", at("missing"), ...servers.options]), 4, "missing"));

  it("where MANIFEST.json is missing: a dump that was never finished", async () => {
    rmSync(at("MANIFEST.json"));
    reseal(dump.path);
    await refused(apply(), 4, "MANIFEST.json");
  });

  it("where the format is newer than this build reads", async () => {
    edit("MANIFEST.json", (text) => text.replace('"format_version": 1', '"format_version": 2'));
    reseal(dump.path);
    await refused(apply(), 4, "format version 2", "version 1", "newer elastickv-restore");
  });

  it("where something follows the manifest", async () => {
    edit("MANIFEST.json", (text) => `${text}{}`);
    reseal(dump.path);
    await refused(apply(), 4, "MANIFEST.json");
  });

  it("where a byte was flipped", async () => {
    const body = readFileSync(at("s3/exports/video/clip.mp4"));
    body[5_000_000] = (body[5_000_000] ?? 0) ^ 1;
    writeFileSync(at("s3/exports/video/clip.mp4"), body);
    await refused(apply(), 4, "s3/exports/video/clip.mp4", "reseal");
  });

  it("where a listed file is missing", async () => {
    rmSync(at("redis/db_3/lists/other%3Aqueue%3Ajobs.json"));
    await refused(apply(), 4, "redis/db_3/lists/other%3Aqueue%3Ajobs.json");
  });

  it("where a file is not listed", async () => {
    writeFileSync(at("redis/db_0/strings/smuggled.bin"), "x");
    await refused(apply(), 4, "redis/db_0/strings/smuggled.bin", "reseal");
  });

  it("where CHECKSUMS is missing", async () => {
    rmSync(at("CHECKSUMS"));
    await refused(apply(), 4, "CHECKSUMS");
  });

  it("where CHECKSUMS leads out of the dump", async () => {
    edit("CHECKSUMS", (text) => `${text}${"0".repeat(64)}  ../outside\n`);
    await refused(apply(), 4, "CHECKSUMS:", "`..`");
  });

  it("where a symbolic link leads out of the dump", async () => {
    symlinkSync("/etc/hostname", at("s3/media/link"));
    await refused(apply(), 4, "s3/media/link", /symbolic link/u);
  });

  it("where one file has two names", async () => {
    linkSync(at("s3/media/empty"), at("s3/media/twin"));
    reseal(dump.path);
    await refused(apply(), 4, /s3\/media\/(twin|empty)/u, /link/u);
  });

  it("where a table's key is not told", async () => {
    edit("dynamodb/sessions/_schema.json", (text) => text.replace('"hash_key"', '"hash"'));
    reseal(dump.path);
    await refused(apply(), 4, "dynamodb/sessions/_schema.json");
  });

  it("where a sidecar lost its body", async () => {
    rmSync(at("s3/media/path/to/obj"));
    reseal(dump.path);
    await refused(apply(), 4, "s3/media/path/to/obj");
  });

  it("where the manifest lists a scope that the tree lacks", async () => {
    edit("MANIFEST.json", (text) => text.replace('"telemetry"', '"telemetrics"'));
    reseal(dump.path);
    await refused(apply(), 4, "telemetr");
  });
});

describe("a command line that cannot be meant is refused with nothing written", () => {
  it("where an adapter of the dump has no endpoint", async () => {
    const options = servers.options.slice(0, -2);
    await refused(runCli(["apply", dump.path, ...options], CLI_ENVIRONMENT), 2, "--sqs-endpoint");
  });

  it("where an option does not exist", () => refused(apply("--mod", "merge"), 2, "mod"));

  it("where a mode does not exist", () => refused(apply("--mode", "overwrite"), 2, "mode", "merge"));

  it("where a scope is not in the dump, with the name that was meant", () =>
    refused(apply("--scope", "dynamodb=invoice"), 2, "invoice", "invoices"));

  it("where a secret stands where every user can read it", async () => {
    const options = servers.options.map((option) => option.replace("redis://", "redis://:hunter2@"));
    const run = await runCli(["apply", dump.path, ...options], CLI_ENVIRONMENT);
    expect(run.stderr + run.stdout).not.toContain("hunter2");
    expect(run.status, run.stderr).toBe(2);
    expect(await traces()).toEqual([]);
  });
});

describe("a target that is not fit is refused with nothing written", () => {
  it("where it does not answer", async () => {
    const options = servers.options.with(servers.options.indexOf("--redis-url") + 1, "redis://127.0.0.1:1");
    const run = runCli(["apply", dump.path, ...options, "--max-retry-time", "1s"], CLI_ENVIRONMENT);
    await refused(run, 5, "127.0.0.1:1");
  }, 60_000);

  it("where it does not know the credentials", async () => {
    const env = { ...CLI_ENVIRONMENT, AWS_SECRET_ACCESS_KEY: "notthesecretatall" };
    const run = runCli(["apply", dump.path, ...servers.options], env);
    await refused(run, 5, servers.s3.endpoint);
  }, 60_000);

  it("where one scope holds a record and no mode was chosen", async () => {
    const client = new Redis(servers.redis.endpoint, { protocol: 2, db: 3 });
    try {
      await client.set("theirs", "1");
      const result = await apply();
      expect(result.status, result.stderr).toBe(5);
      expect(result.stderr).toMatch(/redis:db_3/u);
      expect(result.stderr).toContain("--mode");
      expect(await traces()).toEqual(['redis db_3 "theirs"']);
      expect((await apply("--mode", "replace")).status).toBe(5);
      expect(await traces()).toEqual(['redis db_3 "theirs"']);
    } finally {
      await client.flushdb();
      client.disconnect();
    }
  });
});

describe("commands that only look write nothing", () => {
  it("plan and apply --dry-run", async () => {
    const plan = await runCli(["plan", dump.path, ...servers.options], CLI_ENVIRONMENT);
    expect(plan.status, plan.stderr).toBe(0);
    expect(plan.stdout).toContain("dynamodb:invoices");
    const dry = await apply("--dry-run");
    expect(dry.status, dry.stderr).toBe(0);
    expect(await traces()).toEqual([]);
  });

  it("verify of the dump alone", async () => {
    const whole = await runCli(["verify", dump.path]);
    expect(whole.status, whole.stderr).toBe(0);
    edit("sqs/events/messages.jsonl", (text) => text.replace("maple", "mable"));
    await refused(runCli(["verify", dump.path]), 4, "sqs/events/messages.jsonl");
  });
});
