import { describe, expect, it } from "vitest";
import { commandNamed } from "../../../../src/cli/commands.js";
import { parse } from "../../../../src/cli/parse.js";
import {
  assertBesidePlan,
  assertGiveable,
  SCHEMAS,
  type SubmittedCommand,
} from "../../../../src/cli/remote/giveable.js";
import { dumpOf, limitsOf, optionsOf } from "../../../../src/cli/remote/job-options.js";

async function typed(command: SubmittedCommand, ...words: readonly string[]): Promise<object> {
  const parsed = await parse([command, "backups/a", "--server", "local", ...words], [commandNamed(command)]);
  if (!("args" in parsed)) throw new Error("no command");
  return parsed.args as object;
}

describe("options of a job", () => {
  it("are what was typed, in the words of requests", async () => {
    const words = ["--adapter", "redis,s3", "--scope", "redis=0,1", "--include", "a*", "--include", "b*"];
    const writing = ["--mode", "merge", "--preserve-ttl", "--purge-wait", "90", "--multipart-threshold", "64 mib"];
    expect(optionsOf("apply", await typed("apply", ...words, ...writing, "--keep-etag", "--verify"))).toEqual({
      adapters: ["redis", "s3"],
      scopes: ["redis=0,1"],
      include: ["a*", "b*"],
      mode: "merge",
      ttlPolicy: "preserve",
      purgeWait: "90000ms",
      multipartThreshold: `${64 * 1024 * 1024}B`,
      keepEtag: true,
      verify: true,
    });
  });

  it("of a comparison and of a drill are numbers and shares where they are such", async () => {
    const compared = optionsOf(
      "verify",
      await typed("verify", "--sample", "0.01", "--looks", "3", "--tolerance", "1s"),
    );
    expect(compared).toEqual({ sample: "1%", looks: 3, tolerance: "1s" });
    const drilled = await typed("drill", "--drill-database", "9,10", "--drill-database", "11", "--trend-last", "5");
    expect(optionsOf("drill", drilled)).toEqual({ databases: [9, 10, 11], trendLast: 5 });
  });

  it.each([
    ["apply", ["--adapter", "mysql"], "--adapter"],
    ["apply", ["--scope", "orders"], "--scope"],
    ["apply", ["--purge-wait", "soon"], "--purge-wait"],
    ["apply", ["--preserve-ttl", "--ttl-policy", "persist"], "--preserve-ttl"],
    ["verify", ["--looks", "many"], "--looks"],
    ["verify", ["--looks", "0"], "--looks"],
    ["verify", ["--sample", "200%"], "--sample"],
    ["drill", ["--drill-database", "x"], "--drill-database"],
  ] as const)("of %s that are none are told by name: %j", async (command, words, name) => {
    const args = await typed(command, ...words);
    expect(() => optionsOf(command, args)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(name) }),
    );
  });
});

describe("an option that no client can give", () => {
  it.each([
    ["apply", "--redis-url", "redis://h"],
    ["apply", "--s3-endpoint", "aws"],
    ["apply", "--s3-profile", "p"],
    ["apply", "--config", "c.yaml"],
    ["apply", "--transform", "m.mjs"],
    ["apply", "--remap-dir", "d"],
    ["apply", "--resume"],
    ["plan", "--out", "p.json"],
    ["verify", "--rebase-from", "2026-01-01T00:00:00Z"],
    ["verify", "--resume"],
    ["drill", "--history"],
    ["drill", "--clean"],
    ["drill", "--keep-etag"],
  ] as const)("of %s is named, with who decides: %s", async (command, name, ...value) => {
    const args = await typed(command, name, ...value);
    expect(() => assertGiveable(command, args)).toThrow(
      expect.objectContaining({
        code: "USAGE",
        message: expect.stringContaining(name),
        hint: expect.stringMatching(/\w/),
      }),
    );
  });

  it("is none of those that requests have", async () => {
    for (const command of Object.keys(SCHEMAS) as SubmittedCommand[]) {
      const options = Object.keys(SCHEMAS[command].shape).map((name) => [name, "x"] as const);
      const named = { adapters: "adapter", scopes: "scope", databases: "drillDatabase" } as Record<string, string>;
      const args = Object.fromEntries(options.map(([name, value]) => [named[name] ?? name, value]));
      expect(() => assertGiveable(command, args), command).not.toThrow();
    }
  });

  it("stands beside no plan either", async () => {
    const args = await typed("apply", "--plan", "8f14", "--mode", "merge");
    expect(() => assertBesidePlan(args)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("--mode") }),
    );
    const beside = await typed("apply", "--plan", "8f14", "--rate-limit", "5ops/s", "--yes", "--report", "r.json");
    expect(() => assertBesidePlan(beside)).not.toThrow();
  });
});

it("limits that were given several times are one text", () => {
  expect(limitsOf({ rateLimit: ["5ops/s", "s3=1MiB/s"], concurrency: ["8"] })).toEqual({
    rateLimit: "5ops/s,s3=1MiB/s",
    concurrency: "8",
  });
  expect(() => limitsOf({ rateLimit: ["fast"] })).toThrow(expect.objectContaining({ code: "USAGE" }));
});

describe("a dump", () => {
  it.each([
    ["backups", { root: "backups", path: "" }],
    ["backups/a/b/", { root: "backups", path: "a/b" }],
  ])("%s is named by its root", (text, dump) => {
    expect(dumpOf(text)).toEqual(dump);
  });

  it.each(["./a", "../a", "/a", "", "a b/c"])("%j is not one that a daemon knows", (text) => {
    expect(() => dumpOf(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});
