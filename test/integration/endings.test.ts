/** How runs end that do not go as they should: what is refused or changes on the way, what stops them, and what they say. */
import { renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import { fallbackOf, s3Object, sqsMessage, tableSchema } from "../support/dump-builder.js";
import { EndToEnd } from "../support/end-to-end.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { onlooker } from "../support/redis-restore.js";
import { type Meanwhile, runCli, runCliWithReport, type WrittenReport } from "../support/run-cli.js";
import { MIB, patterned } from "../support/s3-records.js";

const bench = new EndToEnd();
const { own, newDump } = bench;

const outcomes = (report: WrittenReport | undefined) =>
  Object.fromEntries((report?.listed ?? []).map(({ path, outcome, reason }) => [path, `${outcome}/${reason}`]));

describe("a file that changes after the check", () => {
  const files = () => ({
    [`dynamodb/${own("orders")}/_schema.json`]: tableSchema(own("orders"), { name: "pk", type: "S" }),
    [`dynamodb/${own("orders")}/items/a.json`]: { pk: { S: "a" }, v: { S: "ours" } },
    [`dynamodb/${own("orders")}/items/b.json`]: { pk: { S: "b" }, v: { S: "ours" } },
    [`s3/${own("photos")}/_bucket.json`]: { name: own("photos") },
    ...s3Object(`s3/${own("photos")}/large`, patterned(3 * MIB)),
    ...s3Object(`s3/${own("photos")}/gone`, "ours"),
    ...s3Object(`s3/${own("photos")}/kept`, "ours"),
    "redis/db_0/strings/small.bin": "ours",
    "redis/db_0/strings/large.bin": patterned(9 * MIB),
    "redis/db_0/strings/kept.bin": "ours",
    "redis/db_0/hashes/h.json": { format_version: 1, fields: { a: "1" } },
    "redis/db_0/streams/s.jsonl": [{ id: "1-1", fields: { a: "1" } }],
    [`sqs/${own("jobs")}/_queue.json`]: { name: own("jobs") },
    [`sqs/${own("jobs")}/messages.jsonl`]: [sqsMessage("one")],
    [`sqs/${own("kept")}/_queue.json`]: { name: own("kept") },
    [`sqs/${own("kept")}/messages.jsonl`]: [sqsMessage("two")],
  });

  /** Runs `change` when everything was checked and nothing has been written. */
  function afterTheCheck(change: () => void): Meanwhile {
    let done = false;
    const onStderr = (text: string) => {
      if (done || !text.includes("on the target")) return;
      done = true;
      change();
    };
    return { onStderr };
  }

  it("fails its record alone, in every adapter, and nothing of it is on the target", async () => {
    const dump = await newDump(files());
    const at = (path: string) => join(dump, path);
    const changed = patterned(9 * MIB);
    changed.write("other", 8 * MIB);
    let isChanged = false;
    const changing = afterTheCheck(() => {
      isChanged = true;
      writeFileSync(at(`dynamodb/${own("orders")}/items/a.json`), '{"pk":{"S":"a"},"v":{"S":"evil"}}');
      writeFileSync(at(`s3/${own("photos")}/large`), changed.subarray(6 * MIB));
      rmSync(at(`s3/${own("photos")}/gone`));
      writeFileSync(at("redis/db_0/strings/small.bin"), "evil");
      writeFileSync(at("redis/db_0/strings/large.bin"), changed);
      truncateSync(at("redis/db_0/hashes/h.json"), 5);
      writeFileSync(at("redis/db_0/other"), '{"id":"1-1","fields":{"a":"1"}}\n');
      renameSync(at("redis/db_0/other"), at("redis/db_0/streams/s.jsonl"));
      writeFileSync(at(`sqs/${own("jobs")}/messages.jsonl`), `${JSON.stringify(sqsMessage("two"))}\n`);
    });
    const argv = ["apply", dump, ...bench.servers.options];
    const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT, changing);
    expect(isChanged).toBe(true);
    expect(status, stderr).toBe(3);
    const failed = "failed/changed-after-check";
    expect(outcomes(report)).toEqual({
      [`dynamodb/${own("orders")}/items/a.json`]: failed,
      [`s3/${own("photos")}/large`]: failed,
      [`s3/${own("photos")}/gone`]: failed,
      "redis/db_0/strings/small.bin": failed,
      "redis/db_0/strings/large.bin": failed,
      "redis/db_0/hashes/h.json": failed,
      "redis/db_0/streams/s.jsonl": failed,
      [`sqs/${own("jobs")}/messages.jsonl`]: failed,
    });
    expect(report?.totals).toMatchObject({ restored: 4, failed: 8 });
    expect(await bench.target.items(own("orders"))).toEqual({ b: "ours" });
    expect(await bench.target.objects(own("photos"))).toEqual({ kept: "ours" });
    expect(await bench.target.keys()).toEqual({ kept: "ours" });
    expect(await bench.target.queues.bodies(own("jobs"))).toEqual([]);
    expect(await bench.target.queues.bodies(own("kept"))).toEqual(["two"]);
  });
});

