/** Records that are malformed, or that the target refuses, among sound ones: each is listed, none harms another. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { type FreshDump, freshDump, reseal } from "../support/fresh-dump.js";
import { ForgottenFiles } from "../support/open-files.js";
import { type Expected, expectedFrom, totalCount } from "../support/readback/expected.js";
import { elasticMqExceptions } from "../support/readback/known-exceptions.js";
import { verifyDynamoDb } from "../support/readback/verify-dynamodb.js";
import { verifyRedis } from "../support/readback/verify-redis.js";
import { verifyS3 } from "../support/readback/verify-s3.js";
import { verifySqs } from "../support/readback/verify-sqs.js";
import { runCliWithReport, type WrittenReport } from "../support/run-cli.js";

/** Files that are added to a sound dump, with how the record in each has to end. */
const ADDED: readonly (readonly [path: string, content: string | Buffer, outcome: string, reason: string])[] = [
  ["redis/db_0/hashes/not-json.json", '{"format_version":1,"fields":{"a":"1"', "rejected", "malformed-json"],
  [
    "redis/db_0/hashes/twice.json",
    '{"format_version":1,"fields":{"a":"1","a":"2"},"expire_at_ms":null}',
    "rejected",
    "duplicate-element",
  ],
  [
    "redis/db_0/hashes/newer.json",
    '{"format_version":2,"fields":{"a":"1"},"expire_at_ms":null}',
    "rejected",
    "malformed-record",
  ],
  [
    "redis/db_0/hashes/nothing.json",
    '{"format_version":1,"fields":{},"expire_at_ms":null}',
    "skipped-empty",
    "empty-collection",
  ],
  [
    "redis/db_0/lists/number.json",
    '{"format_version":1,"items":["a",5],"expire_at_ms":null}',
    "rejected",
    "malformed-record",
  ],
  [
    "redis/db_0/lists/surrogate.json",
    '{"format_version":1,"items":["\\ud800"],"expire_at_ms":null}',
    "rejected",
    "lone-surrogate",
  ],
  [
    "redis/db_0/sets/bytes.json",
    Buffer.from('{"format_version":1,"members":["\xff"]}', "latin1"),
    "rejected",
    "bad-utf8",
  ],
  [
    "redis/db_0/zsets/score.json",
    '{"format_version":1,"members":[{"member":"a","score":"high"}]}',
    "rejected",
    "malformed-record",
  ],
  [
    "redis/db_0/lists/late.json",
    '{"format_version":1,"items":["a"],"expire_at_ms":9223372036854775808}',
    "rejected",
    "malformed-record",
  ],
  ["redis/db_0/lists/ended.json", '{"format_version":1,"items":["a"],"expire_at_ms":1}', "skipped-expired", "expired"],
  ["s3/exports/short", "four", "rejected", "size-mismatch"],
  ["s3/exports/crowded", "body", "rejected", "metadata-too-large"],
];
const BESIDE: readonly (readonly [path: string, content: string])[] = [
  ["s3/exports/short.elastickv-meta.json", '{"format_version":1,"size_bytes":5}'],
  [
    "s3/exports/crowded.elastickv-meta.json",
    `{"format_version":1,"size_bytes":4,"user_metadata":{"much":"${"x".repeat(3000)}"}}`,
  ],
];

/** Lines put in front of a file's own, with why each is rejected. */
const LINES: Readonly<Record<string, readonly (readonly [line: string, reason: string])[]>> = {
  "dynamodb/sessions/items/data-00001.jsonl": [
    ['{"sid":{"B":"AAAA"},"tags":{"SS":[]}}', "empty-set"],
    ['{"sid":{"B":"AAAB"},"n":{"N":"1.2.3"}}', "invalid-number"],
    ['{"sid":{"S":"text"}}', "wrong-key-type"],
    ['{"n":{"N":"1"}}', "missing-key"],
    ['{"sid":{"B":"AAAC"},"n":', "malformed-json"],
  ],
  "sqs/events/messages.jsonl": [
    [
      '{"message_id":"bad-1","body":{"base64":"_w"},"send_timestamp_millis":1,"available_at_millis":1}',
      "body-not-carriable",
    ],
    [
      '{"message_id":"bad-2","body":"control \\u0001","send_timestamp_millis":1,"available_at_millis":1}',
      "body-not-carriable",
    ],
    ['{"message_id":"bad-3","body":', "malformed-json"],
  ],
  "sqs/ledger.fifo/messages.jsonl": [
    [
      '{"message_id":"bad-4","body":"\\uffff","message_group_id":"orders","message_deduplication_id":"bad","send_timestamp_millis":1,"available_at_millis":1}',
      "body-not-carriable",
    ],
  ],
};

