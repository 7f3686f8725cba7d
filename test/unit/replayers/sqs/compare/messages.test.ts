import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../../../src/model/record.js";
import type { QueueScope } from "../../../../../src/model/scope.js";
import { compareMessages } from "../../../../../src/replayers/sqs/compare/messages.js";
import { madeSuffix } from "../../../../../src/replayers/sqs/deduplication.js";
import type { Comparing } from "../../../../../src/replayers/verifier.js";
import { type FakeClock, fakeClock } from "../../../../support/fake-clock.js";
import { type Awkwardness, FakeQueue } from "../../../../support/fake-queue.js";
import { fifoMessage, message, messageRecords, queueScope, streamOf } from "../../../../support/sqs-records.js";
import { comparing } from "../../../../support/sqs-verify.js";

interface Compared {
  readonly how: Comparing;
  readonly scope?: QueueScope;
  readonly aws?: boolean;
  readonly clock?: FakeClock;
  readonly workDirectory?: string;
}

async function compare(
  queue: FakeQueue,
  records: readonly MessageRecord[],
  { how, scope = queueScope("q"), aws = false, clock = fakeClock(), workDirectory = tmpdir() }: Compared,
) {
  const differences: string[] = [];
  const whole = await compareMessages({
    scope,
    url: "u",
    how,
    records: () => streamOf(records),
    found: ({ record, displayKey, difference }) => {
      differences.push([...(record === undefined ? [] : [displayKey]), difference.kind].join(" "));
    },
    looking: { api: queue, clock, aws },
    context: { clock, workDirectory },
  });
  return { ...whole, differences };
}

function setUp(records: readonly MessageRecord[], how: Awkwardness = {}) {
  const clock = fakeClock();
  return { clock, queue: new FakeQueue(clock, records, how) };
}