describe("a record that the target refuses", () => {
  it("is rejected with its reason and place in report and rejects, and the rest goes on", async () => {
    const long = fallbackOf("z".repeat(256));
    const dump = await newDump({
      [`dynamodb/${own("orders")}/_schema.json`]: tableSchema(own("orders"), { name: "pk", type: "S" }),
      [`dynamodb/${own("orders")}/items/data-00001.jsonl`]: [
        { pk: { S: "a" }, v: { S: "ours" } },
        { pk: { S: "bad" }, tags: { SS: [] } },
        { pk: { S: "b" }, v: { S: "ours" } },
      ],
      [`s3/${own("photos")}/_bucket.json`]: { name: own("photos") },
      [`s3/${own("photos")}/KEYMAP.jsonl`]: [long.line],
      ...s3Object(`s3/${own("photos")}/${long.segment}`, "ours"),
      ...s3Object(`s3/${own("photos")}/kept`, "ours"),
      "redis/db_0/hll/bad.bin": "HYLL but no sketch",
      "redis/db_0/strings/kept.bin": "ours",
      [`sqs/${own("jobs")}/_queue.json`]: { name: own("jobs") },
      [`sqs/${own("jobs")}/messages.jsonl`]: [sqsMessage("one"), sqsMessage("a\u0001b"), sqsMessage("three")],
    });
    const folder = await newDump({});
    const path = join(folder, "report.json");
    const { status, stdout } = await runCli(
      ["apply", dump, ...bench.servers.options, "--report", path],
      CLI_ENVIRONMENT,
    );
    expect(status).toBe(3);
    const report = JSON.parse(await readFile(path, "utf8")) as WrittenReport & { listedCount: number };
    const rejects = (await readFile(join(folder, "report.rejects.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const refused = [
      [`dynamodb/${own("orders")}/items/data-00001.jsonl`, 2, "empty-set"],
      [`s3/${own("photos")}/${long.segment}`, undefined, "key-refused"],
      ["redis/db_0/hll/bad.bin", undefined, "invalid-sketch"],
      [`sqs/${own("jobs")}/messages.jsonl`, 2, "body-not-carriable"],
    ];
    const found = rejects.map((reject) => [reject["path"], reject["line"], reject["reason"]]);
    expect(found.sort()).toEqual(refused.sort());
    expect(rejects.every((reject) => reject["outcome"] === "rejected" && reject["detail"] !== undefined)).toBe(true);
    expect(report).toMatchObject({ exitStatus: 3, listedCount: 4, totals: { restored: 6, rejected: 4, failed: 0 } });
    expect(report.listed).toEqual(rejects);
    for (const [file, , reason] of refused) {
      expect(stdout).toContain(String(file));
      expect(stdout).toContain(String(reason));
    }
    expect(await bench.target.items(own("orders"))).toEqual({ a: "ours", b: "ours" });
    expect(await bench.target.objects(own("photos"))).toEqual({ kept: "ours" });
    expect(await bench.target.keys()).toEqual({ kept: "ours" });
    expect(await bench.target.queues.sortedBodies(own("jobs"))).toEqual(["one", "three"]);
  });
});

describe("a run that is stopped", () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`redis/db_0/strings/k${i}.bin`, "ours"]));

  it("by a target that is full ends with 1, and what was not written counts as not reached, not as failed", async () => {
    const server = await startRedis();
    const admin = onlooker(server.endpoint);
    try {
      await admin.config("SET", "maxmemory", "1");
      const argv = ["apply", await newDump(many), "--redis-url", server.endpoint, "--allow-low-memory"];
      const { status, stderr, report } = await runCliWithReport(argv);
      expect(status, stderr).toBe(1);
      expect(stderr).toMatch(/^error: /mu);
      expect(stderr).toContain("elastickv-restore resume");
      const settled = Object.values(report?.totals ?? {}).reduce((sum, count) => sum + count, 0);
      expect(report).toMatchObject({ status: "stopped", exitStatus: 1, totals: { restored: 0, failed: 0 } });
      expect(settled + (report?.notReached ?? 0)).toBe(report?.recordsRead);
    } finally {
      admin.disconnect();
      await server.stop();
    }
  });

  it("by an interruption ends with 130 and a report of what was done, which is on the target", async () => {
    const interruption = new AbortController();
    const argv = [
      "apply",
      await newDump(many),
      "--redis-url",
      bench.servers.redis.endpoint,
      "--rate-limit",
      "200ops/s",
    ];
    const ended = runCliWithReport(argv, {}, { signal: interruption.signal });
    await expect.poll(() => bench.target.redis().dbsize(), { timeout: 30_000, interval: 5 }).toBeGreaterThan(0);
    interruption.abort();
    const { status, stderr, report } = await ended;
    expect(status, stderr).toBe(130);
    expect(report).toMatchObject({ status: "stopped", exitStatus: 130, error: { code: "INTERRUPTED" } });
    const restored = report?.totals["restored"] ?? -1;
    expect(restored).toBeLessThan(400);
    const held = Object.keys(await bench.target.keys());
    expect(held.every((key) => /^k\d+$/u.test(key))).toBe(true);
    expect(held).toHaveLength(restored);
    const again = await runCliWithReport([...argv.slice(0, 4), "--mode", "skip-existing"]);
    expect(again.report?.totals).toMatchObject({ restored: 400 - held.length, "skipped-existing": held.length });
    expect(Object.keys(await bench.target.keys())).toHaveLength(400);
  });

  it("by an interruption before the first write ends with 130, without a report, with nothing written", async () => {
    const interruption = new AbortController();
    interruption.abort();
    const argv = ["apply", await newDump(many), "--redis-url", bench.servers.redis.endpoint];
    const { status, report } = await runCliWithReport(argv, {}, { signal: interruption.signal });
    expect({ status, report }).toEqual({ status: 130, report: undefined });
    expect(await bench.target.keys()).toEqual({});
  });
});

