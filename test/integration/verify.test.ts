/**
 * Targets that are no longer what was restored into them: every damage is found at its place and nothing else is, and
 * `--repair` mends it. Each damage is done by a plain client to a record that the dump holds for it alone, so that one
 * comparison finds them all.
 */
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Verification } from "../../src/run/verify/report.js";
import { expectedOf, filesOf, told } from "../support/damages/damage.js";
import { TABLE_DAMAGES, TABLE_FILES, Tables } from "../support/damages/dynamodb.js";
import { REDIS_DAMAGES, REDIS_FILES } from "../support/damages/redis.js";
import { deleteVersions, OBJECT_DAMAGES, OBJECT_FILES } from "../support/damages/s3.js";
import { QUEUE_DAMAGES, QUEUE_FILES } from "../support/damages/sqs.js";
import { verification } from "../support/damages/verifications.js";
import { temporaryDump } from "../support/dump-builder.js";
import { emptyServers } from "../support/empty-servers.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { runCli } from "../support/run-cli.js";
import { TargetState } from "../support/target-state.js";

const DAMAGES = [...REDIS_DAMAGES, ...TABLE_DAMAGES, ...OBJECT_DAMAGES, ...QUEUE_DAMAGES];
const FOUND = expectedOf(DAMAGES);
/** Of those, what no mode's repair mends: a count does not say which messages it is about. */
const COUNTS = ["sqs:count-less count", "sqs:count-more count"];
/** And what this server refuses: to take a redrive policy away. */
const REFUSED = ["sqs:redrive-more setting RedrivePolicy"];
const UNMENDED = [...COUNTS, ...REFUSED];
const EXTRAS = ['dynamodb:orders "stranger" extra', 'redis:db_0 "stranger" extra', 's3:photos "stranger" extra'];

let servers: FourServers;
let target: TargetState;
let dump: Awaited<ReturnType<typeof temporaryDump>>;

beforeAll(async () => {
  servers = await startFourServers();
  target = new TargetState(servers);
  const files = { ...REDIS_FILES, ...TABLE_FILES, ...OBJECT_FILES, ...QUEUE_FILES, ...filesOf(DAMAGES) };
  dump = await temporaryDump({ files });
}, 300_000);

afterAll(async () => {
  // Else who empties a shared server next cannot delete the bucket.
  if (target !== undefined) await deleteVersions(target.s3);
  target?.close();
  await Promise.all([servers?.stop(), dump?.remove()]);
});

const verify = (...more: string[]) => verification([dump.path, ...servers.options, ...more]);

async function emptyAll(): Promise<void> {
  await deleteVersions(target.s3);
  await emptyServers(servers, new Map());
}

async function restoreAll(): Promise<void> {
  await emptyAll();
  const argv = ["apply", dump.path, ...servers.options, "--progress", "none"];
  const { status, stderr } = await runCli(argv, CLI_ENVIRONMENT);
  expect(status, stderr).toBe(0);
}

async function damageAll(): Promise<void> {
  const tables = new Tables(servers.dynamodb.endpoint);
  const redis = target.redis();
  await Promise.all([
    ...REDIS_DAMAGES.map(({ damage }) => damage(redis)),
    ...TABLE_DAMAGES.map(({ damage }) => damage(tables)),
    ...OBJECT_DAMAGES.map(({ damage }) => damage(target.s3)),
    ...QUEUE_DAMAGES.map(({ damage }) => damage(target.queues)),
  ]);
}

describe("what was just restored", () => {
  it("has no difference", async () => {
    await restoreAll();
    const { exitStatus, differences, standings, records } = await verify();
    expect(differences).toEqual([]);
    expect(exitStatus).toBe(0);
    expect(standings.equal + standings.unproven).toBe(records);
  });
});

describe("damage", () => {
  let found: Verification & { readonly stdout: string };

  beforeAll(async () => {
    await restoreAll();
    await damageAll();
    found = await verify();
  }, 120_000);

  it.each(DAMAGES)("to $key is found", ({ found: expected }) => {
    const [scope = ""] = expected[0]?.split(' "') ?? [];
    const key = expected[0]?.match(/^\S+ "[^"]*"/u)?.[0] ?? scope;
    expect(told(found).filter((each) => each === key || each.startsWith(`${key} `))).toEqual([...expected].sort());
  });

  it("is all that is found", () => {
    expect(told(found)).toEqual(FOUND);
    expect(found.differenceCount).toBe(FOUND.length);
    expect(found.exitStatus).toBe(6);
  });

  it("is counted by record, missing apart from differing", () => {
    const { standings, records, extra } = found;
    expect(extra).toBe(EXTRAS.length);
    // One of Redis, the item, the object; two items, an object and a message of scopes that are not there.
    expect(standings.missing).toBe(3 + 4);
    const differing = new Set(FOUND.filter((each) => each.includes('"')).map((each) => each.split('" ')[0]));
    expect(standings.differing).toBe(differing.size - 3 - EXTRAS.length);
    expect(standings.equal + standings.unproven + standings.missing + standings.differing).toBe(records);
  });

  it("changes nothing on the targets: it is found again", async () => {
    expect(told(await verify())).toEqual(FOUND);
  });
});

