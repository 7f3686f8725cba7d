import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { Position } from "../../../src/model/position.js";
import type { DumpRecord, UnjudgedCollection } from "../../../src/model/record.js";
import type { Scope } from "../../../src/model/scope.js";
import { RunControl } from "../../../src/run/control.js";
import { batchesToWrite, ownRecords, type RecordSource, runRecords } from "../../../src/run/run-records.js";
import type {
  PlainItem,
  PlainMessage,
  PlainString,
  TransformFunction,
} from "../../../src/run/transform/plain-records.js";
import { eachOf } from "../../../src/support/breathing.js";
import { fakeClock } from "../../support/fake-clock.js";
import { settleTurns } from "../../support/fake-replayer.js";
import { faultyRecord, itemRecord, tableScope } from "../../support/records.js";
import { databaseScope, stringRecord } from "../../support/redis-records.js";
import { fifoMessage, queueScope } from "../../support/sqs-records.js";
import { returning } from "../../support/transforms.js";

const item = (key: string, line: number) => ({
  ...itemRecord(key, { line }),
  after: { path: "p", line, offset: line },
  text: Buffer.from(`{"id":{"S":"${key}"}}`),
});

function source(
  records: readonly DumpRecord[],
  parts: Partial<RecordSource> & { readonly call?: TransformFunction } = {},
) {
  const { call, ...rest } = parts;
  const begun: (Position | undefined)[] = [];
  return {
    begun,
    scope: tableScope() as Scope,
    wantsKey: () => true,
    workDirectory: tmpdir(),
    reader: {
      warnings: [],
      batches: async function* (from?: Position) {
        begun.push(from);
        yield from === undefined ? records : records.filter(({ after }) => (after.offset ?? 0) > (from.offset ?? 0));
      },
    },
    ...(call === undefined ? {} : { transform: { name: "t", digest: "d", call } }),
    ...rest,
  };
}

const ends = async (
  records: AsyncIterable<{ readonly kind: string; readonly displayKey: string; readonly reason?: string }>,
) => {
  const all: string[] = [];
  for await (const { kind, displayKey, reason } of records)
    all.push([kind, displayKey, ...(reason ? [reason] : [])].join(" "));
  return all;
};

const toBeWritten = (given: RecordSource) => eachOf(batchesToWrite(given));

/** `a:x` becomes `x`; what starts with `-` goes. */
const rename = returning<PlainItem>((given) => {
  const name = (given.item["id"] as { S: string }).S;
  if (name.startsWith("-")) return undefined;
  return { ...given, item: { ...given.item, id: { S: name.replace(/^.:/, "") } } };
});

