import { describe, expect, it } from "vitest";
import { OUTCOMES } from "../../../src/model/outcome.js";
import { Ledger } from "../../../src/run/ledger.js";
import type { ProgressEvent } from "../../../src/run/progress.js";
import { Tally } from "../../../src/run/tally.js";
import type { Timeline } from "../../../src/run/timeline.js";
import { itemRecord, tableScope } from "../../support/records.js";

function setUp() {
  const events: ProgressEvent[] = [];
  const ledger = new Ledger({ report: (e) => events.push(e) });
  return { ledger, events };
}

describe("sums", () => {
  it("hold every outcome of every scope", async () => {
    const { ledger } = setUp();
    for (const [i, name] of ["orders", "users"].entries()) {
      const scope = ledger.scope(tableScope(name));
      for (const [at, kind] of OUTCOMES.entries()) {
        for (let n = 0; n <= at + i; n++) {
          scope.read();
          scope.settle([{ record: itemRecord("k"), outcome: { kind, reason: "r" } }]);
        }
      }
    }
    const expected = Object.fromEntries(OUTCOMES.map((kind, at) => [kind, at + 1 + (at + 2)]));
    expect(ledger.totals()).toEqual(expected);
    expect(ledger.recordsRead).toBe(Object.values(expected).reduce((sum, n) => sum + n, 0));
    expect(ledger.notReached).toBe(0);
    expect(() => ledger.assertComplete()).not.toThrow();
  });

  it("count records without an outcome as not reached, and refuse to close on them", async () => {
    const { ledger } = setUp();
    const scope = ledger.scope(tableScope());
    scope.read();
    scope.read();
    scope.settle([{ record: itemRecord("a"), outcome: { kind: "restored" } }]);
    expect([scope.notReached, ledger.notReached]).toEqual([1, 1]);
    expect(() => ledger.assertComplete()).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });

  it("refuse to close on more outcomes than records", async () => {
    const { ledger } = setUp();
    ledger.scope(tableScope()).settle([{ record: itemRecord("a"), outcome: { kind: "restored" } }]);
    expect(() => ledger.assertComplete()).toThrow(/0 records were read but 1/);
  });

  it("count reasons by outcome, notes of reader and replayer, stream entries, and bytes of restored records alone", async () => {
    const { ledger } = setUp();
    const scope = ledger.scope(tableScope());
    const noted = { ...itemRecord("a", { bytes: 7 }), notes: [{ kind: "stale-meta" as const }] };
    const entries = { restored: 5, skippedExisting: 2, rejected: 1 };
    scope.settle([{ record: noted, outcome: { kind: "restored", notes: [{ kind: "early" }] } }]);
    scope.settle([
      { record: itemRecord("b", { bytes: 100 }), outcome: { kind: "rejected", reason: "id-below-top", entries } },
      { record: itemRecord("c", { bytes: 100 }), outcome: { kind: "failed", reason: "id-below-top", entries } },
    ]);
    const { tally } = scope;
    expect(Object.fromEntries(tally.reasons)).toEqual({ "rejected/id-below-top": 1, "failed/id-below-top": 1 });
    expect(Object.fromEntries(tally.notes)).toEqual({ "stale-meta": 1, early: 1 });
    expect(tally.entries).toEqual({ restored: 10, skippedExisting: 4, rejected: 2 });
    expect(tally.bytesRestored).toBe(7);
  });

  it("are kept by the scope's name in the dump, whichever object names it", () => {
    const { ledger } = setUp();
    expect(ledger.scope(tableScope("orders"))).toBe(ledger.scope(tableScope("orders")));
    expect(ledger.scope(tableScope("orders"))).not.toBe(ledger.scope(tableScope("users")));
  });
});

