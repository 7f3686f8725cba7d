/**
 * Collections in large files, written while they are judged: sound or at fault, each ends as if it had been judged
 * before it was written, and the target holds the same.
 */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/model/outcome.js";
import type { DumpRecord, UnjudgedCollection } from "../../src/model/record.js";
import { temporaryKey } from "../../src/replayers/redis/own-keys.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import { eachOf } from "../../src/support/breathing.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type DumpFile, temporaryDump } from "../support/dump-builder.js";
import { redisAnswer } from "../support/faults/answers.js";
import { startRedisFaultProxy } from "../support/faults/redis-proxy.js";
import { useProxiedRedis } from "../support/proxied-redis.js";
import { EVERYTHING, withDump } from "../support/read-dump.js";
import type { RedisProxy } from "../support/redis-proxy.js";
import { databaseScope } from "../support/redis-records.js";
import { notebookInMemory, type RestoreOptions, replayerFor, words } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";
import { edit } from "../support/tampering.js";

const JOB = "00000000000000cc";
const LATER = 4_102_444_800_000;

const SHAPES = {
  hash: { folder: "hashes", container: "fields", element: (name: string) => `{"name":"${name}","value":"v ${name}"}` },
  list: { folder: "lists", container: "items", element: (name: string) => `"${name}"` },
  set: { folder: "sets", container: "members", element: (name: string) => `"${name}"` },
  zset: { folder: "zsets", container: "members", element: (name: string) => `{"member":"${name}","score":1.50}` },
} as const;
type Type = keyof typeof SHAPES;
const TYPES = Object.keys(SHAPES) as Type[];

/** Names of elements that fill more than a block. */
const names = Array.from({ length: 9_500 }, (_, i) => `name ${i} ${"x".repeat(110)}`);
const SPACE = " ".repeat(1_100_000);

/** Texts of one type by what is the matter with them, which is the name of the key as well. */
function textsOf(type: Type): Record<string, DumpFile> {
  const { container, element } = SHAPES[type];
  const all = names.map(element);
  const text = (elements: readonly string[], rest = ',"expire_at_ms":null', before = '"format_version":1,') =>
    `{${before}"${container}":[${elements.join(",")}]${rest}}`;
  const whole = text(all);
  const end = whole.length - 100;
  return {
    whole,
    "a-few-large": text(["a", "b", "c"].map((letter) => element(letter.repeat(400_000)))),
    "with-an-expiry": text(all, `,"expire_at_ms":${LATER}`),
    "expiry-in-front": text(all, "", `"expire_at_ms":${LATER},`),
    "past-at-the-end": text(all, ',"expire_at_ms":1'),
    "past-in-front": text(all, "", '"expire_at_ms":1,'),
    "past-and-torn": text(all, ",", '"expire_at_ms":1,'),
    "past-and-empty": text([], `,"expire_at_ms":1${SPACE}`),
    empty: text([], SPACE),
    null: `{"${container}":null${SPACE}}`,
    "name-again": text([...all, all[9_000] ?? ""]),
    "name-again-and-torn": text([...all, all[7] ?? "", "oops"]),
    "torn-and-name-again": text([...all, "oops", all[7] ?? ""]),
    "number-at-the-end": text([...all, "5"]),
    "cut-off": whole.slice(0, end),
    "text-behind": `${whole} x`,
    "nothing-there": `{"format_version":1${SPACE}}`,
    "other-elements": text(all).replace(container, "others"),
    "elements-again": text(all, `,"${container}":[]`),
    "newer-format": text(all, ',"format_version":2', ""),
    "late-expiry": text(all, ',"expire_at_ms":9223372036854775808'),
    "bad-utf8": Buffer.concat([Buffer.from(whole.slice(0, end)), Buffer.from([0xff]), Buffer.from(whole.slice(end))]),
  };
}

const files = Object.fromEntries(
  TYPES.flatMap((type) =>
    Object.entries(textsOf(type)).map(([what, text]) => [
      `redis/db_0/${SHAPES[type].folder}/${type}-${what}.json`,
      text,
    ]),
  ),
);

let server: RunningServer;
let proxy: RedisProxy;
let redis: Redis;
const replayers: Replayer[] = [];

useProxiedRedis((started) => {
  ({ server, proxy, redis } = started);
});
afterEach(async () => {
  for (const replayer of replayers.splice(0)) await replayer.close();
});

