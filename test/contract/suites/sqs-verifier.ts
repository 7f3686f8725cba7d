/** Whether a queue is found to be what the dump says, and every damage to it is told. */
import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../src/model/record.js";
import type { QueueScope } from "../../../src/model/scope.js";
import { UNPACED } from "../../../src/replayers/calls.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { Comparing } from "../../../src/replayers/verifier.js";
import { systemClock } from "../../../src/support/clock.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { restore, sqsBench } from "../../support/sqs-bench.js";
import { fifoMessage, type MessageParts, message, messageRecords, queueScope } from "../../support/sqs-records.js";
import { comparing, verify } from "../../support/sqs-verify.js";

type Change = (records: readonly MessageRecord[]) => readonly MessageRecord[];

const ATTRIBUTES: MessageRecord["attributes"] = [
  ["trace", { dataType: "String", value: { string: "a-1" } }],
  ["size", { dataType: "Number.int", value: { string: "7" } }],
  ["raw", { dataType: "Binary", value: { binary: Buffer.from([0, 255, 128]) } }],
];

/** Changes the record of line 2. */
function changing(parts: MessageParts): Change {
  return (records) => records.map((record) => (record.place.line === 2 ? withParts(record, parts) : record));
}

function withParts(record: MessageRecord, { body, ...parts }: MessageParts): MessageRecord {
  return { ...record, ...parts, ...(body === undefined ? {} : { body: Buffer.from(body) }) };
}

function withAttribute(name: string, dataType: string, value: string | Buffer): Change {
  const given = typeof value === "string" ? { string: value } : { binary: value };
  return changing({
    attributes: [...ATTRIBUTES.filter(([other]) => other !== name), [name, { dataType, value: given }]],
  });
}

const without = (line: number): Change => {
  return (records) => records.filter(({ place }) => place.line !== line);
};

const also = (parts: MessageParts): Change => {
  return (records) => [...records, ...records.slice(1, 2).map((record) => ({ ...withParts(record, parts), ...AGAIN }))];
};

const AGAIN = { place: { path: "sqs/q/messages.jsonl", line: 99 }, deduplicationId: "d-99" };

/** What is done to the queue, and what is found then. */
const DAMAGES: readonly (readonly [what: string, change: Change, found: readonly string[]])[] = [
  ["a missing message", without(2), ["m-2 missing"]],
  ["a message too many", also({ body: "not of the dump" }), ["extra"]],
  ["a message twice", also({}), ["duplicate"]],
  ["another value of an attribute", withAttribute("trace", "String", "a-2"), ['m-2 value attribute "trace"']],
  ["another number in an attribute", withAttribute("size", "Number.int", "8"), ['m-2 value attribute "size"']],
  [
    "other bytes in an attribute",
    withAttribute("raw", "Binary", Buffer.from([0, 255, 129])),
    ['m-2 value attribute "raw"'],
  ],
  ["another type of an attribute", withAttribute("size", "Number", "7"), ['m-2 type attribute "size"']],
  ["a missing attribute", changing({ attributes: ATTRIBUTES.slice(1) }), ['m-2 missing-part attribute "trace"']],
  [
    "an attribute too many",
    changing({ attributes: [...ATTRIBUTES, ["more", { dataType: "String", value: { string: "x" } }]] }),
    ['m-2 extra-part attribute "more"'],
  ],
];

