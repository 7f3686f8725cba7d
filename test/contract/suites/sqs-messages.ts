/** Bodies, attributes, delays and redrive policies. */
import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import type { MessageAttribute, MessageRecord } from "../../../src/model/record.js";
import type { QueueScope } from "../../../src/model/scope.js";
import type { SqsTarget } from "../../../src/replayers/sqs/replayer.js";
import { systemClock } from "../../../src/support/clock.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { fifoMessage, message, messageRecords, queueScope } from "../../support/sqs-records.js";

export function sqsMessages(server: ContractServer): void {
  const bench = sqsBench(server);
  const { uniqueName } = bench;

  async function restoreAll(scope: QueueScope, records: readonly MessageRecord[], target: Partial<SqsTarget> = {}) {
    return await restore(bench.replayerFor("none", target), scope, records, "none");
  }

  describe("a message that is not announced yet", () => {
    const pacer = { portion: { ops: 100, bytes: 1e6 }, acquire: () => Promise.resolve() };

    it.each([
      ["", {}],
      [".fifo", {}],
      ["", { pacer }],
    ] as const)(
      "is sent once it is, and never where it cannot be, queue suffix %o, context %o",
      async (suffix, context) => {
        const scope = queueScope(uniqueName(suffix));
        const replayer = bench.replayerFor("none", {}, context);
        await replayer.create(scope);
        const [first, second] = [1, 2].map((line) => (suffix === "" ? message(line) : fifoMessage(line, `g${line}`)));
        const depth = async () => (await bench.queues.depths(scope.target)).reduce((sum, count) => sum + count);
        const refused = new RestoreError("LOCAL_IO", "the journal cannot be written", { retry: "fatal" });
        await expect(
          replayer.writeOnceAnnounced?.(scope, [first as MessageRecord], Promise.reject(refused)),
        ).rejects.toThrow();
        expect(await depth()).toBe(0);
        let announce: () => void = () => undefined;
        const announced = new Promise<void>((resolve) => {
          announce = resolve;
        });
        const writing = replayer.writeOnceAnnounced?.(scope, [second as MessageRecord], announced);
        expect(await depth()).toBe(0);
        announce();
        expect(await writing).toEqual([{ kind: "restored" }]);
        expect(await depth()).toBe(1);
      },
    );
  });

  describe("message attributes", () => {
    const attributes: readonly (readonly [string, MessageAttribute])[] = [
      ["text", { dataType: "String", value: { string: "é\t☃ 😀" } }],
      ["number", { dataType: "Number", value: { string: "3.14" } }],
      ["bytes", { dataType: "Binary", value: { binary: Buffer.from([0, 255, 128, 10]) } }],
      ["json", { dataType: "String.json", value: { string: '{"a":1}' } }],
      ["count.int", { dataType: "Number.int", value: { string: "7" } }],
      ["jpeg", { dataType: "Binary.jpeg", value: { binary: Buffer.from("ÿØÿà", "latin1") } }],
    ];

    it.each(["", ".fifo"])("arrive exactly, queue suffix %o", async (suffix) => {
      const name = uniqueName(suffix);
      const records = [1, 2].map((line) => (suffix === "" ? message : fifoMessageOf)(line, { attributes }));
      expect((await restoreAll(queueScope(name), records)).totals.restored).toBe(2);
      const received = await bench.queues.drain(name);
      expect(received).toHaveLength(2);
      for (const { MessageAttributes = {} } of received) {
        const arrived = Object.entries(MessageAttributes).map(([key, value]) => [
          key,
          value.DataType,
          value.StringValue ?? Buffer.from(value.BinaryValue ?? []).toString("hex"),
        ]);
        const sent = attributes.map(([key, { dataType, value }]) => [
          key,
          dataType,
          "string" in value ? value.string : value.binary.toString("hex"),
        ]);
        expect(arrived.sort()).toEqual(sent.sort());
      }
    });

    const fifoMessageOf = (line: number, parts: Parameters<typeof message>[1]) => fifoMessage(line, `g${line}`, parts);

    it.each([
      ["of a type that SQS does not know", "n", { dataType: "Float", value: { string: "1" } }],
      ["called __proto__", "__proto__", { dataType: "String", value: { string: "1" } }],
      ["that is empty", "n", { dataType: "String", value: { string: "" } }],
      ["that is no number", "n", { dataType: "Number", value: { string: "seven" } }],
    ] as const)("%s reject their message alone", async (_what, key, attribute) => {
      const name = uniqueName();
      const records = messageRecords(10).map((record, i) =>
        i === 4 ? { ...record, attributes: [[key, attribute]] as const } : record,
      );
      const { totals, outcomes } = await restoreAll(queueScope(name), records);
      expect(totals).toMatchObject({ restored: 9, rejected: 1 });
      expect(outcomes.get(5)?.kind).toBe("rejected");
      expect(await bench.queues.bodies(name)).toHaveLength(9);
    });
  });

  describe("bodies", () => {
    it("of all characters that SQS takes arrive exactly", async () => {
      const name = uniqueName();
      const texts = ["\uFEFFmark", "tab\tline\r\nend", "<&>\"'", "é ☃ 😀 \u{10FFFF}", "\uD7FF\uE000\uFFFD", " "];
      await restoreAll(
        queueScope(name),
        texts.map((body, i) => message(i + 1, { body })),
      );
      expect(await bench.queues.sortedBodies(name)).toEqual([...texts].sort());
    });

    it.each([
      ["a control character", "a\u0000b", "body-not-carriable"],
      ["an escape character", "a\u001Bb", "body-not-carriable"],
      ["a character beyond XML", "a\uFFFEb", "body-not-carriable"],
      ["bytes that are not UTF-8", Buffer.from([0x61, 0xff, 0x62]), "body-not-carriable"],
      ["a surrogate in UTF-8", Buffer.from([0xed, 0xa0, 0x80]), "body-not-carriable"],
      ["nothing", "", "body-not-carriable"],
      ["more than the queue takes", "x".repeat(1025), "message-too-large"],
    ])("with %s are rejected and spoil nothing else", async (_what, body, reason) => {
      const name = uniqueName();
      const records = [message(1), message(2, { body }), message(3)];
      const { totals, outcomes } = await restoreAll(queueScope(name, { maximumMessageSize: 1024 }), records);
      expect(totals).toMatchObject({ restored: 2, rejected: 1 });
      expect(outcomes.get(2)).toMatchObject({ kind: "rejected", reason });
      expect(await bench.queues.sortedBodies(name)).toEqual(["body 1", "body 3"]);
    });

    it("too large for one request together are sent in several", async () => {
      const name = uniqueName();
      const bodies = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(100_000));
      const { totals } = await restoreAll(
        queueScope(name),
        bodies.map((body, i) => message(i + 1, { body })),
      );
      expect(totals.restored).toBe(12);
      expect(await bench.queues.sortedBodies(name)).toEqual(bodies);
    });
  });

  describe("delays", () => {
    it("follow the time at which a message is due, not the queue's delay", async () => {
      const name = uniqueName();
      const due = message(1, { availableAtMs: systemClock.now() - 60_000 });
      const later = message(2, { availableAtMs: systemClock.now() + 600_000 });
      const { totals, notes } = await restoreAll(queueScope(name, { delaySeconds: 900 }), [due, later]);
      expect(totals.restored).toBe(2);
      expect(notes.size).toBe(0);
      expect(await bench.queues.depths(name)).toEqual([1, 0, 1]);
      expect((await bench.queues.attributes(name))["DelaySeconds"]).toBe("900");
    });

    it("of more than 900 s are given up, and the message is listed as early", async () => {
      const name = uniqueName();
      const { notes } = await restoreAll(queueScope(name), [
        message(1, { availableAtMs: systemClock.now() + 3_600_000 }),
      ]);
      expect(notes.get("early")).toBe(1);
      expect(await bench.queues.bodies(name)).toEqual(["body 1"]);
    });

    it.each([
      [true, [0, 0, 1]],
      [false, [1, 0, 0]],
    ])("keep a message that was in flight hidden with preserveVisibility=%s", async (preserveVisibility, depths) => {
      const name = uniqueName();
      const inFlight = message(1, { visibleAtMs: systemClock.now() + 600_000 });
      await restoreAll(queueScope(name), [inFlight], { preserveVisibility });
      expect(await bench.queues.depths(name)).toEqual(depths);
    });
  });

  describe("redrive policies", () => {
    const arn = (name: string): string => `arn:aws:sqs:eu-west-1:123456789012:${name}`;
    const policyTo = (name: string): string => `{"deadLetterTargetArn":"${arn(name)}","maxReceiveCount":"3"}`;

    async function redriveOf(name: string): Promise<Record<string, unknown> | undefined> {
      const policy = (await bench.queues.attributes(name))["RedrivePolicy"];
      return policy === undefined ? undefined : (JSON.parse(policy) as Record<string, unknown>);
    }

    async function arnOf(name: string): Promise<string | undefined> {
      return (await bench.queues.attributes(name))["QueueArn"];
    }

    it("are set after all queues exist, to the dead-letter queue's name on the target", async () => {
      const [mail, dead] = [uniqueName(), uniqueName()];
      const renamed: Record<string, string> = { mail, dead };
      const replayer = bench.replayerFor("none", { targetNameOf: (name) => renamed[name] ?? name });
      const scopes = [
        queueScope("mail", { redrivePolicy: policyTo("dead") }, mail),
        queueScope("dead", { delaySeconds: 0 }, dead),
      ];
      for (const scope of scopes) await replayer.create(scope);
      expect(await redriveOf(mail)).toBeUndefined();
      for (const scope of scopes) expect(await replayer.finish(scope)).toEqual({ warnings: [] });
      expect(await redriveOf(mail)).toEqual({ deadLetterTargetArn: await arnOf(dead), maxReceiveCount: 3 });
    });

    it("name a dead-letter queue outside the selection that the target has", async () => {
      const [mail, dead] = [uniqueName(), uniqueName()];
      await bench.queues.create(dead);
      const { warnings } = await restoreAll(queueScope(mail, { redrivePolicy: policyTo(dead) }), []);
      expect(warnings).toEqual([]);
      expect(await redriveOf(mail)).toMatchObject({ deadLetterTargetArn: await arnOf(dead) });
    });

    it("are left out with a warning when the target has no such queue", async () => {
      const [mail, dead] = [uniqueName(), uniqueName()];
      const { warnings, totals } = await restoreAll(
        queueScope(mail, { redrivePolicy: policyTo(dead) }),
        messageRecords(1),
      );
      expect(totals.restored).toBe(1);
      expect(warnings).toEqual([`the redrive policy was left out: the target has no queue ${dead} for dead letters`]);
      expect(await redriveOf(mail)).toBeUndefined();
    });

    it("stay untouched in a queue that is kept", async () => {
      const [mail, dead] = [uniqueName(), uniqueName()];
      await bench.queues.create(dead);
      await bench.queues.create(mail);
      const scope = queueScope(mail, { redrivePolicy: policyTo(dead) });
      const { warnings } = await restoreAll(scope, messageRecords(1));
      expect(warnings).toEqual(["RedrivePolicy is missing, the dump has one"]);
      expect(await redriveOf(mail)).toBeUndefined();
    });

    it("that allow others are left out with a warning where the target refuses them", async () => {
      const scope = queueScope(uniqueName(), {
        redriveAllowPolicy: `{"redrivePermission":"byQueue","sourceQueueArns":["${arn("mail")}"]}`,
      });
      const { warnings } = await restoreAll(scope, []);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^RedriveAllowPolicy was left out: the target refused it/);
    });
  });
}
