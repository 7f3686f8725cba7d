/** Streams in every mode: their entries, ids and what they go on after. */
import { describe, expect, it } from "vitest";
import { streamRecord } from "../../support/redis-records.js";
import { remapMemory } from "../../support/redis-restore.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

export function redisStreams(server: RedisServer): void {
  const bench = new RedisBench(server);

  describe("streams", () => {
    const entries = [
      ["5-1", "b", "2", "a", "1", "b", "3"],
      ["5-2", "a", Buffer.from([13, 0, 10])],
      ["18446744073709551615-0", "last", "ms"],
    ] as const;
    const record = (at?: number) => streamRecord("k", entries, at === undefined ? {} : { expireAtMs: at });
    const held = async () =>
      ((await bench.redis.xrangeBuffer("k", "-", "+")) as unknown as [Buffer, Buffer[]][]).map(([id, fields]) => [
        id.toString(),
        ...fields.map((field) => (field.equals(Buffer.from([13, 0, 10])) ? "binary" : field.toString())),
      ]);
    const whole = [
      ["5-1", "b", "2", "a", "1", "b", "3"],
      ["5-2", "a", "binary"],
      ["18446744073709551615-0", "last", "ms"],
    ];
    it.each(["none", "replace", "merge", "skip-existing"] as const)(
      "keep ids, order and repeated names (%s)",
      async (mode) => {
        const at = Date.now() + 90_000;
        const [outcome] = await bench.restore([record(at)], { mode });
        expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 3, skippedExisting: 0, rejected: 0 } });
        expect(await held()).toEqual(whole);
        await bench.expectExpiry("k", at);
        expect(await bench.keys()).toEqual(["k"]);
      },
    );

    it("keep names and values that are no text", async () => {
      const bytes = Buffer.from([255, 0, 10]);
      expect(await bench.run([streamRecord("k", [["1-1", bytes, bytes]])])).toEqual(["restored"]);
      expect(await bench.redis.xrangeBuffer("k", "-", "+")).toEqual([[Buffer.from("1-1"), [bytes, bytes]]]);
    });

    it.each(["none", "merge", "skip-existing"] as const)(
      "that are empty exist with their last id (%s)",
      async (mode) => {
        expect(await bench.run([streamRecord("k", [], { lastId: "77-3" })], { mode })).toEqual(["restored"]);
        expect(await bench.redis.xlen("k")).toBe(0);
        expect(await bench.redis.type("k")).toBe("stream");
        expect(await bench.view.goesOnAfter("k", "77-3")).toBe(true);
      },
    );

    it("that are empty and without a known last id exist and take any id", async () => {
      expect(await bench.run([streamRecord("k", [])])).toEqual(["restored"]);
      expect(await bench.view.goesOnAfter("k", "0-0")).toBe(true);
      expect(await bench.redis.xadd("k", "0-1", "a", "b")).toBe("0-1");
      expect(await bench.redis.call("XINFO", "GROUPS", "k")).toEqual([]);
    });

    it("keep a last id above the top entry", async () => {
      const [outcome] = await bench.restore([streamRecord("k", [["1-1", "a", "b"]], { lastId: "9-9" })]);
      expect(outcome).toMatchObject({ kind: "restored" });
      expect(outcome?.notes ?? []).toEqual([]);
      await expect(bench.redis.xadd("k", "9-9", "a", "b")).rejects.toThrow(/equal or smaller/);
    });

    it("with unreadable entries are rejected, the others written", async () => {
      const [outcome] = await bench.restore([streamRecord("k", [["1-1", "a", "b"]], { faulty: ["2-2"] })]);
      expect(outcome).toMatchObject({
        kind: "rejected",
        entries: { restored: 1, rejected: 1, refused: [{ id: "2-2", reason: "malformed-json" }] },
      });
      expect(await bench.redis.xlen("k")).toBe(1);
    });

    it("with an entry that the target refuses are rejected, the others written", async () => {
      const [outcome] = await bench.restore([
        streamRecord("k", [
          ["0-0", "a", "b"],
          ["2-2", "a", "b"],
          ["2-1", "a", "b"],
        ]),
      ]);
      expect(outcome).toMatchObject({
        kind: "rejected",
        reason: "id-below-top",
        entries: { restored: 1, rejected: 2 },
      });
      expect(await bench.redis.xlen("k")).toBe(1);
    });

    it("take the place of anything in replace", async () => {
      await bench.redis.set("k", "x");
      expect(await bench.run([record()], { mode: "replace" })).toEqual(["restored"]);
      expect(await held()).toEqual(whole);
    });

    it("take entries of more fields than a script can", async () => {
      const fields = Array.from({ length: 12_000 }, (_, i) => `f${i}`);
      expect(
        await bench.run([
          streamRecord("k", [
            ["1-1", "a", "b"],
            ["1-2", ...fields],
            ["1-3", "a", "b"],
          ]),
        ]),
      ).toEqual(["restored"]);
      expect(await bench.redis.xlen("k")).toBe(3);
    });

    describe("under merge", () => {
      it("are skipped where the target has exactly their entries", async () => {
        await bench.run([record()]);
        expect(await bench.run([record()], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
      });

      it("get the dump's expiry and last id where the target has exactly their entries", async () => {
        const expireAtMs = BigInt(Date.now() + 3_600_000);
        const dumped = { ...record(), expireAtMs, lastId: "18446744073709551615-9" };
        await bench.run([record()]);
        await bench.redis.pexpire("k", 60_000);
        expect(await bench.run([dumped], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
        await bench.expectExpiry("k", Number(expireAtMs));
        expect(await bench.view.goesOnAfter("k", "18446744073709551615-9")).toBe(true);
      });

      it("never lower the last id that the target has", async () => {
        await bench.run([record()]);
        await bench.redis.call("XSETID", "k", "18446744073709551615-9");
        const lower = { ...record(), lastId: "18446744073709551615-5" };
        expect(await bench.run([lower], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
        expect(await bench.view.goesOnAfter("k", "18446744073709551615-9")).toBe(true);
      });

      it("are rejected by another stream that is not empty", async () => {
        await bench.redis.xadd("k", "1-1", "x", "y");
        expect(await bench.run([record()], { mode: "merge" })).toEqual(["rejected/exists"]);
        expect(await bench.redis.xlen("k")).toBe(1);
      });

      it("are rejected by one with a differing entry under the same id", async () => {
        await bench.run([record()]);
        const changed = streamRecord("k", [...entries.slice(0, 2), ["18446744073709551615-0", "last", "MS"]]);
        expect(await bench.run([changed], { mode: "merge" })).toEqual(["rejected/exists"]);
      });

      it("are rejected by another type", async () => {
        await bench.redis.set("k", "x");
        expect(await bench.run([record()], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
      });

      it("go into an empty stream, whose group stays", async () => {
        await bench.redis.xgroup("CREATE", "k", "readers", "0", "MKSTREAM");
        expect(await bench.run([record()], { mode: "merge" })).toEqual(["restored"]);
        expect(await held()).toEqual(whole);
        expect(await bench.redis.call("XINFO", "GROUPS", "k")).toHaveLength(1);
      });

      it("are refused entry by entry by an empty stream that is ahead", async () => {
        await bench.redis.xadd("k", "MAXLEN", 0, "5-1", "x", "y");
        expect(await bench.run([record()], { mode: "merge" })).toEqual(["rejected/id-below-top"]);
        expect(await bench.redis.xlen("k")).toBe(2);
      });
    });

    describe("under auto-id", () => {
      const auto = { mode: "merge", strategies: { stream: "auto-id" } } as const;

      it("go behind what is there under new ids, which are handed on", async () => {
        await bench.redis.xadd("k", "1-1", "x", "y");
        const remaps = remapMemory();
        const small = streamRecord("k", [
          ["5-1", "a", "1", "a", "2"],
          ["5-2", "b", "3"],
        ]);
        const [outcome] = await bench.restore([small], { ...auto, target: { remaps } });
        expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 2 } });
        const now = await held();
        expect(now.map(([, ...fields]) => fields)).toEqual([
          ["x", "y"],
          ["a", "1", "a", "2"],
          ["b", "3"],
        ]);
        expect(remaps.lines).toEqual([
          { original_id: "5-1", new_id: now[1]?.[0] },
          { original_id: "5-2", new_id: now[2]?.[0] },
        ]);
        expect(remaps.closed).toBe(1);
        expect(await bench.keys()).toEqual(["k"]);
      });

      it("keep their own ids where the target has no such stream", async () => {
        const remaps = remapMemory();
        expect(await bench.run([record()], { ...auto, target: { remaps } })).toEqual(["restored"]);
        expect(await held()).toEqual(whole);
        expect(remaps.lines).toEqual([]);
        expect(await bench.keys()).toEqual(["k"]);
      });

      it("are rejected by another type", async () => {
        await bench.redis.set("k", "x");
        expect(await bench.run([record()], auto)).toEqual(["rejected/wrong-type"]);
      });
    });

    describe("under skip-existing", () => {
      const skip = { mode: "skip-existing" } as const;

      it("count entries that are there, add those above, and leave the expiry", async () => {
        await bench.redis.xadd("k", "5-1", "b", "2", "a", "1", "b", "3");
        const [outcome] = await bench.restore([record(Date.now() + 90_000)], skip);
        expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 2, skippedExisting: 1, rejected: 0 } });
        expect(await held()).toEqual(whole);
        expect(await bench.redis.pttl("k")).toBe(-1);
      });

      it("are skipped when every entry is there", async () => {
        await bench.run([record()]);
        await bench.redis.pexpire("k", 50_000);
        const [outcome] = await bench.restore([record()], skip);
        expect(outcome).toMatchObject({ kind: "skipped-existing", entries: { restored: 0, skippedExisting: 3 } });
        expect(await bench.redis.pttl("k")).toBeGreaterThan(0);
      });

      it("reject an id at or below the top that is not there, and one with other fields", async () => {
        await bench.redis.xadd("k", "5-1", "other", "fields");
        await bench.redis.xadd("k", "5-9", "top", "entry");
        const [outcome] = await bench.restore([record()], skip);
        expect(outcome).toMatchObject({
          kind: "rejected",
          reason: "id-below-top",
          entries: { restored: 1, rejected: 2, refused: [{ id: "5-1" }, { id: "5-2" }] },
        });
        expect((await held()).map(([id]) => id)).toEqual(["5-1", "5-9", "18446744073709551615-0"]);
      });

      it("reject entries below the last id of an emptied stream", async () => {
        await bench.redis.xadd("k", "MAXLEN", 0, "5-1", "x", "y");
        const [outcome] = await bench.restore([record()], skip);
        expect(outcome).toMatchObject({
          kind: "rejected",
          entries: { restored: 2, rejected: 1, refused: [{ id: "5-1" }] },
        });
      });

      it("leave another type", async () => {
        await bench.redis.set("k", "x");
        expect(await bench.run([record()], skip)).toEqual(["skipped-existing/wrong-type"]);
        expect(await bench.redis.get("k")).toBe("x");
      });
    });
  });
}
