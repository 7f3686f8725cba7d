/** Lost connections, lost answers, restarts and refusals, on a real Redis behind a proxy. */
import type { AddressInfo } from "node:net";
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { RestoreError } from "../../src/errors/restore-error.js";
import type { CollectionRecord, Content, RedisRecord } from "../../src/model/record.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { useOwnRedis, useProxiedRedis } from "../support/proxied-redis.js";
import { type RedisProxy, startRedisProxy } from "../support/redis-proxy.js";
import {
  collectionRecord,
  contentOf,
  databaseScope,
  membersRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { type RestoreOptions, remapMemory, replayerFor, restore, words } from "../support/redis-restore.js";

let server: RunningServer;
let proxy: RedisProxy;
let redis: Redis;

useProxiedRedis((started) => {
  ({ server, proxy, redis } = started);
});

const run = async (records: readonly RedisRecord[], options?: RestoreOptions) =>
  words(await restore(proxy.url, records, options));
const keys = async () => (await redis.keys("*")).sort();
const items = Array.from({ length: 2_500 }, (_, i) => [`item ${i}`]);
const BIG = 5 * 1024 * 1024;

/** As records of large files are: each chunk one text. */
function inPackedChunks(record: CollectionRecord): CollectionRecord {
  return {
    ...record,
    packedChunks: async function* () {
      for await (const chunk of record.elements()) {
        const parts = chunk.flat();
        const ranges = new Uint32Array(parts.length * 2);
        for (let i = 0, at = 0; i < parts.length; i++) {
          ranges[i * 2] = at;
          at += parts[i]?.length ?? 0;
          ranges[i * 2 + 1] = at;
        }
        yield { bytes: Buffer.concat(parts), ranges };
      }
    },
  };
}

describe.each(["cut", "lose-answer"] as const)("%s", (fault) => {
  it("of one of several HSETs under way leaves the hash whole, and no other key", async () => {
    const fields = Array.from({ length: 5_000 }, (_, i) => [`field ${i}`, `value ${i}`]);
    const before = proxy.faults;
    proxy.order("HSET", fault);
    expect(await run([inPackedChunks(collectionRecord("hash", "k", fields))])).toEqual(["restored"]);
    expect(proxy.faults).toBe(before + 1);
    expect(await redis.hgetall("k")).toEqual(Object.fromEntries(fields));
    expect(await keys()).toEqual(["k"]);
  });

  it("of a SET is repeated", async () => {
    const before = proxy.faults;
    proxy.order("SET", fault);
    expect(await run([stringRecord("k", "v")])).toEqual(["restored"]);
    expect(proxy.faults).toBe(before + 1);
    expect(await redis.get("k")).toBe("v");
  });

  it("of a SET NX ends as restored when the value is ours", async () => {
    proxy.order("NX", fault);
    const [outcome] = await restore(proxy.url, [stringRecord("k", "v")], { mode: "skip-existing" });
    expect(outcome?.kind).toBe("restored");
    expect(await redis.get("k")).toBe("v");
  });

  it("of a SET NX ends as skipped when the value is another's", async () => {
    await redis.set("k", "other");
    proxy.order("NX", fault);
    expect(await run([stringRecord("k", "v")], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
    expect(await redis.get("k")).toBe("other");
  });

  it.each([
    collectionRecord("hash", "k", [["a", "1"]]),
    collectionRecord("set", "k", [["a"]]),
    collectionRecord("zset", "k", [
      ["1.50", "a"],
      ["+inf", "b"],
    ]),
    collectionRecord("list", "k", [["b"], ["a"]]),
  ])("of a conditional write of a $type ends as restored when it is ours", async (record) => {
    proxy.order("absent", fault);
    const [outcome] = await restore(proxy.url, [record], { mode: "skip-existing" });
    expect(outcome?.kind).toBe("restored");
    expect(await keys()).toEqual(["k"]);
  });

  it("of a HyperLogLog's conditional write ends as restored when it is ours", async () => {
    proxy.order("absent", fault);
    const [outcome] = await restore(proxy.url, [membersRecord("k", ["a"])], { mode: "skip-existing" });
    expect(outcome?.kind).toBe("restored");
    expect(await keys()).toEqual(["k"]);
  });

  it("of a HyperLogLog's conditional write ends as skipped when it is another's", async () => {
    await redis.pfadd("k", "b");
    proxy.order("absent", fault);
    expect(await run([membersRecord("k", ["a"])], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
    expect(await redis.pfcount("k")).toBe(1);
  });

  it("in the middle of a long list doubles and loses nothing", async () => {
    proxy.order("item 1500", fault);
    expect(await run([collectionRecord("list", "k", items)])).toEqual(["restored"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(items.flat());
    expect(await keys()).toEqual(["k"]);
  });

  it("of the commit of a long list leaves the list once and nothing temporary", async () => {
    proxy.order("RENAME", fault);
    expect(await run([collectionRecord("list", "k", items)], { mode: "skip-existing" })).toEqual(["restored"]);
    expect(await redis.llen("k")).toBe(2_500);
    expect(await keys()).toEqual(["k"]);
  });

  it("while appending to a list adds every item once", async () => {
    await redis.rpush("k", "first");
    proxy.order("item 1500", fault);
    const options = { mode: "merge", strategies: { list: "append" } } as const;
    expect(await run([collectionRecord("list", "k", items)], options)).toEqual(["restored"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["first", ...items.flat()]);
    expect(await keys()).toEqual(["k"]);
  });

  it("while appending to a stream adds every entry once and hands on every new id", async () => {
    await redis.xadd("k", "1-1", "a", "b");
    proxy.order("item 1500", fault);
    const remaps = remapMemory();
    const record = streamRecord(
      "k",
      items.map(([item = ""], i) => [`${i + 1}-0`, "f", item]),
    );
    const options = { mode: "merge", strategies: { stream: "auto-id" }, target: { remaps } } as const;
    expect(await run([record], options)).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(2_501);
    const ids = (await redis.xrange("k", "-", "+")).map(([id]) => id).slice(1);
    expect(remaps.lines.map((line) => line.new_id)).toEqual(ids);
    expect(remaps.lines.map((line) => line.original_id)).toEqual(items.map((_, i) => `${i + 1}-0`));
  });

  it("while a stream is built keeps every entry", async () => {
    proxy.order("item 1500", fault);
    const record = streamRecord(
      "k",
      items.map(([item = ""], i) => [`${i + 1}-0`, "f", item]),
    );
    expect(await run([record])).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(2_500);
  });

  it("while entries are added to a stream counts each once, as restored", async () => {
    await redis.xadd("k", "1-0", "f", "item 0");
    proxy.order("item 1500", fault);
    const record = streamRecord(
      "k",
      items.map(([item = ""], i) => [`${i + 1}-0`, "f", item]),
    );
    const [outcome] = await restore(proxy.url, [record], { mode: "skip-existing" });
    expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 2_499, skippedExisting: 1, rejected: 0 } });
    expect(await redis.xlen("k")).toBe(2_500);
  });

  it("in the middle of a streamed value is repeated from its start", async () => {
    const value = Buffer.alloc(BIG, "x");
    value.write("needle", BIG / 2);
    proxy.order("needle", fault);
    expect(await run([stringRecord("k", value)])).toEqual(["restored"]);
    expect((await redis.getBuffer("k"))?.equals(value)).toBe(true);
  });
});

describe("a file that changed after the check", () => {
  const broken = (bytes: Buffer, after: number): Content => ({
    ...contentOf(bytes),
    buffer: () => Promise.reject(changed()),
    blocks: async function* () {
      yield bytes.subarray(0, after);
      throw changed();
    },
  });
  const changed = () => new RestoreError("CHANGED_AFTER_CHECK", "redis/db_0/strings/k.bin changed after the check");

  it.each([10, BIG])("leaves no key behind (%i bytes)", async (size) => {
    await redis.set("other", "x");
    const record = stringRecord("k", broken(Buffer.alloc(size, "x"), size - 1));
    for (const mode of ["none", "merge", "skip-existing"] as const) {
      const outcomes = await run([record, stringRecord("fine", "v")], { mode });
      expect(outcomes[0]).toBe("failed/changed-after-check");
      expect(await keys()).toEqual(["fine", "other"]);
    }
  });

  it("leaves the old value and no temporary key of a long collection", async () => {
    await redis.rpush("k", "old");
    const whole = collectionRecord("list", "k", items);
    const record = {
      ...whole,
      elements: async function* () {
        for await (const chunk of whole.elements()) {
          yield chunk;
          throw changed();
        }
      },
    };
    expect(await run([record], { mode: "replace" })).toEqual(["failed/changed-after-check"]);
    expect(await keys()).toEqual(["k"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["old"]);
  });
});

describe("an outage", () => {
  it("ends the run instead of failing records", async () => {
    const gone = await startRedisProxy(server.endpoint);
    const replayer = replayerFor(gone.url, { maxRetryTimeMs: 100 });
    await replayer.probe();
    await gone.stop();
    const records = [
      stringRecord("k", "v"),
      collectionRecord("list", "l", items),
      stringRecord("b", Buffer.alloc(BIG)),
    ];
    for (const record of records) {
      await expect(replayer.write(databaseScope(), [record])).rejects.toMatchObject({ code: "OUTAGE" });
    }
    await replayer.close();
  });

  it("before anything is written is an unreachable target", async () => {
    const gone = await startRedisProxy(server.endpoint);
    await gone.stop();
    const replayer = replayerFor(gone.url, { maxRetryTimeMs: 100 });
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
    await replayer.close();
  });
});

describe("a server of its own", () => {
  let own: RunningServer;
  let admin: Redis;

  useOwnRedis((...started) => {
    [own, admin] = started;
  });

  it("that is full stops the run and keeps what is there", async () => {
    await admin.set("k", "kept");
    await admin.config("SET", "maxmemory", "1");
    const records = [collectionRecord("hash", "k", [["a", "b"]]), stringRecord("s", "v")];
    for (const record of records) {
      await expect(restore(own.endpoint, [record])).rejects.toMatchObject({ code: "TARGET_FULL" });
    }
    expect(await admin.get("k")).toBe("kept");
  });

  it("that evicts is named in the plan", async () => {
    await admin.config("SET", "maxmemory", "100mb");
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    const replayer = replayerFor(own.endpoint);
    expect((await replayer.probe()).fallbacks).toEqual([expect.stringMatching(/allkeys-lru/)]);
    const state = await replayer.inspect(databaseScope(), async function* () {});
    expect(state.warnings).toEqual([expect.stringMatching(/allkeys-lru/)]);
    await replayer.close();
  });

  it("that refuses the password is told apart from one that is away", async () => {
    await admin.config("SET", "requirepass", "secret");
    const withPassword = own.endpoint.replace("://", "://:wrong@");
    for (const url of [own.endpoint, withPassword]) {
      const replayer = replayerFor(url);
      const error: unknown = await replayer.probe().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "TARGET_CREDENTIALS" });
      expect(String(error)).not.toContain("wrong");
      await replayer.close();
    }
    const right = own.endpoint.replace("://", "://:secret@");
    expect(words(await restore(right, [stringRecord("k", "v")]))).toEqual(["restored"]);
  });

  it("whose user may not write is told so", async () => {
    await admin.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+info", "+command", "+select");
    const url = own.endpoint.replace("://", "://reader:pw@");
    await expect(restore(url, [stringRecord("k", "v")])).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });

  it("whose user may not run scripts is told so before anything is deleted", async () => {
    await admin.call("ACL", "SETUSER", "noscripts", "on", ">pw", "~*", "+@all", "-eval");
    await admin.set("precious", "1");
    const { port } = new URL(own.endpoint);
    const replayer = replayerFor(`redis://noscripts:pw@127.0.0.1:${port}`, { mode: "replace" });
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
    await replayer.close();
    expect(await admin.get("precious")).toBe("1");
  });

  it.each([
    stringRecord("k", "v"),
    collectionRecord("hash", "k", [["a", "1"]]),
    streamRecord("k", [["1-1", "a", "b"]]),
  ])("that lacks replicas for a while is waited for, with a $kind", async (record) => {
    await admin.config("SET", "min-replicas-to-write", "1");
    const waiting = restore(own.endpoint, [record], { mode: "merge" });
    await expect.poll(async () => (await admin.info("errorstats")).includes("errorstat_NOREPLICAS")).toBe(true);
    await admin.config("SET", "min-replicas-to-write", "0");
    expect(words(await waiting)).toEqual(["restored"]);
  });

  it("that is a replica is unfit", async () => {
    await admin.replicaof("127.0.0.1", 1);
    const replayer = replayerFor(own.endpoint);
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_UNFIT" });
    await replayer.close();
  });
});

it.each([
  ["DEL", "list"],
  ["DEL", "hash"],
  ["DEL", "set"],
  ["DEL", "zset"],
  ["item 500,", "list"],
] as const)("%s that arrives long after its connection broke loses and doubles nothing of a %s", async (text, type) => {
  const elements = Array.from({ length: 2_500 }, (_, i) => {
    const name = `item ${i},`;
    return type === "hash" ? [name, "v"] : type === "zset" ? ["1", name] : [name];
  });
  const before = proxy.faults;
  proxy.deliverLate(text, "item 1500,");
  expect(await run([collectionRecord(type, "k", elements)])).toEqual(["restored"]);
  expect(proxy.faults).toBe(before + 1);
  const count = { list: "LLEN", hash: "HLEN", set: "SCARD", zset: "ZCARD" }[type];
  expect(await redis.call(count, "k")).toBe(2_500);
  expect(await keys()).toEqual(["k"]);
});

it("DEL that arrives long after its connection broke loses nothing of a stream", async () => {
  const entries = Array.from({ length: 2_500 }, (_, i) => [`${i + 1}-1`, "item", `${i},`] as const);
  proxy.deliverLate("DEL", "1500,");
  expect(await run([streamRecord("k", entries)])).toEqual(["restored"]);
  expect(await redis.xlen("k")).toBe(2_500);
});

it("after a restart between two databases is another process to the one that was done before, too", async () => {
  const first = await startRedis();
  const second = await startRedis();
  let target = Number(new URL(first.endpoint).port);
  const { createServer, connect } = await import("node:net");
  const relay = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const replayer = replayerFor(`redis://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  const [done, other] = [databaseScope(0), databaseScope(1)];
  try {
    expect(words(await replayer.write(done, [stringRecord("a", "v")]))).toEqual(["restored"]);
    const before = await replayer.incarnation?.(done);
    expect(before).toMatch(/^[0-9a-f]{40}$/);
    target = Number(new URL(second.endpoint).port);
    await first.stop();
    expect(words(await replayer.write(other, [stringRecord("b", "v")]))).toEqual(["restored"]);
    expect(await replayer.incarnation?.(done)).not.toBe(before);
  } finally {
    await replayer.close();
    relay.close();
    await second.stop();
  }
});

it("after a restart of the server goes on writing and says that it is another process", async () => {
  const first = await startRedis();
  const port = Number(new URL(first.endpoint).port);
  const second = await startRedis();
  const replayer = replayerFor(first.endpoint);
  try {
    const scope = databaseScope();
    expect(words(await replayer.write(scope, [stringRecord("a", "v")]))).toEqual(["restored"]);
    const before = await replayer.incarnation?.(scope);
    expect(await replayer.incarnation?.(scope)).toBe(before);
    await first.stop();
    // Another process answers on the old address.
    const { createServer, connect } = await import("node:net");
    const relay = createServer((client) => {
      const upstream = connect(Number(new URL(second.endpoint).port), "127.0.0.1");
      client.pipe(upstream).pipe(client);
      client.on("error", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(port, "127.0.0.1", resolve));
    expect(words(await replayer.write(scope, [stringRecord("b", "v")]))).toEqual(["restored"]);
    expect(await replayer.incarnation?.(scope)).not.toBe(before);
    await replayer.finish(scope);
    await replayer.close();
    await new Promise((resolve) => relay.close(resolve));
  } finally {
    await replayer.close();
    await second.stop();
  }
});
