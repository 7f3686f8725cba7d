/**
 * Where one trial of the crash tests restores to: scopes of its own on servers that it shares, what stands there before,
 * and everything that stands there afterwards.
 */
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import type { Adapter } from "../../../src/model/scope.js";
import { dynamoDb, itemsOf } from "../dynamodb-records.js";
import type { FourServers } from "../four-servers.js";
import type { TargetState } from "../target-state.js";

/** Everything that a trial left, as plain data without names of its own. */
export type Held = Readonly<Record<string, unknown>>;

export interface Place {
  /** Options that lead the dump's scopes here. */
  readonly options: readonly string[];
  /** Other records than the dump's, and others under its names. */
  seed(): Promise<void>;
  /** Takes messages away. */
  held(): Promise<Held>;
  /** Names of what only an unfinished restore leaves. */
  leftovers(): Promise<string[]>;
  remove(): Promise<void>;
}

/** `number` 0 to 15 names the database; names of the others are made with `round`. */
export function placeOf(
  adapter: Adapter,
  target: TargetState,
  servers: FourServers,
  { slot, round }: { readonly slot: number; readonly round: string },
): Place {
  switch (adapter) {
    case "redis":
      return redisPlace(target, slot);
    case "dynamodb":
      return tablesPlace(target, servers, round);
    case "s3":
      return bucketsPlace(target, round);
    case "sqs":
      return queuesPlace(target, round);
  }
}

function redisPlace(target: TargetState, database: number): Place {
  const redis = target.redis(database);
  return {
    options: ["--rename", `redis:0=${database}`],
    seed: async () => {
      await redis.mset("string", "theirs", "stranger", "theirs");
      await redis.hset("hash", { a: "theirs", z: "theirs" });
      await redis.sadd("large-set", "z");
      await redis.zadd("zset", 9, "a", 7, "z");
      await redis.rpush("list", "z");
      await redis.rpush("large-list", "z");
      await redis.xadd("stream", "1-1", "f", "theirs");
      await redis.xadd("large-stream", "9-9", "f", "theirs");
      await redis.pfadd("members", "z");
      await redis.sadd("turned", "z");
    },
    held: async () => {
      const keys = Object.entries(await target.keys(database));
      const withExpiry = keys.map(
        async ([key, value]) => [key, { value, expiry: await redis.pexpiretime(key) }] as const,
      );
      return Object.fromEntries(await Promise.all(withExpiry));
    },
    leftovers: () => redis.keys("elastickv-restore:*"),
    remove: async () => void (await redis.flushdb()),
  };
}

function tablesPlace(target: TargetState, { dynamodb }: FourServers, round: string): Place {
  const names = ["orders", "users"];
  const named = (name: string) => `${name}-${round}`;
  return {
    options: ["--rename", `dynamodb:*=*-${round}`],
    seed: async () => {
      await target.createTable(named("orders"));
      await target.putItem(named("orders"), { pk: { S: "i0003" }, v: { S: "theirs" }, old: { S: "theirs" } });
      await target.putItem(named("orders"), { pk: { S: "stranger" }, v: { S: "theirs" } });
    },
    held: async () => {
      const found = names.map(async (name) => [name, await tableHeld(dynamodb.endpoint, named(name))] as const);
      return Object.fromEntries(await Promise.all(found));
    },
    leftovers: () => Promise.resolve([]),
    remove: async () => {
      for (const name of names)
        await dynamoDb(dynamodb.endpoint, "DeleteTable", { TableName: named(name) }).catch(ignore);
    },
  };
}

async function tableHeld(endpoint: string, name: string): Promise<unknown> {
  const items = await itemsOf(endpoint, name);
  return items.map((item) => JSON.stringify(plain(item))).sort();
}

function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([name, member]) => [String(name), plain(member)] as const).sort(byName));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function bucketsPlace(target: TargetState, round: string): Place {
  const names = ["photos", "empty"];
  const named = (name: string) => `${name}-${round}`;
  const facets = async (bucket: string) => {
    const found: Record<string, unknown> = {};
    for (const [key, body] of Object.entries(await target.objects(bucket))) {
      const head = await target.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      const { ETag, ContentType, CacheControl, Metadata } = head;
      found[key] = { body: body.length > 100 ? body.length : body, ETag, ContentType, CacheControl, Metadata };
    }
    return found;
  };
  return {
    options: ["--rename", `s3:*=*-${round}`],
    seed: () => target.createBucket(named("photos"), { o0001: "theirs", large: "theirs", stranger: "theirs" }),
    held: async () => {
      const found = names.map(async (name) => [name, await facets(named(name)).catch(String)] as const);
      return Object.fromEntries(await Promise.all(found));
    },
    leftovers: async () => {
      // MinIO lists the uploads of a key, and none without one.
      const uploads = await target.s3.send(
        new ListMultipartUploadsCommand({ Bucket: named("photos"), Prefix: "large" }),
      );
      const versions = await target.s3.send(
        new ListObjectVersionsCommand({ Bucket: named("photos"), Prefix: "large" }),
      );
      const many = (versions.Versions?.length ?? 0) > 1 ? ["versions of large"] : [];
      return [...(uploads.Uploads ?? []).map(({ UploadId }) => `upload ${UploadId ?? ""}`), ...many];
    },
    remove: async () => {
      for (const Bucket of names.map(named)) {
        const keys = await target.objects(Bucket).catch(() => ({}));
        for (const Key of Object.keys(keys))
          await target.s3.send(new DeleteObjectCommand({ Bucket, Key })).catch(ignore);
        await target.s3.send(new DeleteBucketCommand({ Bucket })).catch(ignore);
      }
    },
  };
}

/** Attributes that tell of a queue's settings and not of its life. */
const SETTINGS = ["VisibilityTimeout", "DelaySeconds", "ReceiveMessageWaitTimeSeconds"];

function queuesPlace(target: TargetState, round: string): Place {
  const names = ["jobs", "letters", "steps.fifo"];
  const named = (name: string) => `r${round}-${name}`;
  return {
    options: ["--rename", `sqs:*=r${round}-*`],
    seed: async () => {
      await target.queues.create(named("jobs"), { VisibilityTimeout: "17" });
      await target.queues.send(named("jobs"), "stranger");
    },
    held: async () => {
      const found: Record<string, unknown> = {};
      for (const name of names) {
        if (!(await target.queues.exists(named(name)))) continue;
        const attributes = await target.queues.attributes(named(name));
        const settings = Object.fromEntries(SETTINGS.map((each) => [each, attributes[each]]));
        const redrive = attributes["RedrivePolicy"]?.replaceAll(named(""), "");
        const messages = await target.queues.drain(named(name));
        const groups = messages.map(
          ({ Body = "", Attributes = {} }) => [Attributes.MessageGroupId ?? "", Body] as const,
        );
        const order = groups.map(([group], i) => ({ group, i }));
        order.sort((a, b) => (a.group === b.group ? a.i - b.i : a.group < b.group ? -1 : 1));
        const inGroups = order.map(({ group, i }) => `${group} ${groups[i]?.[1] ?? ""}`);
        found[`${name} settings`] = { ...settings, redrive };
        found[`${name} messages`] = name.endsWith(".fifo") ? inGroups : inGroups.sort();
      }
      return found;
    },
    leftovers: () => Promise.resolve([]),
    remove: async () => {
      for (const name of names) await target.queues.deleteQueue(named(name)).catch(ignore);
    },
  };
}

function ignore(): void {
  // It is not there.
}