describe("what is listed", () => {
  it("is every outcome but restored, with its place, reason and detail", async () => {
    const { ledger } = setUp();
    const record = itemRecord("k", { line: 3 });
    const ended = OUTCOMES.map((kind) => ({ record, outcome: { kind, reason: "why", detail: "so" } }));
    const { listed } = ledger.scope(tableScope()).settle(ended);
    expect(listed.map(({ outcome }) => outcome)).toEqual(OUTCOMES.filter((kind) => kind !== "restored"));
    expect(listed[0]).toEqual({
      adapter: "dynamodb",
      scope: "orders",
      path: "dynamodb/orders/items/data-00.jsonl",
      line: 3,
      key: "k",
      outcome: "skipped-existing",
      reason: "why",
      detail: "so",
    });
  });

  it("is a restored record that carries a note", async () => {
    const { ledger } = setUp();
    const note = { kind: "expiry-clamped" as const, detail: "set to the longest" };
    const outcome = { kind: "restored" as const, notes: [note] };
    const { listed } = ledger.scope(tableScope()).settle([{ record: itemRecord("k"), outcome }]);
    expect(listed).toEqual([expect.objectContaining({ outcome: "restored", notes: [note] })]);
  });
});

it("every end is told to the progress sink", async () => {
  const { ledger, events } = setUp();
  const scope = tableScope();
  ledger.scope(scope).settle([{ record: itemRecord("k", { bytes: 12 }), outcome: { kind: "failed", reason: "r" } }]);
  expect(events).toEqual([{ type: "records", scope, outcome: "failed", records: 1, bytes: 12 }]);
});

it("what this process did is told apart from what an earlier one had done", () => {
  const { ledger } = setUp();
  const earlier = new Tally();
  earlier.add({ bytes: 90 }, { kind: "restored" }, []);
  const scope = ledger.scope(tableScope());
  scope.begin(earlier);
  scope.read();
  scope.settle([{ record: itemRecord("k", { bytes: 9 }), outcome: { kind: "restored" } }]);
  expect([ledger.totals().restored, scope.tally.bytesRestored]).toEqual([2, 99]);
  expect(ledger.here).toEqual({ restored: 1, bytes: 9 });
});

it("counts of an earlier process are where this one begins, and are told as well", () => {
  const { ledger, events } = setUp();
  const before = ledger.scope(tableScope("before"));
  before.read();
  before.settle([{ record: itemRecord("k", { bytes: 9 }), outcome: { kind: "restored" } }]);
  const scope = ledger.scope(tableScope("orders"));
  scope.begin(before.tally);
  expect([scope.recordsRead, scope.notReached, scope.tally.totals.restored]).toEqual([1, 0, 1]);
  expect(events.at(-1)).toMatchObject({ type: "counted-before", records: 1, bytes: 9, outcomes: { restored: 1 } });
  expect(Tally.from(scope.tally.toJSON())).toEqual(before.tally);
});

it("how an earlier process ended records is told by outcome", () => {
  const { ledger, events } = setUp();
  ledger.scope(tableScope()).begin(Tally.from({ totals: { restored: 7, rejected: 1, failed: 2, ambiguous: 4 } }));
  expect(events.at(-1)).toMatchObject({
    type: "counted-before",
    records: 14,
    outcomes: { restored: 7, rejected: 1, failed: 2, ambiguous: 4, "skipped-existing": 0 },
  });
});

it("records that a transform dropped are counted beside those that were read", () => {
  const { ledger } = setUp();
  for (const name of ["orders", "users"]) {
    const { tally, listed } = ledger.scope(tableScope(name)).leaveOut();
    expect([tally.toJSON(), listed]).toEqual([{ leftOut: 1 }, []]);
  }
  expect([ledger.leftOut, ledger.recordsRead, ledger.notReached]).toEqual([2, 0, 0]);
  expect(() => ledger.assertComplete()).not.toThrow();
});

it("a timeline is told of the records that end here, with the bytes that were restored", () => {
  const points: number[][] = [];
  const timeline = { add: (...point: number[]) => points.push(point) } as unknown as Timeline;
  const ledger = new Ledger({ report: () => undefined }, timeline);
  ledger.scope(tableScope()).settle([
    { record: itemRecord("a", { bytes: 5 }), outcome: { kind: "restored" } },
    { record: itemRecord("b", { bytes: 6 }), outcome: { kind: "failed", reason: "odd" } },
  ]);
  expect(points).toEqual([[2, 5]]);
});
