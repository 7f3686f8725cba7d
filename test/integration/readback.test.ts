/**
 * The proof is itself proven: a small dump, the same state written by hand with raw commands, no difference found; then
 * one damage after another, each of which has to be noticed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SendMessageCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import { type FourServers, startFourServers } from "../support/four-servers.js";
import { type Expected, expectedFrom } from "../support/readback/expected.js";
import { verifyDynamoDb } from "../support/readback/verify-dynamodb.js";
import { verifyRedis } from "../support/readback/verify-redis.js";
import { verifyS3 } from "../support/readback/verify-s3.js";
import { verifySqs } from "../support/readback/verify-sqs.js";

let servers: FourServers;
let dump: string;
let expected: Expected;
const alive = Date.now() + 3_600_000;
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

beforeAll(async () => {
  servers = await startFourServers();
  dump = mkdtempSync(join(tmpdir(), "elastickv-restore-readback-"));
  writeSmallDump();
  expected = expectedFrom(dump);
}, 300_000);

afterAll(async () => {
  await servers?.stop();
  rmSync(dump, { recursive: true, force: true });
});

describe("the proof of Redis", () => {
  it("finds a state equal that was written by hand, and each damage to it", async () => {
    const client = new Redis(servers.redis.endpoint, { protocol: 2 });
    const differences = async () => (await verifyRedis(expected, servers.redis.endpoint)).map(({ facet }) => facet);
    try {
      await client.set(Buffer.from([0xff, 0x00]), Buffer.from([0xfe]), "PXAT", alive);
      await client.hset("h", "__proto__", "1", "", "2");
      await client.rpush("l", "a", "b", "a");
      await client.zadd("z", "inf", "top", "0.1", "tenth");
      await client.xadd("x", "1-1", "b", "1", "a", "2", "b", "3");
      await client.call("XSETID", "x", "9-9");
      await client.pfadd("p", "u1", "u2");
      expect(await differences()).toEqual([]);

      const damages: readonly [facet: string, damage: () => Promise<unknown>, mend: () => Promise<unknown>][] = [
        [
          "expiry",
          () => client.persist(Buffer.from([0xff, 0x00])),
          () => client.pexpireat(Buffer.from([0xff, 0x00]), alive),
        ],
        ["expiry", () => client.pexpireat("h", alive), () => client.persist("h")],
        [
          "expiry",
          () => client.pexpireat(Buffer.from([0xff, 0x00]), alive - 2500),
          () => client.pexpireat(Buffer.from([0xff, 0x00]), alive),
        ],
        ["value", () => client.hset("h", "__proto__", "2"), () => client.hset("h", "__proto__", "1")],
        ["value", () => client.rpush("l", "a"), () => client.rpop("l")],
        ["value", () => client.zadd("z", "0.10000000000000002", "tenth"), () => client.zadd("z", "0.1", "tenth")],
        [
          "value",
          () => client.xadd("x", "10-0", "f", "v"),
          async () => {
            await client.xdel("x", "10-0");
            await client.call("XSETID", "x", "9-9");
          },
        ],
        ["last id", () => client.call("XSETID", "x", "9-10"), () => client.call("XSETID", "x", "9-9")],
        [
          "registers",
          () => client.pfadd("p", "u3"),
          async () => {
            await client.del("p");
            await client.pfadd("p", "u2", "u1");
          },
        ],
        ["record", () => client.set("extra", "1"), () => client.del("extra")],
        ["record", () => client.rename("l", "moved"), () => client.rename("moved", "l")],
        [
          "record",
          async () => {
            await client.select(7);
            await client.set("elsewhere", "1");
          },
          async () => {
            await client.del("elsewhere");
            await client.select(0);
          },
        ],
      ];
      for (const [facet, damage, mend] of damages) {
        await damage();
        expect(await differences()).toContain(facet);
        await mend();
        expect(await differences()).not.toContain(facet);
      }
    } finally {
      client.disconnect();
    }
  });

  it("calls an exception that did not occur a difference", async () => {
    const exceptions = [{ record: 'redis db_0 "h"', reason: "made up" }];
    const found = await verifyRedis(expected, servers.redis.endpoint, exceptions);
    expect(found).toMatchObject([{ record: 'redis db_0 "h"', expected: "differs: made up" }]);
  });
});

describe("the proof of DynamoDB", () => {
  it("finds numbers equal by value, and a changed digit, a lost attribute and a strange item", async () => {
    const client = new DynamoDBClient({
      endpoint: servers.dynamodb.endpoint,
      region: "us-east-1",
      credentials: LOCAL_CREDENTIALS,
    });
    const differences = async () =>
      (await verifyDynamoDb(expected, servers.dynamodb.endpoint)).map(({ facet }) => facet);
    const put = (N: string, more = {}) =>
      client.send(new PutItemCommand({ TableName: "things", Item: { k: { N: "100" }, v: { N }, ...more } }));
    try {
      await client.send(
        new CreateTableCommand({
          TableName: "things",
          KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "k", AttributeType: "N" }],
          BillingMode: "PAY_PER_REQUEST",
        }),
      );
      await put("12345678901234567890123456789012345678", { s: { SS: ["b", "a"] } });
      expect(await differences()).toEqual([]);
      await put("12345678901234567890123456789012345679", { s: { SS: ["b", "a"] } });
      expect(await differences()).toEqual(["attribute v"]);
      await put("12345678901234567890123456789012345678");
      expect(await differences()).toEqual(["attribute s"]);
      await client.send(new PutItemCommand({ TableName: "things", Item: { k: { N: "5" } } }));
      expect(await differences()).toEqual(["attribute s", "record"]);
    } finally {
      client.destroy();
    }
  });
});

describe("the proof of S3", () => {
  it("finds an object equal, and a changed body, a lost header and an object too many or too few", async () => {
    const client = new S3Client({
      endpoint: servers.s3.endpoint,
      region: "us-east-1",
      credentials: LOCAL_CREDENTIALS,
      forcePathStyle: true,
    });
    const differences = async () => (await verifyS3(expected, servers.s3)).map(({ facet }) => facet).sort();
    const put = (Body: string, headers = {}) =>
      client.send(new PutObjectCommand({ Bucket: "things", Key: "a b/+ü", Body, ContentType: "text/x", ...headers }));
    try {
      await client.send(new CreateBucketCommand({ Bucket: "things" }));
      await put("body", { CacheControl: "no-cache", Metadata: { by: "hand" } });
      expect(await differences()).toEqual([]);
      await put("bodY", { CacheControl: "no-cache", Metadata: { by: "hand" } });
      expect(await differences()).toEqual(["body", "etag"]);
      await put("body", { Metadata: { by: "hand", more: "1" } });
      expect(await differences()).toEqual(["cache_control", "user_metadata more"]);
      await put("body", { CacheControl: "no-cache", Metadata: { by: "hand" } });
      await client.send(new PutObjectCommand({ Bucket: "things", Key: "extra", Body: "more" }));
      expect(await differences()).toEqual(["record"]);
      await client.send(new DeleteObjectCommand({ Bucket: "things", Key: "extra" }));
      await client.send(new DeleteObjectCommand({ Bucket: "things", Key: "a b/+ü" }));
      expect(await differences()).toEqual(["record"]);
    } finally {
      client.destroy();
    }
  });
});

describe("the proof of SQS", () => {
  it("finds queues equal, and a changed order, a lost message and another attribute", async () => {
    const client = new SQSClient({
      endpoint: servers.sqs.endpoint,
      region: "us-east-1",
      credentials: LOCAL_CREDENTIALS,
      useQueueUrlAsEndpoint: false,
    });
    const differences = async () =>
      (await verifySqs(expected, servers.sqs, { deduplicationIds: true })).map(({ facet }) => facet).sort();
    try {
      const Attributes = { FifoQueue: "true", VisibilityTimeout: "31", ContentBasedDeduplication: "false" };
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "things.fifo", Attributes }));
      let round = 0;
      const send = async (bodies: readonly string[], own = false) => {
        round++;
        for (const [index, MessageBody] of bodies.entries()) {
          const MessageDeduplicationId = own ? `id-${index}` : `${round}-${index}`;
          await client.send(
            new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: "g", MessageDeduplicationId }),
          );
        }
      };
      await send(["one", "two", "one"], true);
      expect(await differences()).toEqual([]);
      await send(["two", "one", "one"]);
      expect(await differences()).toEqual(["deduplication ids", "group g"]);
      await send(["one", "two"]);
      expect(await differences()).toEqual(["deduplication ids", "group g"]);
      await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "30" } }));
      expect(await differences()).toEqual(["VisibilityTimeout", "deduplication ids", "group g"]);
    } finally {
      client.destroy();
    }
  });
});

function writeSmallDump(): void {
  const files: Record<string, string | Buffer> = {
    "MANIFEST.json": '{"s3_meta_suffix":".elastickv-meta.json"}',
    "redis/db_0/strings/%FF%00.bin": Buffer.from([0xfe]),
    "redis/db_0/strings_ttl.jsonl": `{"key":"%FF%00","expire_at_ms":${alive}}\n`,
    "redis/db_0/hashes/h.json": '{"fields":{"__proto__":"1","":"2"},"expire_at_ms":null}',
    "redis/db_0/lists/l.json": '{"items":["a",{"base64":"Yg"},"a"]}',
    "redis/db_0/zsets/z.json": '{"members":[{"member":"top","score":"+inf"},{"member":"tenth","score":1e-1}]}',
    "redis/db_0/streams/x.jsonl":
      '{"id":"1-1","fields":[{"name":"b","value":"1"},{"name":"a","value":"2"},{"name":"b","value":"3"}]}\n' +
      '{"_meta":true,"length":1,"last_ms":9,"last_seq":9,"expire_at_ms":null}\n',
    "redis/db_0/hll/p.bin": Buffer.from("\u0000RS\u0001\n\u0002u1\n\u0002u2", "latin1"),
    "dynamodb/things/_schema.json": '{"primary_key":{"hash_key":{"name":"k","type":"N"},"range_key":{}}}',
    "dynamodb/things/items/100.json":
      '{"k":{"N":"1e2"},"v":{"N":"12345678901234567890123456789012345678.0"},"s":{"SS":["a","b"]}}',
    "s3/things/_bucket.json": '{"name":"things"}',
    "s3/things/a b/+ü": "body",
    "s3/things/a b/+ü.elastickv-meta.json": `{"etag":"\\"${md5("body")}\\"","content_type":"text/x","cache_control":"no-cache","user_metadata":{"By":"hand"}}`,
    "sqs/things.fifo/_queue.json": '{"fifo":true,"visibility_timeout_seconds":31}',
    "sqs/things.fifo/messages.jsonl": ["one", "two", "one"]
      .map((body, i) => `{"body":"${body}","message_group_id":"g","message_deduplication_id":"id-${i}"}\n`)
      .join(""),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dump, path)), { recursive: true });
    writeFileSync(join(dump, path), content);
  }
}