const EXPIRED = ['redis db_0 "past"', 'redis db_3 "other:past"'].map((record) => ({ record, reason: "past" }));

describe("a dump with bad records", () => {
  let servers: FourServers;
  let dump: FreshDump;
  let expected: Expected;
  let report: WrittenReport | undefined;

  beforeAll(async () => {
    servers = await startFourServers();
    dump = await freshDump("design");
    expected = expectedFrom(dump.path);
    spoil(dump.path);
    const argv = ["apply", dump.path, ...servers.options, "--progress", "none"];
    const forgotten = new ForgottenFiles(dump.path);
    const result = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(result.status, result.stderr).toBe(3);
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
    report = result.report;
  }, 600_000);
  afterAll(async () => {
    await Promise.all([servers?.stop(), dump?.remove()]);
  });

  it("ends each of them as it has to, with a reason and a place, and no other", () => {
    const wanted = [
      ...ADDED.map(([path, , outcome, reason]) => `${outcome} ${path} ${reason}`),
      ...Object.entries(LINES).flatMap(([path, lines]) =>
        lines.map(([, reason], index) => `rejected ${path}:${index + 1} ${reason}`),
      ),
      "rejected redis/db_0/streams/torn.jsonl malformed-record",
      "skipped-expired redis/db_0/strings/past.bin expired",
      "skipped-expired redis/db_3/strings/other%3Apast.bin expired",
    ];
    const ended = (report?.listed ?? []).filter(({ outcome }) => outcome !== "restored");
    const found = ended.map((record) => {
      const line = "line" in record ? `:${String(record.line)}` : "";
      return `${record.outcome} ${record.path}${line} ${record.reason}`;
    });
    expect(found.sort()).toEqual(wanted.sort());
  });

  it("counts every record once", () => {
    const lines = Object.values(LINES).flat().length;
    const read = totalCount(expected) + ADDED.length + lines + 1;
    expect(report?.recordsRead).toBe(read);
    const rejected = ADDED.filter(([, , outcome]) => outcome === "rejected").length + lines + 1;
    expect(report?.totals).toEqual({
      restored: totalCount(expected) - EXPIRED.length,
      "skipped-existing": 0,
      "skipped-expired": EXPIRED.length + 1,
      "skipped-empty": 1,
      rejected,
      failed: 0,
      ambiguous: 0,
    });
  });

  it("has restored all others exactly, and of the torn stream the entries that could be read", async () => {
    const torn = (await verifyRedis(expected, servers.redis.endpoint, EXPIRED)).map(({ record }) => record);
    expect(torn).toEqual(['redis db_0 "torn"']);
    const client = new Redis(servers.redis.endpoint, { protocol: 2 });
    expect(await client.xrange("torn", "-", "+")).toEqual([
      ["1-0", ["a", "1"]],
      ["3-0", ["c", "3"]],
    ]);
    client.disconnect();
    expect(await verifyDynamoDb(expected, servers.dynamodb.endpoint)).toEqual([]);
    expect(await verifyS3(expected, servers.s3)).toEqual([]);
    const exceptions = elasticMqExceptions(expected);
    expect(await verifySqs(expected, servers.sqs, { exceptions, deduplicationIds: true })).toEqual([]);
  });
});

function spoil(dump: string): void {
  const add = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(dump, path)), { recursive: true });
    writeFileSync(join(dump, path), content);
  };
  for (const [path, content] of [...ADDED, ...BESIDE]) add(path, content);
  for (const [path, lines] of Object.entries(LINES)) {
    add(path, lines.map(([line]) => `${line}\n`).join("") + readFileSync(join(dump, path), "utf8"));
  }
  add(
    "redis/db_0/streams/torn.jsonl",
    '{"id":"1-0","fields":{"a":"1"}}\n{"id":"2-0","fields":{"b":7}}\n{"id":"3-0","fields":{"c":"3"}}\n',
  );
  reseal(dump);
}