function newReplayer(options: RestoreOptions, url = server.endpoint): Replayer<"redis"> {
  const replayer = replayerFor(url, { jobId: JOB, ...options });
  replayers.push(replayer);
  return replayer;
}

type AnyRecord = DumpRecord<"redis"> | UnjudgedCollection;

/** Reads a dump of these files, checked, in one of the two ways. */
async function reading<T>(
  content: Record<string, DumpFile>,
  use: (records: (way: Way) => AsyncIterable<AnyRecord>, path: string) => Promise<T>,
): Promise<T> {
  const { path, remove } = await temporaryDump({ files: content });
  try {
    return await withDump(path, async (dump) => {
      await dump.check();
      const [scope] = await dump.scopes(EVERYTHING);
      if (scope === undefined) throw new Error("no database");
      const reader = dump.reader(scope);
      const records = (way: Way) =>
        eachOf<AnyRecord>(
          (way === "judged" ? reader.batches() : (reader.batchesToWrite?.() ?? [])) as AsyncIterable<AnyRecord[]>,
        );
      return await use(records, path);
    });
  } finally {
    await remove();
  }
}

type Way = "judged" | "unjudged";

async function endOf(replayer: Replayer<"redis">, record: AnyRecord): Promise<Outcome> {
  if (record.kind === "faulty") return { kind: record.outcome, reason: record.reason, detail: record.detail };
  const [outcome] = await replayer.write(databaseScope(), [record]);
  if (outcome === undefined) throw new Error("no outcome");
  return outcome;
}

/** Of all keys, what they hold, and whether they expire. */
async function held(): Promise<Record<string, unknown>> {
  const keys = (await redis.keys("*")).sort();
  const content = {
    hash: async (key: string) => Object.entries(await redis.hgetall(key)).sort(),
    list: (key: string) => redis.lrange(key, 0, -1),
    set: async (key: string) => (await redis.smembers(key)).sort(),
    zset: (key: string) => redis.zrange(key, "0", "-1", "WITHSCORES"),
    string: (key: string) => redis.get(key),
  };
  const one = async (key: string) => {
    const type = (await redis.type(key)) as keyof typeof content;
    const digest = createHash("sha256").update(JSON.stringify(await content[type](key)));
    return [key, { type, digest: digest.digest("hex"), expires: (await redis.pttl(key)) > 0 }] as const;
  };
  return Object.fromEntries(await Promise.all(keys.map(one)));
}