describe("the records of a run", () => {
  it("are the selected ones, as the reader has them", async () => {
    const made = source([item("a", 1), item("b", 2), faultyRecord("c")], { wantsKey: (key) => key !== "a" });
    expect(await ends(runRecords(made))).toEqual(["item b", "faulty c malformed-json"]);
    expect(await ends(runRecords(made, { path: "p", offset: 1 }))).toEqual(["item b"]);
  });

  it("are judged before they are written only where a transform is to see them", async () => {
    const unjudged = { ...item("a", 1), kind: "unjudged" } as unknown as UnjudgedCollection;
    const toWrite = (call?: TransformFunction) => {
      const made = source([item("a", 1)], call === undefined ? {} : { call });
      const reader = { ...made.reader, batchesToWrite: () => [[unjudged, item("b", 2)]] };
      return ends(toBeWritten({ ...made, reader, wantsKey: (key: string) => key !== "b" } as unknown as RecordSource));
    };
    expect(await toWrite()).toEqual(["unjudged a"]);
    expect(await toWrite(rename)).toEqual(["item a"]);
    expect(await ends(toBeWritten(source([item("a", 1)])))).toEqual(["item a"]);
  });

  it("go through the transform when their key in the dump is selected, faulty ones do not", async () => {
    const seen: string[] = [];
    const call = returning<PlainItem>((given) => {
      seen.push(given.key);
      return rename(given);
    });
    const made = source([item("a:1", 1), item("-2", 2), faultyRecord("f"), item("x", 3)], {
      call,
      wantsKey: (key) => key !== "x",
    });
    expect(await ends(runRecords(made))).toEqual(["item 1", "left-out -2", "faulty f malformed-json"]);
    expect(seen).toEqual(["a:1", "-2"]);
  });

  it("whose keys the transform makes one are rejected from the second on, also one that it left alone", async () => {
    const made = source([item("a:1", 1), item("b:1", 2), item("1", 3), item("2", 4)], { call: rename });
    expect(await ends(runRecords(made))).toEqual([
      "item 1",
      "faulty b:1 duplicate-record",
      "faulty 1 duplicate-record",
      "item 2",
    ]);
  });

  it("of Redis have one key whatever their type and however it was returned", async () => {
    const call = returning<PlainString>((given) => ({
      ...given,
      key: given.key.length === 1 ? "same" : Buffer.from("same"),
    }));
    const made = source([stringRecord("a", "1"), stringRecord("bb", "2")], { call, scope: databaseScope() });
    expect(await ends(runRecords(made))).toEqual(["string same", "faulty bb duplicate-record"]);
  });

  it("behind a position are those that a whole reading yields there, with keys before it taken", async () => {
    const records = [item("a:1", 1), item("-2", 2), item("b:1", 3), item("x", 4), item("a:3", 5)];
    const made = source(records, { call: rename, wantsKey: (key) => key !== "x" });
    const whole = await ends(runRecords(made));
    for (const [at, skipped] of [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
      [5, 4],
    ] as const) {
      expect(await ends(runRecords(made, { path: "p", line: at, offset: at }))).toEqual(whole.slice(skipped));
    }
    await expect(ends(runRecords(made, { path: "q", offset: 1 }))).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("of a queue are read from the position on, and may be alike", async () => {
    const messages = [fifoMessage(1, "g"), fifoMessage(2, "g"), fifoMessage(3, "g")];
    const made = source(messages, { scope: queueScope("q.fifo"), call: returning((given) => given) });
    const from = { path: "sqs/q/messages.jsonl", line: 1, offset: 1 };
    expect(await ends(runRecords(made, from))).toEqual(["message m-2", "message m-3"]);
    expect(made.begun).toEqual([from]);
  });
});

describe("the records that a target is asked about", () => {
  const records = [item("a:1", 1), item("-2", 2), faultyRecord("f"), item("x", 3)];

  it("are all that can be written, also those not selected", async () => {
    const made = source(records, { wantsKey: (key) => key !== "x" });
    expect(await ends(ownRecords(made))).toEqual(["item a:1", "item -2", "item x"]);
  });

  it("are the transformed ones, and those not selected as they are", async () => {
    const made = source(records, { wantsKey: (key) => key !== "x", call: rename });
    expect(await ends(ownRecords(made))).toEqual(["item 1", "item x"]);
  });

  it.each([undefined, returning<PlainMessage>((given) => ({ ...given, deduplicationId: "same" }))])(
    "are, of a queue, those that will be sent, as they will be sent",
    async (call) => {
      const messages = [fifoMessage(1, "g"), fifoMessage(2, "g")];
      const made = source(messages, {
        scope: queueScope("q.fifo"),
        wantsKey: (key) => key === "m-2",
        ...(call === undefined ? {} : { call }),
      });
      const own: unknown[] = [];
      for await (const record of ownRecords(made)) own.push(record);
      expect(own).toMatchObject([{ displayKey: "m-2", deduplicationId: call === undefined ? "d-2" : "same" }]);
    },
  );
});

describe("a long reading", () => {
  it("lets signals and timers in, also where no record is selected", async () => {
    const records = Array.from({ length: 1000 }, (_, i) => item(`k${i}`, i + 1));
    let isOver = false;
    let firedDuring: boolean | undefined;
    setImmediate(() => {
      firedDuring = !isOver;
    });
    for await (const _ of runRecords(source(records, { wantsKey: () => false })));
    isOver = true;
    await new Promise((resolve) => setImmediate(resolve));
    expect(firedDuring).toBe(true);
  });
});

describe("a pause of the run", () => {
  it.each([
    ["as they are", {}],
    ["through a transform", { call: (record: unknown) => record as PlainItem }],
  ])("stops the reading of records, %s, until it is over", async (_, parts) => {
    const control = new RunControl(fakeClock());
    const read: string[] = [];
    const reading = (async () => {
      for await (const { displayKey } of runRecords(source([item("a", 1), item("b", 2)], { ...parts, control }))) {
        read.push(displayKey);
        if (displayKey === "a") control.pause();
      }
    })();
    await settleTurns();
    expect(read).toEqual(["a"]);
    control.resume();
    await reading;
    expect(read).toEqual(["a", "b"]);
  });
});