export function sqsVerifier(server: ContractServer): void {
  const bench = sqsBench(server);
  const { uniqueName } = bench;

  const standard = (): MessageRecord[] => messageRecords(5).map((record) => ({ ...record, attributes: ATTRIBUTES }));
  const grouped = (): MessageRecord[] =>
    [1, 2, 3, 4, 5, 6].map((line) => fifoMessage(line, line < 4 ? "a" : "b", { attributes: ATTRIBUTES }));

  /** A queue that holds `held`, and a replayer on it. */
  async function holding(
    scope: QueueScope,
    held: readonly MessageRecord[],
    context: Parameters<typeof bench.replayerFor>[2] = {},
  ): Promise<Replayer<"sqs">> {
    const replayer = bench.replayerFor("none", {}, context);
    await restore(replayer, scope, held, "none");
    return replayer;
  }

  async function compare(
    scope: QueueScope,
    held: readonly MessageRecord[],
    records: readonly MessageRecord[],
    how: Comparing,
  ) {
    return await verify(await holding(scope, held), scope, records, how);
  }

  describe("a standard queue", () => {
    it.each(["return", "consume"] as const)("as the dump says has no difference, messages %s", async (messages) => {
      const scope = queueScope(uniqueName());
      const verified = await compare(scope, standard(), standard(), comparing(messages));
      expect(verified).toMatchObject({ differences: [], equal: 5, unproven: 0 });
    });

    describe.each(["return", "consume"] as const)("with messages %s", (messages) => {
      it.each(DAMAGES)("tells %s", async (_what, change, found) => {
        const scope = queueScope(uniqueName());
        const verified = await compare(scope, change(standard()), standard(), comparing(messages));
        expect(verified.differences).toEqual(found);
      });
    });

    it("tells another body as a missing message and one too many", async () => {
      const scope = queueScope(uniqueName());
      const held = changing({ body: "other" })(standard());
      const { differences, equal } = await compare(scope, held, standard(), comparing("return"));
      expect(differences).toEqual(["extra", "m-2 missing"]);
      expect(equal).toBe(4);
    });

    it("knows messages of one content apart by their number alone", async () => {
      const scope = queueScope(uniqueName());
      const records = [1, 2, 3, 4].map((line) => message(line, { body: "same" }));
      const three = await compare(scope, records.slice(1), records, comparing("return"));
      expect(three.differences).toEqual(["m-4 missing"]);
      expect(three.equal).toBe(3);
    });

    it("may hold more where that is allowed, but nothing less", async () => {
      const scope = queueScope(uniqueName());
      const held = [...without(2)(standard()), message(7, { body: "theirs" }), message(8, { body: "body 1" })];
      const { differences } = await compare(scope, held, standard(), comparing("return", { allowMore: true }));
      expect(differences).toEqual(["m-2 missing"]);
    });

    it("has its messages back afterwards, all of them receivable", async () => {
      const scope = queueScope(uniqueName());
      const records = messageRecords(45);
      await compare(scope, records, records, comparing("return"));
      expect(await bench.queues.depths(scope.target)).toEqual([45, 0, 0]);
      expect(await bench.queues.sortedBodies(scope.target)).toEqual(records.map(({ body }) => String(body)).sort());
    });

    it("is empty after its messages were consumed", async () => {
      const scope = queueScope(uniqueName());
      const records = messageRecords(45);
      const verified = await compare(scope, records, records, comparing("consume"));
      expect(verified).toMatchObject({ differences: [], equal: 45 });
      expect(await bench.queues.depths(scope.target)).toEqual([0, 0, 0]);
    });

    it("cannot be proven for its delayed messages, and is for the others", async () => {
      const scope = queueScope(uniqueName());
      const later = { availableAtMs: systemClock.now() + 600_000 };
      const records = [message(1), message(2, later), message(3), message(4, later)];
      const verified = await compare(scope, records, records, comparing("return"));
      expect(verified).toMatchObject({ differences: [], equal: 2, unproven: 2 });
      expect(verified.notes).toContain("2 messages could not be received, 2 of them delayed");
      const without3 = await compare(queueScope(uniqueName()), without(3)(records), records, comparing("return"));
      expect(without3).toMatchObject({ differences: ["m-3 missing"], equal: 1, unproven: 2 });
      const without4 = await compare(queueScope(uniqueName()), without(4)(records), records, comparing("return"));
      expect(without4).toMatchObject({ differences: ["count"], equal: 2, unproven: 2 });
    });

    it("waits for messages that are consumed and due soon", async () => {
      const scope = queueScope(uniqueName());
      const replayer = await holding(scope, [message(1)], { clock: systemClock });
      await bench.queues.send(scope.target, "body 2", { DelaySeconds: 3 });
      const records = [message(1), message(2, { availableAtMs: systemClock.now() + 3_000 })];
      const verified = await verify(replayer, scope, records, comparing("consume"));
      expect(verified).toMatchObject({ differences: [], equal: 2, unproven: 0 });
    });

    it("leaves a message that another consumer has in flight unproven", async () => {
      const scope = queueScope(uniqueName());
      const replayer = await holding(scope, messageRecords(3));
      await bench.queues.receiveOne(scope.target);
      const verified = await verify(replayer, scope, messageRecords(3), comparing("return"));
      expect(verified).toMatchObject({ differences: [], equal: 2, unproven: 1 });
    });

    it.each([
      [3, false, []],
      [2, false, ["count"]],
      [4, false, ["count"]],
      [4, true, []],
      [2, true, ["count"]],
    ])("is only counted when messages are not received: %i of 3, more allowed %s", async (held, allowMore, found) => {
      const scope = queueScope(uniqueName());
      const how = comparing("no", { allowMore });
      const verified = await compare(scope, messageRecords(held), messageRecords(3), how);
      expect(verified).toMatchObject({ differences: found, equal: 0, unproven: 3 });
      const first = await bench.queues.drain(scope.target);
      expect(first.map(({ Attributes }) => Attributes?.ApproximateReceiveCount)).toEqual(Array(held).fill("1"));
    });

    it("says why a message that SQS cannot carry is missing", async () => {
      const scope = queueScope(uniqueName());
      const records = [message(1), message(2, { body: "a\u0000b" })];
      const { differences, details } = await compare(scope, records, records, comparing("return"));
      expect(differences).toEqual(["m-2 missing"]);
      expect(details[0]).toMatch(/U\+0000/);
    });
  });

  describe("a FIFO queue", () => {
    it.each(["return", "consume"] as const)("as the dump says has no difference, messages %s", async (messages) => {
      const scope = queueScope(uniqueName(".fifo"));
      const verified = await compare(scope, grouped(), grouped(), comparing(messages));
      expect(verified.differences).toEqual([]);
      expect(verified.equal + verified.unproven).toBe(6);
      if (messages === "consume") expect(verified.unproven).toBe(0);
    });

    it.each(DAMAGES)("whose messages are consumed tells %s", async (_what, change, found) => {
      const scope = queueScope(uniqueName(".fifo"));
      const verified = await compare(scope, change(grouped()), grouped(), comparing("consume"));
      expect(verified.differences).toEqual(found);
    });

    it.each([
      ["another body", changing({ body: "other" }), ["m-2 value body"]],
      ["another group", changing({ groupId: "b", lane: "b" }), ["m-2 value MessageGroupId"]],
      ["another deduplication id", changing({ deduplicationId: "d-other" }), ["m-2 value MessageDeduplicationId"]],
    ] as const)("whose messages are consumed tells %s", async (_what, change, found) => {
      const scope = queueScope(uniqueName(".fifo"));
      const verified = await compare(scope, change(grouped()), grouped(), comparing("consume"));
      expect(verified.differences.filter((each) => !each.includes("order"))).toEqual(found);
    });

    it("whose messages are consumed tells two messages of a group that changed places", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const [first, second, third, ...rest] = grouped();
      const held = [first, third, second, ...rest].flatMap((record) => (record === undefined ? [] : [record]));
      const { differences, equal } = await compare(scope, held, grouped(), comparing("consume"));
      expect(differences).toEqual(["m-3 order"]);
      expect(equal).toBe(5);
    });

    it("is proven in all its depth when messages are consumed, many in one group", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 35 }, (_, i) => fifoMessage(i + 1, i % 5 === 0 ? "b" : "a"));
      const verified = await compare(scope, records, records, comparing("consume"));
      expect(verified).toMatchObject({ differences: [], equal: 35, unproven: 0 });
    });

    it("of several partitions is proven when its messages are consumed", async () => {
      const partitions = {
        partitionCount: 4,
        fifoThroughputLimit: "perMessageGroupId",
        deduplicationScope: "messageGroup",
      };
      const records = Array.from({ length: 24 }, (_, i) => fifoMessage(i + 1, `g${i % 6}`));
      const clean = await compare(queueScope(uniqueName(".fifo"), partitions), records, records, comparing("consume"));
      expect(clean).toMatchObject({ differences: [], equal: 24, unproven: 0 });
      const damaged = queueScope(uniqueName(".fifo"), partitions);
      const { differences } = await compare(damaged, without(7)(records), records, comparing("consume"));
      expect(differences).toEqual(["m-7 missing"]);
      const back = await compare(queueScope(uniqueName(".fifo"), partitions), records, records, comparing("return"));
      expect(back.differences).toEqual([]);
      expect(back.equal + back.unproven).toBe(24);
    });

    it("is not proven behind the first messages of a group that are given back, and says so", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 25 }, (_, i) => fifoMessage(i + 1, "a"));
      const verified = await compare(scope, records, records, comparing("return"));
      expect(verified.differences).toEqual([]);
      expect(verified.equal).toBeGreaterThan(0);
      expect(verified.equal + verified.unproven).toBe(25);
      expect(verified.unproven).toBeGreaterThan(0);
      expect(verified.notes.join()).toMatch(/a FIFO group gives its next messages only once those before are deleted/);
      expect((await bench.queues.bodies(scope.target)).length).toBe(25);
    });

    it("tells the missing first message of a group although the rest cannot be received", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 25 }, (_, i) => fifoMessage(i + 1, "a"));
      const { differences } = await compare(scope, records.slice(1), records, comparing("return"));
      expect(differences).toEqual(["m-1 missing"]);
    });

    it("tells that messages are missing behind those that can be received", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 25 }, (_, i) => fifoMessage(i + 1, "a"));
      const { differences } = await compare(scope, records.slice(0, 24), records, comparing("return"));
      expect(differences).toEqual(["count"]);
    });

    it("has its messages back afterwards, in their order", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = Array.from({ length: 14 }, (_, i) => fifoMessage(i + 1, "a"));
      await compare(scope, records, records, comparing("return"));
      expect(await bench.queues.bodies(scope.target)).toEqual(records.map(({ body }) => String(body)));
    });

    it("takes ids that a restore made for those of the dump's messages", async () => {
      const scope = queueScope(uniqueName(".fifo"));
      const records = [1, 2, 3, 4].map((line) => fifoMessage(line, "a", { body: "same", deduplicationId: "same" }));
      const verified = await compare(scope, records, records, comparing("consume"));
      expect(verified).toMatchObject({ differences: [], equal: 4 });
      const distinct = records.map((record, i) => ({ ...record, body: Buffer.from(`body ${i}`) }));
      const other = await compare(
        queueScope(uniqueName(".fifo")),
        [...distinct].reverse(),
        distinct,
        comparing("consume"),
      );
      expect(other.differences).toEqual(["m-2 order", "m-3 order", "m-4 order"]);
    });

    it("takes the ids that a content-based queue makes of bodies", async () => {
      const scope = queueScope(uniqueName(".fifo"), { contentBasedDeduplication: true });
      const records = ["x", "y", "x"].map((body, i) => message(i + 1, { groupId: "a", lane: "a", body }));
      const verified = await compare(scope, records, records, comparing("consume"));
      expect(verified).toMatchObject({ differences: [], equal: 3, unproven: 0 });
    });
  });

  describe("what was received is given back", () => {
    it.each(["", ".fifo"])("also when the run is interrupted half-way, queue suffix %o", async (suffix) => {
      const scope = queueScope(uniqueName(suffix));
      const records = Array.from({ length: 60 }, (_, i) =>
        suffix === "" ? message(i + 1) : fifoMessage(i + 1, `g${i % 20}`),
      );
      await holding(scope, records);
      const stopper = new AbortController();
      let asked = 0;
      const replayer = bench.replayerFor(
        "none",
        {},
        {
          signal: stopper.signal,
          writeSignal: new AbortController().signal,
          pacer: {
            portion: UNPACED.portion,
            acquire: async () => {
              if (++asked === 5) stopper.abort();
            },
          },
        },
      );
      await expect(verify(replayer, scope, records, comparing("return"))).rejects.toMatchObject({
        code: "INTERRUPTED",
      });
      expect(replayer.stats.requests).toBeGreaterThan(3);
      expect(await bench.queues.depths(scope.target)).toEqual([60, 0, 0]);
      const bodies = await bench.queues.sortedBodies(scope.target);
      expect(bodies).toEqual(records.map(({ body }) => String(body)).sort());
    });
  });

  describe("a queue whose redrive policy moves messages that were received too often", () => {
    async function withPolicy(maxReceiveCount: number): Promise<{ scope: QueueScope; replayer: Replayer<"sqs"> }> {
      const dead = uniqueName();
      await bench.queues.create(dead);
      const redrivePolicy = `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:${dead}","maxReceiveCount":${maxReceiveCount}}`;
      const scope = queueScope(uniqueName(), { redrivePolicy });
      return { scope, replayer: await holding(scope, messageRecords(12)) };
    }

    it.each([1, 2])("is not received from when so few as %i are allowed, but counted", async (most) => {
      const { scope, replayer } = await withPolicy(most);
      const verified = await verify(replayer, scope, messageRecords(13), comparing("return"));
      expect(verified).toMatchObject({ differences: ["count"], equal: 0, unproven: 13 });
      expect(verified.notes[0]).toMatch(/^not received: a message that is received \d times is moved/);
      const first = await bench.queues.drain(scope.target);
      expect(first).toHaveLength(12);
      expect(first[0]?.Attributes?.ApproximateReceiveCount).toBe("1");
    });

    it("is received from when enough are allowed", async () => {
      const { scope, replayer } = await withPolicy(5);
      const verified = await verify(replayer, scope, messageRecords(12), comparing("return"));
      expect(verified).toMatchObject({ differences: [], equal: 12 });
      const note = "every message was received once more by this, and after 5 times the redrive policy moves it";
      expect(verified.notes).toEqual([note]);
    });

    it("stops at messages that others have received often", async () => {
      const { scope, replayer } = await withPolicy(5);
      for (let round = 0; round < 3; round++) await verify(replayer, scope, messageRecords(12), comparing("return"));
      const last = await verify(replayer, scope, messageRecords(12), comparing("return"));
      expect(last.notes.join()).toMatch(/receiving was ended early: a message was received 4 times by now/);
      expect(last.differences).toEqual([]);
      expect(await bench.queues.depths(scope.target)).toEqual([12, 0, 0]);
    });
  });
}