describe("a collection in a large file", () => {
  const MODES: readonly (readonly [string, RestoreOptions, old: boolean])[] = [
    ["into an empty database", {}, false],
    ["over what is there", { mode: "replace" }, true],
    ["beside what is there", { mode: "skip-existing" }, true],
    ["merged into what is there", { mode: "merge" }, true],
    ["with times that are past", { ttl: "preserve" }, false],
  ];
  /** Keys under which something else stands already. */
  const OLD = ["whole", "past-in-front", "name-again", "cut-off"].flatMap((what) =>
    TYPES.map((type) => `${type}-${what}`),
  );

  async function endsOf(records: AsyncIterable<AnyRecord>, options: RestoreOptions, old: boolean) {
    await redis.flushall();
    if (old) await redis.mset(Object.fromEntries(OLD.map((key) => [key, "old"])));
    const replayer = newReplayer(options);
    const ends: unknown[] = [];
    const kinds = new Set<string>();
    for await (const record of records) {
      kinds.add(record.kind);
      const outcome = await endOf(replayer, record);
      const { displayKey, place, after, bytes } = record;
      ends.push({ displayKey, place, after, bytes, outcome });
    }
    return { kinds: [...kinds].sort(), ends, held: await held() };
  }

  it("ends as if it had been judged before", async () => {
    await reading(files, async (records) => {
      for (const [what, options, old] of MODES) {
        const judged = await endsOf(records("judged"), options, old);
        const unjudged = await endsOf(records("unjudged"), options, old);
        expect([judged.kinds, unjudged.kinds]).toEqual([["collection", "faulty"], ["unjudged"]]);
        expect(unjudged.ends, what).toEqual(judged.ends);
        expect(unjudged.held, what).toEqual(judged.held);
      }
    });
  }, 300_000);

  it("is taken back as soon as it turns out to be at fault, with all that was under way", async () => {
    await redis.config("RESETSTAT");
    await reading({ "redis/db_0/sets/k.json": textsOf("set")["name-again"] ?? "" }, async (records) => {
      for await (const record of records("unjudged")) {
        const outcome = await endOf(newReplayer({}), record);
        expect(outcome).toMatchObject({ kind: "rejected", reason: "duplicate-element" });
        expect(outcome.detail).toBe("element 9501 stands there a second time");
      }
    });
    expect(await redis.info("commandstats")).toContain("cmdstat_sadd");
    expect(await redis.keys("*")).toEqual([]);
  });

  it("of more names than are told apart quickly is written whole", async () => {
    const count = 1_100_000;
    const members = Array.from({ length: count }, (_, i) => `"${i}"`).join(",");
    await reading({ "redis/db_0/sets/all.json": `{"members":[${members}]}` }, async (records) => {
      for await (const record of records("unjudged")) {
        expect(await endOf(newReplayer({}), record)).toEqual({ kind: "restored" });
      }
    });
    expect(await redis.keys("*")).toEqual(["all"]);
    expect(await redis.scard("all")).toBe(count);
  }, 120_000);

  it("is not sent where its end says that its time is past", async () => {
    await redis.config("RESETSTAT");
    await reading({ "redis/db_0/lists/k.json": textsOf("list")["past-at-the-end"] ?? "" }, async (records) => {
      for await (const record of records("unjudged"))
        expect((await endOf(newReplayer({}), record)).kind).toBe("skipped-expired");
    });
    expect(await redis.info("commandstats")).not.toContain("rpush");
  });

  it("is at fault, whatever the target says of what it was sent before", async () => {
    await redis.config("SET", "proto-max-bulk-len", 1024 * 1024);
    try {
      const items = JSON.stringify(["x".repeat(1024 * 1024 + 1), "y"]);
      const files = {
        "redis/db_0/lists/cut.json": `{"items":${items}`,
        "redis/db_0/lists/past.json": `{"expire_at_ms":1,"items":${items}}`,
        "redis/db_0/lists/whole.json": `{"items":${items}}`,
      };
      await reading(files, async (records) => {
        const ends: string[] = [];
        const replayer = newReplayer({ maxRetryTimeMs: 100 });
        for await (const record of records("unjudged")) ends.push(words([await endOf(replayer, record)]).join());
        expect(ends.slice(0, 2)).toEqual(["rejected/malformed-json", "skipped-expired/expired"]);
        expect(ends[2], "whether the server's reason is heard before it hangs up").toMatch(
          /^(rejected\/value-too-large|failed\/kept-failing)$/,
        );
      });
    } finally {
      await redis.config("SET", "proto-max-bulk-len", 512 * 1024 * 1024);
    }
    expect(await redis.keys("*")).toEqual([]);
  });

  it("that changes after the check fails, and nothing of it stays", async () => {
    const path = "redis/db_0/lists/k.json";
    await reading({ [path]: textsOf("list")["whole"] ?? "" }, async (records, root) => {
      for await (const record of records("unjudged")) {
        edit(`${root}/${path}`, 1024 * 1024 + 7);
        const outcome = await endOf(newReplayer({}), record);
        expect(outcome).toMatchObject({ kind: "failed", reason: "changed-after-check" });
      }
    });
    expect(await redis.keys("*")).toEqual([]);
  });
});

describe("a large collection that an earlier process announced", () => {
  it.each(["whole", "name-again", "past-at-the-end", "empty"])(
    "(%s) ends with nothing beside its key",
    async (what) => {
      await reading({ "redis/db_0/hashes/k.json": textsOf("hash")[what] ?? "" }, async (records) => {
        await redis.hset(temporaryKey(JOB, Buffer.from("k")), "begun", "by the other");
        for await (const record of records("unjudged")) {
          const { kind } = await endOf(
            newReplayer({ mode: "skip-existing" }),
            Object.assign(record, { announcedAt: 1 }),
          );
          expect(await redis.keys("*")).toEqual(kind === "restored" ? ["k"] : []);
        }
      });
    },
  );

  it("is found again", async () => {
    await reading({ "redis/db_0/hashes/k.json": textsOf("hash")["whole"] ?? "" }, async (records) => {
      const ends: Outcome[] = [];
      for (const announced of [{}, { announcedAt: 1 }]) {
        for await (const record of records("unjudged"))
          ends.push(await endOf(newReplayer({ mode: "skip-existing" }), Object.assign(record, announced)));
      }
      expect(ends).toEqual([{ kind: "restored" }, { kind: "restored", reason: "found-after-interruption" }]);
    });
  });
});