describe("secrets", () => {
  it("stand in no output of a run, whether it ends well or not", async () => {
    const server = await startRedis();
    const admin = onlooker(server.endpoint);
    try {
      await admin.config("SET", "requirepass", "s3cret-of-redis");
      const dump = await newDump({
        [`s3/${own("photos")}/_bucket.json`]: { name: own("photos") },
        ...s3Object(`s3/${own("photos")}/kept`, "ours"),
        "redis/db_0/strings/kept.bin": "ours",
        "redis/db_0/hashes/bad.json": "{",
      });
      const folder = await newDump({});
      const path = join(folder, "report.json");
      const argv = ["--s3-endpoint", bench.servers.s3.endpoint, "--redis-url", server.endpoint];
      const env = { ...CLI_ENVIRONMENT, REDIS_PASSWORD: "s3cret-of-redis" };
      const wrong = { ...env, REDIS_PASSWORD: "s3cret-but-wrong", AWS_SECRET_ACCESS_KEY: "s3cret-but-wrong" };
      const results = [
        await runCli(["apply", dump, ...argv], wrong),
        await runCli(["plan", dump, ...argv, "--json"], env),
        await runCli(["apply", dump, ...argv, "--report", path], env),
      ];
      expect(results.map(({ status }) => status)).toEqual([5, 0, 3]);
      const files = await Promise.all(
        [path, join(folder, "report.rejects.jsonl")].map((file) => readFile(file, "utf8")),
      );
      const said = [...results.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...files].join("\n");
      expect(said).not.toContain("s3cret");
      expect(said).not.toContain(LOCAL_CREDENTIALS.secretAccessKey);
    } finally {
      admin.disconnect();
      await server.stop();
    }
  });
});