describe("repair", () => {
  const lastModified = async (Key: string) =>
    (await target.s3.send(new HeadObjectCommand({ Bucket: "photos", Key }))).LastModified?.getTime();

  it("without a mode mends all but what the dump lacks, and touches nothing that was equal", async () => {
    await restoreAll();
    await damageAll();
    const [before, commands] = [await lastModified("untouched"), await monitored()];
    const repaired = await verify("--repair", "--progress", "plain");
    expect(told(repaired)).toEqual([...EXTRAS, ...UNMENDED].sort());
    expect(repaired.exitStatus).toBe(6);
    expect(repaired.stderr).toContain("--mode replace deletes them");
    expect(repaired.stderr).toMatch(/Not mended: sqs:redrive-more: RedrivePolicy was left out: the target refused it/u);
    expect(await lastModified("untouched")).toBe(before);
    expect(await commands.writesTo(/^untouched-/u)).toEqual([]);
    expect(await commands.writesTo(/^is-gone$/u)).not.toEqual([]);
    expect(told(await verify())).toEqual([...EXTRAS, ...UNMENDED].sort());
  }, 120_000);

  it("in mode replace deletes what the dump lacks as well, once that is confirmed", async () => {
    await restoreAll();
    await damageAll();
    const argv = ["verify", dump.path, ...servers.options, "--repair", "--mode", "replace"];
    const quick = ["--progress", "none", "--look-again-after", "0s"];
    const asked = await runCli([...argv, ...quick], CLI_ENVIRONMENT);
    expect(asked.status, asked.stderr).toBe(5);
    expect(asked.stderr).toContain("--yes");
    expect(told(await verify())).toEqual(FOUND);
    const { differences, stderr } = await verify("--repair", "--mode", "replace", "--yes");
    expect(told({ differences }), stderr).toEqual(UNMENDED);
    expect(told(await verify())).toEqual(UNMENDED);
  }, 120_000);

  it("in mode merge leaves what the dump lacks, whole records and parts, and tells what it cannot mend", async () => {
    await restoreAll();
    await damageAll();
    const { differences, stderr } = await verify("--repair", "--mode", "merge", "--list-merge-strategy", "replace");
    // The modes table: merge does not change a key's type, nor a stream that holds other entries.
    const left = [
      "other-type type",
      "stream-field value entry 5-1",
      "stream-less missing-part entry 5-2",
      "stream-order order entry 5-1",
    ];
    expect(told({ differences }), stderr).toEqual([
      ...left.map((each) => each.replace(/^(\S+)/u, 'redis:db_0 "$1"')),
      "sqs:count-less count",
      ...REFUSED,
    ]);
    const redis = target.redis();
    expect(await redis.get("stranger")).toBe("1");
    expect(await redis.hget("hash-more", "extra")).toBe("1");
    expect(Object.keys(await target.objects("photos"))).toContain("stranger");
    expect(await target.attributeNames("orders", "stranger")).toEqual(["pk", "v"]);
  }, 120_000);
});

describe("a table that has another key", () => {
  it("is told, and that no repair gives it the dump's", async () => {
    await emptyAll();
    const tables = new Tables(servers.dynamodb.endpoint);
    const one = await temporaryDump({ files: TABLE_FILES });
    const argv = [one.path, "--dynamodb-endpoint", servers.dynamodb.endpoint];
    expect((await runCli(["apply", ...argv], CLI_ENVIRONMENT)).status).toBe(0);
    await tables.makeAnew("orders", { name: "id", type: "N" });
    const found = ['dynamodb:orders "untouched" missing', "dynamodb:orders setting key"];
    expect(told(await verification(argv))).toEqual(found);
    const { status, stderr } = await runCli(
      ["verify", ...argv, "--repair", "--look-again-after", "0s"],
      CLI_ENVIRONMENT,
    );
    expect(status, stderr).toBe(5);
    expect(stderr).toContain("only a table that is made anew gets another key");
    expect(told(await verification(argv))).toEqual(found);
    await one.remove();
  });
});

/** Commands that Redis is sent from now on. */
async function monitored() {
  const reads =
    /^(?:get|type|exists|scan|memory|x?info|object|ping|select|client|config|command)|range$|len$|card$|score|mget|ttl|time$|ismember/iu;
  const monitor = await target.redis().monitor();
  const seen: string[][] = [];
  monitor.on("monitor", (_time: string, args: string[]) => seen.push(args));
  return {
    /** Names of those that are no reads and name such a key. */
    writesTo: async (key: RegExp): Promise<string[]> => {
      await target.redis().ping();
      monitor.disconnect();
      return seen
        .filter(([name = "", ...args]) => !reads.test(name) && args.some((arg) => key.test(arg)))
        .map(([name = ""]) => name);
    },
  };
}
