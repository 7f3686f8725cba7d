import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Io } from "../../../src/cli/io.js";
import { runOptions } from "../../../src/cli/run-options.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-run-options-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("a named target's concurrency", () => {
  it.each([
    [undefined, { dynamodb: 4, redis: 4, s3: 4, sqs: 4 }],
    [["s3=2"], { dynamodb: 4, redis: 4, s3: 2, sqs: 4 }],
    [["8"], { dynamodb: 8, redis: 8, s3: 8, sqs: 8 }],
  ])("beside --concurrency %s is %s", async (concurrency, expected) => {
    const config = join(folder, "config.yaml");
    await writeFile(config, `targets: { staging: { redis: { url: "redis://staging" }, concurrency: 4 } }`);
    const io = { env: {}, cwd: folder } as unknown as Io;
    const args = { dump: folder, target: "staging", config, ...(concurrency === undefined ? {} : { concurrency }) };
    expect((await runOptions(args, io, { report: () => undefined })).concurrency).toEqual(expected);
  });
});
