/** Queues in every mode: what stands there, what is made, kept and emptied. */
import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../src/model/record.js";
import type { ModeName } from "../../../src/modes/mode.js";
import type { Clock } from "../../../src/support/clock.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { contextFor, hurriedClock, message, messageRecords, policyOf, queueScope } from "../../support/sqs-records.js";

export function sqsQueues(server: ContractServer): void {
  const bench = sqsBench(server);
  const { replayerFor, uniqueName } = bench;

  async function restoreInto(name: string, records: readonly MessageRecord[], mode: ModeName) {
    return await restore(replayerFor(mode), queueScope(name), records, mode);
  }

  const BODIES = messageRecords(25)
    .map(({ body }) => body.toString())
    .sort();

  describe("a queue that is absent", () => {
    it.each(["none", "replace", "merge", "skip-existing"] as const)("is created and filled: %s", async (mode) => {
      const name = uniqueName();
      const scope = queueScope(name, { visibilityTimeoutSeconds: 45, delaySeconds: 5, receiveMessageWaitSeconds: 2 });
      const { decision, totals } = await restore(replayerFor(mode), scope, messageRecords(25), mode);
      expect(decision).toBe("create");
      expect(totals.restored).toBe(25);
      expect(await bench.queues.attributes(name)).toMatchObject({
        VisibilityTimeout: "45",
        DelaySeconds: "5",
        ReceiveMessageWaitTimeSeconds: "2",
      });
      expect(await bench.queues.sortedBodies(name)).toEqual(BODIES);
    });
  });

  describe("a queue that is empty", () => {
    it.each([
      ["none", "keep", "30"],
      ["replace", "empty", "45"],
      ["merge", "keep", "30"],
      ["skip-existing", "keep", "30"],
    ] as const)("%s: %s, and its visibility timeout is then %s s", async (mode, decision, timeout) => {
      const name = uniqueName();
      await bench.queues.create(name);
      const scope = queueScope(name, { visibilityTimeoutSeconds: 45 });
      const restored = await restore(replayerFor(mode), scope, messageRecords(25), mode);
      expect(restored).toMatchObject({ decision, totals: { restored: 25 } });
      const differs = "VisibilityTimeout is 30, in the dump 45";
      expect(restored.warnings.includes(differs)).toBe(decision === "keep");
      expect((await bench.queues.attributes(name))["VisibilityTimeout"]).toBe(timeout);
      expect(await bench.queues.sortedBodies(name)).toEqual(BODIES);
    });
  });

  describe("a queue that holds messages", () => {
    async function filled(): Promise<string> {
      const name = uniqueName();
      await bench.queues.create(name, { VisibilityTimeout: "17" });
      await bench.queues.send(name, "there before");
      return name;
    }

    it("is refused without a mode", async () => {
      const name = await filled();
      expect(await restoreInto(name, messageRecords(3), "none")).toMatchObject({ decision: "refuse" });
      expect(await bench.queues.bodies(name)).toEqual(["there before"]);
    });

    it("holds exactly the dump after replace, with the dump's attributes", async () => {
      const name = await filled();
      const scope = queueScope(name, { visibilityTimeoutSeconds: 45 });
      await restore(replayerFor("replace"), scope, messageRecords(25), "replace");
      expect((await bench.queues.attributes(name))["VisibilityTimeout"]).toBe("45");
      expect(await bench.queues.sortedBodies(name)).toEqual(BODIES);
    });

    it("gets the dump's messages beside its own in merge, its attributes untouched", async () => {
      const name = await filled();
      const scope = queueScope(name, { visibilityTimeoutSeconds: 45 });
      await restore(replayerFor("merge"), scope, messageRecords(25), "merge");
      expect((await bench.queues.attributes(name))["VisibilityTimeout"]).toBe("17");
      expect(await bench.queues.sortedBodies(name)).toEqual([...BODIES, "there before"]);
    });

    it("is skipped whole by skip-existing", async () => {
      const name = await filled();
      expect(await restoreInto(name, messageRecords(3), "skip-existing")).toMatchObject({ decision: "skip" });
      expect(await bench.queues.bodies(name)).toEqual(["there before"]);
    });

    it.each([
      ["in flight", async (name: string): Promise<void> => void (await bench.queues.receiveOne(name))],
      ["delayed", async (name: string): Promise<void> => await bench.queues.send(name, "later", { DelaySeconds: 600 })],
    ])("counts as holding messages when all of them are %s", async (_how, hide) => {
      const name = uniqueName();
      await bench.queues.create(name);
      await bench.queues.send(name, "soon gone");
      if (_how === "delayed") await bench.queues.drain(name);
      await hide(name);
      expect((await bench.queues.depths(name))[0]).toBe(0);
      const state = await replayerFor("none").inspect(queueScope(name), () => none());
      expect(state).toMatchObject({ presence: "holds-records", count: { value: 1 } });
    });
  });

  function noting(slept: number[]): Clock {
    const clock = hurriedClock();
    return {
      ...clock,
      sleep: async (ms, signal) => {
        slept.push(ms);
        await clock.sleep(ms, signal);
      },
    };
  }

  async function* none(): AsyncGenerator<MessageRecord> {}

  describe("replace", () => {
    it("waits after the purge before the first send, and only then", async () => {
      const name = uniqueName();
      await bench.queues.create(name);
      const slept: number[] = [];
      const replayer = replayerFor("replace", { purgeWaitMs: 60_000 }, { clock: noting(slept) });
      const scope = queueScope(name);
      await replayer.inspect(scope, none);
      await replayer.empty(scope);
      expect(slept.filter((ms) => ms > 50_000)).toEqual([]);
      await replayer.write(scope, [message(1)]);
      await replayer.write(scope, [message(2)]);
      expect(slept.filter((ms) => ms > 50_000)).toHaveLength(1);
    });

    it("can be interrupted while it waits", async () => {
      const name = uniqueName();
      await bench.queues.create(name);
      const controller = new AbortController();
      const clock = contextFor("replace").clock;
      const aborting = {
        ...clock,
        sleep: async (ms: number, signal?: AbortSignal) => {
          if (ms > 50_000) controller.abort();
          await clock.sleep(ms, signal);
        },
      };
      const replayer = replayerFor("replace", { purgeWaitMs: 60_000 }, { clock: aborting, signal: controller.signal });
      await replayer.empty(queueScope(name));
      const stopped = { cause: { code: "INTERRUPTED" }, ends: ["not-sent"] };
      await expect(replayer.write(queueScope(name), [message(1)])).rejects.toMatchObject(stopped);
      expect(await bench.queues.bodies(name)).toEqual([]);
    });

    it("creates a queue that vanished after the inspection", async () => {
      const name = uniqueName();
      const replayer = replayerFor("replace");
      await replayer.empty(queueScope(name));
      expect(await bench.queues.exists(name)).toBe(true);
    });
  });

  describe("create", () => {
    it("adopts a queue that is there by now and gives it the dump's attributes", async () => {
      const name = uniqueName();
      await bench.queues.create(name, { VisibilityTimeout: "17" });
      await bench.queues.send(name, "kept");
      await replayerFor("merge").create(queueScope(name, { visibilityTimeoutSeconds: 45 }));
      expect((await bench.queues.attributes(name))["VisibilityTimeout"]).toBe("45");
      expect(await bench.queues.bodies(name)).toEqual(["kept"]);
    });

    it("says which attributes the target does not show", async () => {
      const scope = queueScope(uniqueName(), { maximumMessageSize: 65_536, messageRetentionSeconds: 600_000 });
      const { warnings } = await replayerFor("none").create(scope);
      expect(warnings).toEqual([
        "the target may have ignored MessageRetentionPeriod, MaximumMessageSize: asked for its attributes, it does not show that",
      ]);
    });
  });

  describe("a queue that is taken up again", () => {
    it("keeps its messages, and gets what was due at the end of the run", async () => {
      const name = uniqueName(".fifo");
      const scope = queueScope(name, { delaySeconds: 300 });
      await replayerFor("none").create(scope);
      await bench.queues.send(name, "before the crash", { MessageGroupId: "g", MessageDeduplicationId: "d" });
      const replayer = replayerFor("none");
      await replayer.reopen?.(scope, "create");
      await replayer.finish(scope);
      expect((await bench.queues.attributes(name))["DelaySeconds"]).toBe("300");
      expect(await bench.queues.depths(name)).toEqual([1, 0, 0]);
    });

    it("waits again after a purge that may have been just before, where no time of it is known", async () => {
      const name = uniqueName();
      await bench.queues.create(name);
      const slept: number[] = [];
      const replayer = replayerFor("replace", { purgeWaitMs: 60_000 }, { clock: noting(slept) });
      await replayer.reopen?.(queueScope(name), "empty");
      await replayer.write(queueScope(name), [message(1)]);
      expect(slept.filter((ms) => ms > 50_000)).toHaveLength(1);
    });

    it("is left as it is to the end where it was kept", async () => {
      const name = uniqueName();
      await bench.queues.create(name, { VisibilityTimeout: "17" });
      const scope = queueScope(name, { visibilityTimeoutSeconds: 45 });
      const replayer = replayerFor("merge");
      expect(await replayer.reopen?.(scope, "keep")).toEqual({ warnings: ["VisibilityTimeout is 17, in the dump 45"] });
      await replayer.finish(scope);
      expect((await bench.queues.attributes(name))["VisibilityTimeout"]).toBe("17");
    });
  });

  describe("names", () => {
    it.each([
      ["a.b", false, "letters, digits"],
      ["x".repeat(81), false, "81 characters"],
      ["orders", true, "ends in .fifo"],
      ["orders.fifo", false, "only a FIFO queue"],
      [`${"x".repeat(76)}.fifo`, true, "81 characters"],
    ])("refuses %s for a queue with fifo=%s and says how to rename it", async (target, fifo, why) => {
      const scope = queueScope("orders", { fifo }, target);
      const attempt = replayerFor("none").inspect(scope, none);
      await expect(attempt).rejects.toMatchObject({ code: "TARGET_SCOPE_IMPOSSIBLE", exitStatus: 5 });
      await expect(attempt).rejects.toThrow(why);
      await attempt.catch(({ hint }) => expect(hint).toContain("--rename sqs:orders="));
    });

    it("takes names of 80 characters", async () => {
      const names80 = ["x".repeat(80), `${"y".repeat(75)}.fifo`];
      for (const name of names80) await replayerFor("none").create(queueScope(name));
      for (const name of names80) expect(await bench.queues.exists(name)).toBe(true);
    });
  });

  describe("a queue that vanishes", () => {
    it("fails its records and leaves other queues alone", async () => {
      const [gone, there] = [uniqueName(), uniqueName()];
      const replayer = replayerFor("none");
      await replayer.create(queueScope(gone));
      await replayer.create(queueScope(there));
      await bench.queues.deleteQueue(gone);
      const outcomes = await replayer.write(queueScope(gone), messageRecords(2));
      expect(outcomes).toMatchObject([
        { kind: "failed", reason: "queue-missing" },
        { kind: "failed", reason: "queue-missing" },
      ]);
      expect(await replayer.write(queueScope(there), messageRecords(1))).toEqual([{ kind: "restored" }]);
    });
  });

  describe("probe", () => {
    it("names the server and batches of ten", async () => {
      const capabilities = await replayerFor("none").probe();
      expect(capabilities.server).toMatch(/^ElasticMQ/);
      expect(capabilities.batch).toEqual({ records: 10, bytes: 262_144 });
    });

    it("says that nobody answers", async () => {
      const replayer = replayerFor("none", { endpoint: { url: "http://127.0.0.1:9" } }, { maxRetryTimeMs: 0 });
      await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE", exitStatus: 5 });
    });
  });

  describe("an outage", () => {
    it("ends the run and is no record's fault", async () => {
      const replayer = replayerFor("none", { endpoint: { url: "http://127.0.0.1:9" } }, { policy: policyOf("none") });
      const stopped = { cause: { code: "OUTAGE" }, ends: ["not-sent"] };
      await expect(replayer.write(queueScope("anything"), messageRecords(1))).rejects.toMatchObject(stopped);
    });
  });
}
