/** Order, deduplication and groups of FIFO queues. */
import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../src/model/record.js";
import type { ModeName } from "../../../src/modes/mode.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { SqsTarget } from "../../../src/replayers/sqs/replayer.js";
import { systemClock } from "../../../src/support/clock.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { fifoMessage, policyOf, queueScope } from "../../support/sqs-records.js";

export function sqsFifo(server: ContractServer): void {
  const bench = sqsBench(server);

  function replayerFor(mode: ModeName, jobId = "0123456789abcdef", target: Partial<SqsTarget> = {}): Replayer<"sqs"> {
    return bench.replayerFor(mode, target, { policy: policyOf(mode, jobId) });
  }

  function uniqueName(): string {
    return bench.uniqueName(".fifo");
  }

  /** `perGroup` messages of each of `groups` groups, one group after another and round again. */
  function interleaved(groups: number, perGroup: number): MessageRecord[] {
    return Array.from({ length: groups * perGroup }, (_, i) => fifoMessage(i + 1, `g${i % groups}`));
  }

  async function bodiesByGroup(name: string): Promise<Map<string, string[]>> {
    const byGroup = new Map<string, string[]>();
    for (const { Body = "", Attributes } of await bench.queues.drain(name)) {
      const group = Attributes?.MessageGroupId ?? "";
      byGroup.set(group, [...(byGroup.get(group) ?? []), Body]);
    }
    return byGroup;
  }

  function expectedByGroup(records: readonly MessageRecord[]): Map<string, string[]> {
    const byGroup = new Map<string, string[]>();
    for (const { groupId = "", body } of records) {
      byGroup.set(groupId, [...(byGroup.get(groupId) ?? []), body.toString()]);
    }
    return byGroup;
  }

  describe("order", () => {
    it("is the dump's within each of 20 groups", async () => {
      const name = uniqueName();
      const records = interleaved(20, 15);
      const { totals } = await restore(replayerFor("none"), queueScope(name), records, "none");
      expect(totals.restored).toBe(300);
      expect(await bodiesByGroup(name)).toEqual(expectedByGroup(records));
    });

    it("is the dump's where one group holds everything", async () => {
      const name = uniqueName();
      const records = interleaved(1, 40);
      await restore(replayerFor("none"), queueScope(name), records, "none");
      expect(await bodiesByGroup(name)).toEqual(expectedByGroup(records));
    });

    it("is the dump's in a queue that existed before", async () => {
      const name = uniqueName();
      await bench.queues.create(name);
      const records = interleaved(20, 10);
      const { decision } = await restore(replayerFor("merge"), queueScope(name), records, "merge");
      expect(decision).toBe("keep");
      expect(await bodiesByGroup(name)).toEqual(expectedByGroup(records));
    });
  });

  describe("deduplication ids", () => {
    it("stay the dump's in a queue that the job created", async () => {
      const name = uniqueName();
      const { notes } = await restore(replayerFor("none"), queueScope(name), interleaved(3, 4), "none");
      expect(notes.get("rekeyed")).toBeUndefined();
      const ids = (await bench.queues.drain(name)).map(({ Attributes }) => Attributes?.MessageDeduplicationId);
      expect(ids.sort()).toEqual(Array.from({ length: 12 }, (_, i) => `d-${i + 1}`).sort());
    });

    it("that are repeated lose no message, and the first holder keeps its own", async () => {
      const name = uniqueName();
      const records = Array.from({ length: 12 }, (_, i) =>
        fifoMessage(i + 1, `g${i % 3}`, { deduplicationId: "same" }),
      );
      const { totals, notes } = await restore(replayerFor("none"), queueScope(name), records, "none");
      expect(totals.restored).toBe(12);
      expect(notes.get("rekeyed")).toBe(11);
      const received = await bench.queues.drain(name);
      expect(received.map(({ Body }) => Body).sort()).toEqual(records.map(({ body }) => body.toString()).sort());
      const kept = received.filter(({ Attributes }) => Attributes?.MessageDeduplicationId === "same");
      expect(kept.map(({ Body }) => Body)).toEqual(["body 1"]);
    });

    it("belong to their first holder in the file also where a run begins behind it", async () => {
      const name = uniqueName();
      const records = [1, 2].map((line) => fifoMessage(line, "g", { deduplicationId: "same" }));
      const replayer = replayerFor("none");
      await replayer.inspect(queueScope(name), async function* () {
        yield* records;
      });
      await replayer.create(queueScope(name));
      expect(await replayer.write(queueScope(name), records.slice(1))).toMatchObject([
        { notes: [{ kind: "rekeyed" }] },
      ]);
    });

    it("are made for bodies that are repeated in a content-based queue", async () => {
      const name = uniqueName();
      const records = Array.from({ length: 9 }, (_, i) =>
        fifoMessage(i + 1, "g", { deduplicationId: "", body: `body ${i % 3}` }),
      );
      const scope = queueScope(name, { contentBasedDeduplication: true });
      const { totals, notes } = await restore(replayerFor("none"), scope, records, "none");
      expect(totals.restored).toBe(9);
      expect(notes.get("rekeyed")).toBe(6);
      expect(await bench.queues.bodies(name)).toEqual(records.map(({ body }) => body.toString()));
    });

    it("that are empty are made where the queue is not content-based", async () => {
      const name = uniqueName();
      const records = [1, 2].map((line) => fifoMessage(line, "g", { deduplicationId: "", body: "same" }));
      const { totals } = await restore(replayerFor("none"), queueScope(name), records, "none");
      expect(totals.restored).toBe(2);
      expect(await bench.queues.bodies(name)).toEqual(["same", "same"]);
    });

    it("are all made under --fifo-dedup record", async () => {
      const name = uniqueName();
      const replayer = replayerFor("none", "00000000000000aa", { fifoDedup: "record" });
      const { notes } = await restore(replayer, queueScope(name), interleaved(2, 3), "none");
      expect(notes.get("rekeyed")).toBe(6);
      const received = await bench.queues.drain(name);
      expect(received).toHaveLength(6);
      for (const { Attributes } of received) {
        expect(Attributes?.MessageDeduplicationId).toMatch(/^restore-00000000000000aa-[0-9a-f]{36}$/);
      }
    });
  });

  describe("a second restore within five minutes", () => {
    it.each([false, true])("arrives in full, content-based %s", async (contentBasedDeduplication) => {
      const name = uniqueName();
      const scope = queueScope(name, { contentBasedDeduplication });
      const plain = interleaved(5, 8);
      const records = contentBasedDeduplication ? plain.map((record) => ({ ...record, deduplicationId: "" })) : plain;
      await restore(replayerFor("none", "00000000000000aa"), scope, records, "none");
      const second = await restore(replayerFor("merge", "00000000000000bb"), scope, records, "merge");
      expect(second.totals.restored).toBe(40);
      expect(second.notes.get("rekeyed")).toBe(40);
      const twice = [...expectedByGroup(records)].map(([group, bodies]) => [group, [...bodies, ...bodies]] as const);
      expect(await bodiesByGroup(name)).toEqual(new Map(twice));
    });

    it("arrives in full under --fifo-dedup record", async () => {
      const name = uniqueName();
      const records = interleaved(5, 8);
      for (const [mode, jobId] of [["none", "00000000000000aa"] as const, ["merge", "00000000000000bb"] as const]) {
        await restore(replayerFor(mode, jobId, { fifoDedup: "record" }), queueScope(name), records, mode);
      }
      expect(await bench.queues.bodies(name)).toHaveLength(80);
    });

    it("arrives in full after a replace", async () => {
      const name = uniqueName();
      const records = interleaved(5, 8);
      await restore(replayerFor("none", "00000000000000aa"), queueScope(name), records, "none");
      const second = await restore(replayerFor("replace", "00000000000000bb"), queueScope(name), records, "replace");
      expect(second.totals.restored).toBe(40);
      expect(await bodiesByGroup(name)).toEqual(expectedByGroup(records));
    });
  });

  describe("group ids", () => {
    it.each(["", undefined])("that are missing (%o) are rejected and spoil nothing else", async (groupId) => {
      const name = uniqueName();
      const { groupId: _, ...ungrouped } = fifoMessage(2, "g");
      const bad: MessageRecord = { ...ungrouped, lane: "", ...(groupId === undefined ? {} : { groupId }) };
      const records = [fifoMessage(1, "g"), bad, fifoMessage(3, "g")];
      const { outcomes, totals } = await restore(replayerFor("none"), queueScope(name), records, "none");
      expect(totals).toMatchObject({ restored: 2, rejected: 1 });
      expect(outcomes.get(2)).toMatchObject({ kind: "rejected", reason: "group-missing" });
      expect(await bench.queues.bodies(name)).toEqual(["body 1", "body 3"]);
    });
  });

  describe("the queue's delay", () => {
    it("is set after the last message, which is visible at once", async () => {
      const name = uniqueName();
      const scope = queueScope(name, { delaySeconds: 300 });
      const replayer = replayerFor("none");
      const { totals } = await restore(replayer, scope, interleaved(2, 3), "none");
      expect(totals.restored).toBe(6);
      expect((await bench.queues.attributes(name))["DelaySeconds"]).toBe("300");
      expect(await bench.queues.depths(name)).toEqual([6, 0, 0]);
    });

    it("of a queue that is kept delays messages, which are listed as delayed", async () => {
      const name = uniqueName();
      await bench.queues.create(name, { DelaySeconds: "300" });
      const { notes } = await restore(replayerFor("merge"), queueScope(name), interleaved(2, 3), "merge");
      expect(notes.get("delayed")).toBe(6);
      expect(await bench.queues.depths(name)).toEqual([0, 0, 6]);
      expect((await bench.queues.attributes(name))["DelaySeconds"]).toBe("300");
    });

    it("cannot hold back a message that is not due, which is listed as early", async () => {
      const name = uniqueName();
      const late = fifoMessage(1, "g", { availableAtMs: systemClock.now() + 600_000 });
      const { notes } = await restore(replayerFor("none"), queueScope(name), [late], "none");
      expect(notes.get("early")).toBe(1);
      expect(await bench.queues.bodies(name)).toEqual(["body 1"]);
    });
  });

  describe("a queue of the other kind", () => {
    it("is incompatible", async () => {
      const name = uniqueName();
      await bench.queues.create(name);
      const scope = queueScope(name, { fifo: false }, name);
      await expect(replayerFor("none").inspect(scope, async function* () {})).rejects.toMatchObject({
        code: "TARGET_SCOPE_IMPOSSIBLE",
      });
    });
  });
}
