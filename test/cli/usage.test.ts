import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, runCli } from "../support/run-cli.js";

const COMMANDS = ["apply", "plan", "verify", "inspect", "reseal"];

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-usage-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Wrong usage: status 2, nothing on standard output, one message with a way on. */
function expectUsage({ status, stdout, stderr }: CliResult, message: string | RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^error: (?:[^A-Z]|[A-Z]+_)/);
  expect(stderr).not.toMatch(/please report/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
}

describe("help", () => {
  it.each(COMMANDS)("of %s names its options and examples on standard output", async (command) => {
    const { status, stdout, stderr } = await runCli([command, "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`elastickv-restore ${command} [<[]dump[>\\]]`));
    expect(stdout).toContain("--json");
    expect(stdout).toMatch(/Examples:/);
  });

  it("lists the commands and the exit statuses, and -h is the same", async () => {
    const { status, stdout } = await runCli(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Exit status: 0 .*130, 143 interrupted/s);
    for (const command of COMMANDS) expect(stdout).toContain(`elastickv-restore ${command}`);
    expect((await runCli(["-h"])).stdout).toBe(stdout);
  });

  it("says the version", async () => {
    expect(await runCli(["--version"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe("a command line", () => {
  it("without a command is refused", async () => {
    expectUsage(await runCli([]), /no command\n.*--help/);
  });

  it.each([
    ["aply", "apply"],
    ["inspct", "inspect"],
    ["resael", "reseal"],
  ])("with the unknown command %s is refused with the nearest one", async (word, near) => {
    expectUsage(await runCli([word, "dump"]), new RegExp(`${word}\\nDid you mean ${near}\\?`));
  });

  it.each(COMMANDS)("that gives %s no dump is refused", async (command) => {
    expectUsage(await runCli([command]), new RegExp(`${command} needs a dump: elastickv-restore ${command} <dump>`));
  });

  it.each([
    [["apply", "d", "--redis-ulr", "redis://h"], "--redis-ulr", "--redis-url"],
    [["apply", "d", "--modus=merge"], "--modus", "--mode"],
    [["plan", "d", "--ttl-polcy", "preserve"], "--ttl-polcy", "--ttl-policy"],
    [["verify", "d", "--checksum"], "--checksum", "--checksums"],
    [["reseal", "d", "--dry"], "--dry", "--dry-run"],
  ])("with an unknown option is refused with the nearest one: %j", async (argv, unknown, near) => {
    expectUsage(await runCli(argv), new RegExp(`unknown option ${unknown}\\nDid you mean ${near}\\?`));
  });

  it("with a word too many is refused", async () => {
    expectUsage(await runCli(["apply", "one", "two"]), /unexpected word two/);
  });

  it.each([
    [["apply", "d", "--mode", "overwrite"], /mode.*"replace", "merge", "skip-existing"/s],
    [["apply", "d", "--ttl-policy", "keep"], /"rebase"/],
    [["apply", "d", "--redis-url"], /redis-url/],
    [["apply", "d", "--rate-limit", "5000"], /--rate-limit does not take "5000"/],
    [["apply", "d", "--concurrency", "0"], /--concurrency/],
    [["apply", "d", "--max-retry-time", "soon"], /--max-retry-time/],
    [["apply", "d", "--rename", "orders=copy"], /--rename does not take "orders=copy"/],
    [["apply", "d", "--scope", "orders"], /--scope/],
    [["apply", "d", "--adapter", "dynamo"], /dynamodb, s3, redis, sqs/],
    [["apply", "d", "--include", "[z-a]"], /--include/],
    [["verify", "d", "--adapter", "dynamo"], /dynamodb, s3, redis, sqs/],
    [["apply", "d", "--s3-endpoint", "http://h", "--multipart-threshold", "big"], /--multipart-threshold/],
    [["apply", "d", "--sqs-endpoint", "http://h", "--purge-wait", "x"], /--purge-wait/],
  ] as const)("with a value that an option does not take is refused: %j", async (argv, message) => {
    expectUsage(await runCli(argv), message);
  });

  it.each([
    ["apply", "--dry-run=yes"],
    ["apply", "--dry-run=1"],
    ["apply", "--dryRun=yes"],
    ["apply", "--yes=maybe"],
    ["apply", "-y=", "--y=no"],
    ["plan", "--json=on"],
    ["reseal", "--dry-run=TRUE"],
  ])("with a flag that is given a value which would read as no is refused: %s %s", async (command, ...words) => {
    expectUsage(await runCli([command, join(directory, "none"), ...words]), /does not take "/);
  });

  it.each(["--json=true", "--json=false"])("may say %s", async (word) => {
    expect((await runCli(["verify", join(directory, "none"), word])).status).toBe(4);
  });

  it.each([
    [["verify", "--", "-dump"], "there is no ./-dump"],
    [["verify", "--json", "--", "nowhere"], "there is no nowhere"],
  ])("takes what stands behind -- as a path: %j", async (argv, message) => {
    const { status, stderr } = await runCli(argv);
    expect(stderr).toContain(message);
    expect(status).toBe(4);
  });

  it("that asks for two TTL policies is refused, for the same one twice is not", async () => {
    expectUsage(await runCli(["apply", "d", "--preserve-ttl", "--ttl-policy", "rebase"]), /contradict/);
    const { status } = await runCli(["apply", join(directory, "none"), "--preserve-ttl", "--ttl-policy", "preserve"]);
    expect(status).toBe(4);
  });

  it("that gives an option of one value twice means the last one", async () => {
    const argv = ["apply", join(directory, "none"), "--preserve-ttl", "--ttl-policy", "rebase"];
    expect((await runCli([...argv, "--ttl-policy", "preserve"])).status).toBe(4);
    expectUsage(await runCli([...argv, "--ttl-policy", "preserve", "--ttl-policy", "persist"]), /persist contradict/);
  });

  it.each([
    ["into a folder that is missing", () => join(directory, "missing", "r.json"), /cannot be written to/],
    ["that is a folder", () => directory, /is a folder/],
    ["without a name", () => "", /names no file/],
    ["that is a device", () => "/dev/full", /is no regular file/],
  ])("with a report %s is refused before anything else", async (_how, path, message) => {
    expectUsage(await runCli(["apply", "d", "--report", path()]), message);
  });
});

describe("secrets on the command line", () => {
  it.each([
    ["apply", "--redis-url", "redis://:s3cret@h"],
    ["plan", "--redis-url", "redis://user:s3cret@h:1/2"],
    ["apply", "--dynamodb-endpoint", "http://id:s3cret@h"],
    ["apply", "--s3-endpoint", "https://id:s3cret@h"],
    ["plan", "--sqs-endpoint", "http://s3cret@h"],
  ])("are refused and not repeated: %s %s", async (command, option, value) => {
    const result = await runCli([command, "d", option, value]);
    expectUsage(result, new RegExp(`${option} holds`));
    expect(result.stderr).not.toContain("s3cret");
  });

  it("are not repeated where the option is misspelt", async () => {
    const result = await runCli(["apply", "d", "--redis-ulr=redis://:s3cret@h"]);
    expectUsage(result, /--redis-ulr/);
    expect(result.stderr).not.toContain("s3cret");
  });
});

describe("the environment", () => {
  it("alone never means AWS itself", async () => {
    expectUsage(
      await runCli(["apply", "d"], { AWS_ENDPOINT_URL_S3: "aws" }),
      /AWS_ENDPOINT_URL_S3 does not take "aws"/,
    );
  });
});

describe("a configuration file", () => {
  it("that is missing, malformed or has no such target is refused", async () => {
    const path = join(directory, "config.yaml");
    const argv = ["apply", "d", "--target", "stagin", "--config", path];
    expectUsage(await runCli(argv), /is not there/);
    await writeFile(path, "targets: { staging: { s3: { url: x } } }");
    expectUsage(await runCli(argv), /url/);
    await writeFile(path, "targets: { staging: { s3: { endpoint: 'http://h' } } }");
    expectUsage(await runCli(argv), /no target "stagin"\nIt has: staging\./);
  });
});

describe("a dump that is not there", () => {
  it.each(COMMANDS)("ends %s with 4 and leaves nothing behind", async (command) => {
    const work = await mkdtemp(join(directory, "work-"));
    const result = await runCli([command, join(directory, "none")], { TMPDIR: work });
    expect(result).toMatchObject({ status: 4, stdout: "" });
    expect(result.stderr).toMatch(/^error: /);
    expect(await readdir(work)).toEqual([]);
  });
});
