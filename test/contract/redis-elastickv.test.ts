/** What only elastickv's Redis port is asked, beside the contract: how it is known, and what it cannot hold. */
import { describe, expect, it } from "vitest";

import {
  collectionRecord,
  databaseScope,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { words } from "../support/redis-restore.js";
import { elastickvRedis } from "../support/servers/redis.js";
import { RedisBench } from "../support/servers/redis-bench.js";

describe.skipIf(elastickvRedis.missing !== undefined)("elastickv", () => {
  const bench = new RedisBench(elastickvRedis);

  it("is recognised and never listed", async () => {
    const replayer = bench.replayerFor();
    expect(await replayer.probe()).toMatchObject({ server: "elastickv", canCount: false });
    const own = async function* () {
      yield stringRecord("a", "x");
      yield stringRecord("text", "x");
    };
    expect(await replayer.inspect(databaseScope(), own)).toMatchObject({ presence: "empty" });
    await bench.redis.set("text", "x");
    expect(await replayer.inspect(databaseScope(), own)).toMatchObject({ presence: "holds-records" });
  });

  it("says that FLUSHDB leaves streams, and deletes those whose names the dump holds", async () => {
    await bench.redis.xadd("stream", "1-1", "a", "b");
    await bench.redis.xadd("foreign", "1-1", "a", "b");
    await bench.redis.set("text", "gone");
    const replayer = bench.replayerFor({ mode: "replace" });
    expect((await replayer.empty(databaseScope())).warnings).toEqual([expect.stringMatching(/streams/)]);
    const outcomes = await replayer.write(databaseScope(), [stringRecord("stream", "x", 1_000)]);
    expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
    expect(await bench.keys()).toEqual(["foreign"]);
  });

  it("rejects what it cannot hold and names the rest", async () => {
    const outcomes = await bench.restore([
      sketchRecord("hll", "HYLL"),
      membersRecord("bad", ["a", Buffer.from([255])]),
      streamRecord("mixed", [
        ["1-1", "a", Buffer.from([255])],
        ["1-2", "a", "b"],
      ]),
      streamRecord("ahead", [["1-1", "a", "b"]], { lastId: "9-9" }),
      stringRecord("k", "x", 2n ** 62n),
    ]);
    expect(words(outcomes)).toEqual([
      "rejected/sketch-not-supported",
      "rejected/not-utf8",
      "rejected/not-utf8",
      "restored",
      "restored",
    ]);
    expect(outcomes[2]?.entries).toMatchObject({ restored: 1, rejected: 1 });
    expect(outcomes[3]?.notes).toMatchObject([{ kind: "last-id-not-restored" }]);
    expect(outcomes[4]?.notes).toMatchObject([{ kind: "expiry-clamped" }]);
    expect(await bench.keys()).toEqual(["ahead", "k", "mixed"]);
  });

  it("holds a list over the size that it can rename", async () => {
    const items = Array.from({ length: 101_000 }, (_, i) => [`i${i}`]);
    expect(await bench.run([collectionRecord("list", "list", items, Date.now() + 600_000)])).toEqual(["restored"]);
    expect(await bench.redis.llen("list")).toBe(101_000);
    expect(await bench.redis.pttl("list")).toBeGreaterThan(0);
  }, 60_000);
});