describe("messages that are given back", () => {
  it("are counted once when the queue gives them twice", async () => {
    const { clock, queue } = setUp(messageRecords(25), { twice: true });
    const compared = await compare(queue, messageRecords(25), { how: comparing("return"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 25, unproven: 0 });
  });

  it("are found where the service looks at some of its servers only", async () => {
    const { clock, queue } = setUp(messageRecords(25), { shortSighted: true });
    const compared = await compare(queue, messageRecords(25), { how: comparing("return"), clock, aws: true });
    expect(compared).toMatchObject({ differences: [], equal: 25, unproven: 0 });
  });

  it("are no more than the queue hides at once, and the rest is unproven", async () => {
    const { clock, queue } = setUp(messageRecords(100), { mostHidden: 40 });
    const compared = await compare(queue, messageRecords(100), { how: comparing("return"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 40, unproven: 60 });
    expect(compared.notes.join()).toMatch(/ended early: the queue hides no more messages at once/);
    expect(queue.hidden).toBe(0);
  });

  it("tell by number alone that some are missing behind those that the queue hides", async () => {
    const { clock, queue } = setUp(messageRecords(98), { mostHidden: 40 });
    const compared = await compare(queue, messageRecords(100), { how: comparing("return"), clock });
    expect(compared.differences).toEqual(["count"]);
  });

  it("are given back before their time is over, however slow the target is", async () => {
    const { clock, queue } = setUp(messageRecords(1000), { slowMs: 20_000 });
    const compared = await compare(queue, messageRecords(1000), { how: comparing("return"), clock });
    expect(compared.differences).toEqual([]);
    expect(compared.unproven).toBeGreaterThan(0);
    expect(compared.notes.join()).toMatch(/what is hidden would come back by itself/);
    expect(queue.hidden).toBe(0);
  });

  it.each([1, 7])("are all shown again when receive %i fails", async (failing) => {
    const { clock, queue } = setUp(messageRecords(200), {
      onReceive: (before) => {
        if (before === failing) throw new Error("broken");
      },
    });
    await expect(compare(queue, messageRecords(200), { how: comparing("return"), clock })).rejects.toThrow("broken");
    expect(queue.hidden).toBe(0);
    expect(queue.size).toBe(200);
  });

  it("end the comparison when they cannot be given back, and leave no file behind", async () => {
    const { clock, queue } = setUp(messageRecords(3), { keepsHidden: true });
    const workDirectory = mkdtempSync(join(tmpdir(), "messages-"));
    const comparison = compare(queue, messageRecords(3), { how: comparing("return"), clock, workDirectory });
    await expect(comparison).rejects.toThrow("not shown");
    expect(readdirSync(workDirectory)).toEqual([]);
    rmdirSync(workDirectory);
  });

  it("leave those of other consumers alone", async () => {
    const { clock, queue } = setUp(messageRecords(10));
    queue.hide(3, 3_600_000);
    const compared = await compare(queue, messageRecords(10), { how: comparing("return"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 7, unproven: 3 });
    expect(queue.hidden).toBe(3);
  });

  it("tell the first of a group that is missing, whether ids are the dump's or made by a restore", async () => {
    const records = Array.from({ length: 30 }, (_, i) => fifoMessage(i + 1, "a"));
    const scope = queueScope("q.fifo");
    const made = records.map((record) => {
      return { ...record, deduplicationId: `restore-0123456789abcdef-${madeSuffix("q.fifo", record)}` };
    });
    for (const held of [records, made]) {
      const { clock, queue } = setUp(held.slice(1), { fifo: true });
      const compared = await compare(queue, records, { how: comparing("return"), clock, scope });
      expect(compared).toMatchObject({ differences: ["m-1 missing"], equal: 10, unproven: 19 });
    }
  });

  it("prove nothing missing in an uncounted FIFO queue", async () => {
    const records = Array.from({ length: 30 }, (_, i) => fifoMessage(i + 1, "a"));
    const { clock, queue } = setUp(records.slice(0, 12), { fifo: true, uncounted: true });
    const scope = queueScope("q.fifo");
    const compared = await compare(queue, records, { how: comparing("return"), clock, scope });
    expect(compared).toMatchObject({ differences: [], equal: 10, unproven: 20 });
    expect(compared.notes).toContain("the target does not tell how many messages the queue holds");
  });

  it("are asked for one by one first where a redrive policy moves those that were received too often", async () => {
    const attributes = { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:r:1:d","maxReceiveCount":"3"}' };
    const { clock, queue } = setUp(messageRecords(25), { attributes });
    const first = await compare(queue, messageRecords(25), { how: comparing("return"), clock });
    expect(first).toMatchObject({ differences: [], equal: 25 });
    const second = await compare(queue, messageRecords(25), { how: comparing("return"), clock });
    expect(second).toMatchObject({ differences: [], equal: 1, unproven: 24 });
    expect(queue.receives).toEqual([2, ...Array<number>(24).fill(1)]);
  });

  it("of a FIFO group are not blocked by one that is asked for first", async () => {
    const attributes = { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:r:1:d.fifo","maxReceiveCount":3}' };
    const records = Array.from({ length: 12 }, (_, i) => fifoMessage(i + 1, "a"));
    const { clock, queue } = setUp(records, { attributes, fifo: true });
    const compared = await compare(queue, records, { how: comparing("return"), clock, scope: queueScope("q.fifo") });
    expect(compared).toMatchObject({ differences: [], equal: 10, unproven: 2 });
  });

  it("are not asked for where a redrive policy allows few receipts", async () => {
    const attributes = { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:r:1:d","maxReceiveCount":"2"}' };
    const { clock, queue } = setUp(messageRecords(5), {
      attributes,
      onReceive: () => {
        throw new Error("received");
      },
    });
    const compared = await compare(queue, messageRecords(5), { how: comparing("return"), clock });
    expect(compared).toMatchObject({ differences: [], unproven: 5 });
  });
});

describe("messages that are consumed", () => {
  it("are found in their order group by group, however a FIFO queue blocks", async () => {
    const records = Array.from({ length: 60 }, (_, i) => fifoMessage(i + 1, `g${i % 3}`));
    const { clock, queue } = setUp(records, { fifo: true });
    const scope = queueScope("q.fifo");
    const compared = await compare(queue, records, { how: comparing("consume"), clock, scope });
    expect(compared).toMatchObject({ differences: [], equal: 60, unproven: 0 });
    expect(queue.size).toBe(0);
  });

  it("tell one that moved to the end of its group, once", async () => {
    const records = Array.from({ length: 20 }, (_, i) => fifoMessage(i + 1, "a"));
    const [first, ...rest] = records;
    const { clock, queue } = setUp(first === undefined ? [] : [...rest, first], { fifo: true });
    const scope = queueScope("q.fifo");
    const compared = await compare(queue, records, { how: comparing("consume"), clock, scope });
    expect(compared).toMatchObject({ differences: ["m-2 order"], equal: 19 });
  });

  it("are waited for while another consumer has them for a short time", async () => {
    const { clock, queue } = setUp(messageRecords(10));
    queue.hide(3, 10_000);
    const compared = await compare(queue, messageRecords(10), { how: comparing("consume"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 10, unproven: 0 });
  });

  it("are not waited for without end", async () => {
    const { clock, queue } = setUp(messageRecords(10));
    queue.hide(3, 3_600_000);
    const compared = await compare(queue, messageRecords(10), { how: comparing("consume"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 7, unproven: 3 });
    expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(60_000);
  });

  it("are not missed by the service's counts that are late", async () => {
    const { clock, queue } = setUp(messageRecords(10), { lateLooks: 110 });
    const compared = await compare(queue, messageRecords(10), { how: comparing("consume"), clock, aws: true });
    expect(compared).toMatchObject({ differences: [], equal: 10, unproven: 0 });
  });
});

describe("messages that are counted", () => {
  it("are believed to be too few only after a minute at the service, and soon elsewhere", async () => {
    for (const [aws, seconds] of [
      [true, 60],
      [false, 0.5],
    ] as const) {
      const { clock, queue } = setUp(messageRecords(4));
      const compared = await compare(queue, messageRecords(5), { how: comparing("no"), clock, aws });
      expect(compared.differences).toEqual(["count"]);
      expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBe(seconds * 1000);
    }
  });

  it("are unproven where the target tells no counts", async () => {
    const { clock, queue } = setUp(messageRecords(4), { uncounted: true });
    const compared = await compare(queue, messageRecords(5), { how: comparing("no"), clock });
    expect(compared).toMatchObject({ differences: [], equal: 0, unproven: 5 });
  });
});

describe("many messages", () => {
  it("of few contents are told apart by number", async () => {
    const records = Array.from({ length: 400 }, (_, i) => message(i + 1, { body: `body ${i % 7}` }));
    const { clock, queue } = setUp(records.slice(2));
    const compared = await compare(queue, records, { how: comparing("return"), clock });
    expect(compared.equal).toBe(398);
    expect(compared.differences).toEqual(["m-394 missing", "m-400 missing"]);
  });
});