describe.each(["cut", "lose-answer"] as const)("%s", (fault) => {
  it.each([
    ["list", "RPUSH"],
    ["list", "RENAME"],
    ["hash", "HSET"],
  ] as const)("while a large %s is written (%s) leaves it whole", async (type, command) => {
    const before = proxy.faults;
    await reading({ [`redis/db_0/${SHAPES[type].folder}/k.json`]: textsOf(type)["whole"] ?? "" }, async (records) => {
      proxy.order(command, fault);
      for await (const record of records("unjudged"))
        expect(await endOf(newReplayer({}, proxy.url), record)).toEqual({ kind: "restored" });
    });
    expect(proxy.faults).toBe(before + 1);
    expect(await redis.keys("*")).toEqual(["k"]);
    if (type === "list") expect(await redis.lrange("k", 0, -1)).toEqual(names);
    else expect((await redis.hkeys("k")).sort()).toEqual([...names].sort());
  });
});

describe("a large list", () => {
  it.each([
    ["the first batch", 1],
    ["the second batch", 2],
  ])("is in its order also where %s is put off while others are under way", async (_, putOff) => {
    const refusing = await startRedisFaultProxy(server.endpoint);
    try {
      let met = 0;
      refusing.follow(({ name }) => (name === "RPUSH" && ++met === putOff ? redisAnswer("BUSY") : "pass"));
      await reading({ "redis/db_0/lists/k.json": textsOf("list")["whole"] ?? "" }, async (records) => {
        for await (const record of records("unjudged"))
          expect(await endOf(newReplayer({}, refusing.endpoint), record)).toEqual({ kind: "restored" });
      });
      expect(met).toBeGreaterThan(putOff);
    } finally {
      await refusing.stop();
    }
    expect(await redis.keys("*")).toEqual(["k"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(names);
  });
});

describe("a replace key by key", () => {
  it("spares the key of a large record at fault, also once another process goes on", async () => {
    const target = { replaceStrategy: "per-key", empties: true } as const;
    const notebook = notebookInMemory();
    await redis.mset({ k: "old", other: "old" });
    await reading({ "redis/db_0/sets/k.json": textsOf("set")["name-again"] ?? "" }, async (records) => {
      const first = newReplayer({ mode: "replace", target, notebook });
      await first.empty(databaseScope());
      for await (const record of records("unjudged")) expect((await endOf(first, record)).kind).toBe("rejected");
      const second = newReplayer({ mode: "replace", target, notebook });
      await second.reopen?.(databaseScope(), "empty");
      await second.finish(databaseScope());
    });
    expect(await redis.keys("*")).toEqual(["k"]);
  });
});

describe("a job that is stopped while it writes a large record at fault", () => {
  it.each([
    ["resume", 3],
    ["cancel", 0],
  ] as const)("leaves nothing of it on the target once it is followed by %s", async (command, status) => {
    const { path, remove } = await temporaryDump({
      files: { "redis/db_0/lists/k.json": textsOf("list")["cut-off"] ?? "" },
    });
    const state = await mkdtemp(join(tmpdir(), "elastickv-restore-large-"));
    try {
      const interruption = new AbortController();
      const argv = ["apply", path, "--redis-url", server.endpoint, "--rate-limit", "300KiB/s", "--state-dir", state];
      const applied = runCli(argv, {}, { signal: interruption.signal });
      await expect.poll(() => redis.keys("elastickv-restore:*"), { timeout: 30_000, interval: 10 }).toHaveLength(1);
      interruption.abort();
      expect((await applied).status).toBe(130);
      expect(await redis.keys("elastickv-restore:*"), "what was begun").toHaveLength(1);
      const [id = ""] = await readdir(join(state, "jobs"));
      const followed = await runCli([command, id, "--state-dir", state]);
      expect(followed.status, followed.stderr).toBe(status);
      expect(await redis.keys("*")).toEqual([]);
    } finally {
      await rm(state, { recursive: true, force: true });
      await remove();
    }
  });
});
