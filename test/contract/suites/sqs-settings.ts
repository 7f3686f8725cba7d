/** A queue's settings beside the dump's: every one that differs is told by its name, and set where it can be. */
import { describe, expect, it } from "vitest";
import type { QueueScope, QueueSettings } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { fifoMessage, message, messageRecords, queueScope } from "../../support/sqs-records.js";
import { comparing, verifierOf } from "../../support/sqs-verify.js";

const HOW = comparing("no");

const SETTINGS: Partial<QueueSettings> = {
  visibilityTimeoutSeconds: 45,
  messageRetentionSeconds: 7_200,
  delaySeconds: 2,
  receiveMessageWaitSeconds: 3,
  maximumMessageSize: 2_048,
};

export function sqsSettings(server: ContractServer): void {
  const bench = sqsBench(server);
  const { uniqueName } = bench;

  const arn = (name: string): string => `arn:aws:sqs:eu-west-1:123456789012:${name}`;
  const policyTo = (name: string, most: string): string =>
    `{"deadLetterTargetArn":"${arn(name)}","maxReceiveCount":${most}}`;

  async function restored(scope: QueueScope): Promise<Replayer<"sqs">> {
    const replayer = bench.replayerFor("none");
    await restore(replayer, scope, [], "none");
    return replayer;
  }

  async function differencesOf(replayer: Replayer<"sqs">, scope: QueueScope): Promise<(string | undefined)[]> {
    const { exists, differences } = await verifierOf(replayer).settings(scope, HOW);
    expect(exists).toBe(true);
    expect(differences.every(({ kind }) => kind === "setting")).toBe(true);
    return differences.map(({ at }) => at);
  }

  function changed(scope: QueueScope, settings: Partial<QueueSettings>): QueueScope {
    return { ...scope, settings: { ...scope.settings, ...settings } };
  }

  async function mend(replayer: Replayer<"sqs">, scope: QueueScope): Promise<readonly string[] | undefined> {
    return await verifierOf(replayer).mend?.(scope);
  }

  describe("settings", () => {
    it.each(["", ".fifo"])("that were restored do not differ, queue suffix %o", async (suffix) => {
      const scope = queueScope(uniqueName(suffix), SETTINGS);
      const replayer = await restored(scope);
      expect(await differencesOf(replayer, scope)).toEqual([]);
    });

    it("that the target does not show are named", async () => {
      const scope = queueScope(uniqueName(), { ...SETTINGS, redriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
      const { unproven } = await verifierOf(await restored(scope)).settings(scope, HOW);
      expect(unproven).toEqual([
        "the target does not show MessageRetentionPeriod, which the dump tells",
        "the target does not show MaximumMessageSize, which the dump tells",
        "the target does not show RedriveAllowPolicy, which the dump tells",
      ]);
    });

    it("of a queue that is not there are not compared", async () => {
      const scope = queueScope(uniqueName());
      const nothing = { exists: false, differences: [], unproven: [] };
      expect(await verifierOf(bench.replayerFor("none")).settings(scope, HOW)).toEqual(nothing);
    });

    it.each([
      ["VisibilityTimeout", { visibilityTimeoutSeconds: 46 }],
      ["DelaySeconds", { delaySeconds: 1 }],
      ["ReceiveMessageWaitTimeSeconds", { receiveMessageWaitSeconds: 0 }],
    ] as const)("tell another %s, which is mended", async (name, settings) => {
      for (const suffix of ["", ".fifo"]) {
        const scope = queueScope(uniqueName(suffix), SETTINGS);
        const replayer = await restored(scope);
        const other = changed(scope, settings);
        expect(await differencesOf(replayer, other)).toEqual([name]);
        expect(await mend(replayer, other)).toEqual([]);
        expect(await differencesOf(replayer, other)).toEqual([]);
      }
    });

    it.each([
      ["MessageRetentionPeriod", { messageRetentionSeconds: 7_201 }],
      ["MaximumMessageSize", { maximumMessageSize: 2_049 }],
    ] as const)("that some targets do not show tell another %s, which is mended", async (name, settings) => {
      const scope = queueScope(uniqueName(), SETTINGS);
      const replayer = await restored(scope);
      const other = changed(scope, settings);
      expect(await differencesOf(replayer, other)).toEqual([name]);
      expect(await mend(replayer, other)).toEqual([]);
      expect(await differencesOf(replayer, other)).toEqual([]);
    });

    it("tell a change of deduplication by content, which is mended", async () => {
      const scope = queueScope(uniqueName(".fifo"), { contentBasedDeduplication: true });
      const replayer = await restored(scope);
      const other = changed(scope, { contentBasedDeduplication: false });
      expect(await differencesOf(replayer, other)).toEqual(["ContentBasedDeduplication"]);
      expect(await mend(replayer, other)).toEqual([]);
    });

    it("tell a queue of the other kind, which cannot be mended", async () => {
      const scope = queueScope(uniqueName());
      const replayer = await restored(scope);
      const other = changed(scope, { fifo: true });
      expect((await differencesOf(replayer, other))[0]).toBe("FifoQueue");
      const left = await mend(replayer, other);
      expect(left?.[0]).toBe("it is a standard queue, in the dump a FIFO queue: it cannot be changed");
    });

    it("hold redrive policies by the names of their queues", async () => {
      const [dead, other] = [uniqueName(), uniqueName()];
      for (const name of [dead, other]) await bench.queues.create(name);
      const scope = queueScope(uniqueName(), { redrivePolicy: policyTo(dead, '"7"') });
      const replayer = await restored(scope);
      expect(await differencesOf(replayer, scope)).toEqual([]);
      for (const redrivePolicy of [policyTo(other, "7"), policyTo(dead, "8")]) {
        const wanted = changed(scope, { redrivePolicy });
        expect(await differencesOf(replayer, wanted)).toEqual(["RedrivePolicy"]);
        expect(await mend(replayer, wanted)).toEqual([]);
        expect(await differencesOf(replayer, wanted)).toEqual([]);
      }
    });

    it("tell a redrive policy that is missing, which is mended once its queue is there", async () => {
      const dead = uniqueName();
      const scope = queueScope(uniqueName());
      const replayer = await restored(scope);
      const wanted = changed(scope, { redrivePolicy: policyTo(dead, "7") });
      expect(await differencesOf(replayer, wanted)).toEqual(["RedrivePolicy"]);
      expect(await mend(replayer, wanted)).toEqual([
        `the redrive policy was left out: the target has no queue ${dead} for dead letters`,
      ]);
      await bench.queues.create(dead);
      expect(await mend(replayer, wanted)).toEqual([]);
    });

    it.each([
      ["a longer delay and a redrive policy", ".fifo", 4, ["DelaySeconds", "RedrivePolicy"]],
      ["a redrive policy", ".fifo", 1, ["RedrivePolicy"]],
      ["a redrive policy", "", 4, ["RedrivePolicy"]],
    ] as const)("are set before messages are sent but for %s, queue suffix %o", async (_what, suffix, delay, wait) => {
      const dead = uniqueName(suffix);
      await bench.queues.create(dead);
      const scope = queueScope(uniqueName(suffix), SETTINGS);
      const replayer = await restored(scope);
      const other = { delaySeconds: delay, visibilityTimeoutSeconds: 46, redrivePolicy: policyTo(dead, "7") };
      const wanted = changed(scope, other);
      await verifierOf(replayer).mendFirst?.(wanted);
      expect(await differencesOf(replayer, wanted)).toEqual(wait);
      expect(await mend(replayer, wanted)).toEqual([]);
      expect(await differencesOf(replayer, wanted)).toEqual([]);
    });

    it("tell a redrive policy that the dump does not have", async () => {
      const dead = uniqueName();
      await bench.queues.create(dead);
      const scope = queueScope(uniqueName(), { redrivePolicy: policyTo(dead, "7") });
      const replayer = await restored(scope);
      expect(await differencesOf(replayer, queueScope(scope.name))).toEqual(["RedrivePolicy"]);
      expect(await mend(replayer, queueScope(scope.name))).toHaveLength(1);
    });

    it("tell a policy of who may redrive that is another one", async () => {
      const allow = (name: string): string => `{"redrivePermission":"byQueue","sourceQueueArns":["${arn(name)}"]}`;
      const scope = queueScope(uniqueName(), { redriveAllowPolicy: allow("mail") });
      const replayer = await restored(scope);
      expect(await differencesOf(replayer, scope)).toEqual([]);
      const other = changed(scope, { redriveAllowPolicy: allow("post") });
      expect(await differencesOf(replayer, other)).toEqual(["RedriveAllowPolicy"]);
      expect(await mend(replayer, other)).toEqual([]);
      expect(await differencesOf(replayer, other)).toEqual([]);
    });
  });

  describe("what emptying takes away", () => {
    it("names hidden messages and settings that become the dump's", async () => {
      const dead = uniqueName();
      await bench.queues.create(dead);
      const scope = queueScope(uniqueName(), { redrivePolicy: policyTo(dead, "7"), visibilityTimeoutSeconds: 40 });
      const replayer = bench.replayerFor("none");
      await restore(replayer, scope, messageRecords(3), "none");
      expect(await replayer.losses?.(scope)).toEqual([]);
      await bench.queues.send(scope.target, "later", { DelaySeconds: 600 });
      await bench.queues.receiveOne(scope.target);
      expect(await replayer.losses?.(queueScope(scope.name, { visibilityTimeoutSeconds: 41 }))).toEqual([
        "messages in flight (1)",
        "delayed messages (1)",
        "VisibilityTimeout 40, which becomes 41",
        "the redrive policy: the dump has none",
      ]);
    });

    it("is nothing where there is no queue", async () => {
      expect(await bench.replayerFor("none").losses?.(queueScope(uniqueName()))).toEqual([]);
    });
  });

  describe("a queue that is removed", () => {
    it("is gone with its messages, and so is one that never was", async () => {
      for (const suffix of ["", ".fifo"]) {
        const scope = queueScope(uniqueName(suffix));
        const replayer = bench.replayerFor("none");
        await replayer.remove?.(scope);
        await restore(replayer, scope, [suffix === "" ? message(1) : fifoMessage(1, "a")], "none");
        await replayer.remove?.(scope);
        expect(await bench.queues.exists(scope.target)).toBe(false);
        await replayer.remove?.(scope);
      }
    });

    it("can be created and written again", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const replayer = bench.replayerFor("none");
      for (let round = 0; round < 2; round++) {
        const { totals } = await restore(replayer, scope, [fifoMessage(1, "a")], "none");
        expect(totals.restored).toBe(1);
        await replayer.remove?.(scope);
      }
    });
  });
}
