import { describe, expect, it } from "vitest";
import { OUTCOMES } from "../../../src/model/outcome.js";
import { Ledger, type ListedRecord } from "../../../src/run/ledger.js";
import type { ProgressEvent } from "../../../src/run/progress.js";
import { itemRecord, tableScope } from "../../support/records.js";

function setUp() {
  const listed: ListedRecord[] = [];
  const events: ProgressEvent[] = [];
  const ledger = new Ledger({ write: async (record) => void listed.push(record) }, { report: (e) => events.push(e) });
  return { ledger, listed, events };
}

describe("sums", () => {
  it("hold every outcome of every scope", async () => {
    const { ledger } = setUp();
    for (const [i, name] of ["orders", "users"].entries()) {
      const scope = ledger.scope(tableScope(name));
      for (const [at, kind] of OUTCOMES.entries()) {
        for (let n = 0; n <= at + i; n++) {
          scope.read(itemRecord("k"));
          await scope.settle(itemRecord("k"), { kind, reason: "r" });
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
    scope.read(itemRecord("a"));
    scope.read(itemRecord("b"));
    await scope.settle(itemRecord("a"), { kind: "restored" });
    expect([scope.notReached, ledger.notReached]).toEqual([1, 1]);
    expect(() => ledger.assertComplete()).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });

  it("refuse to close on more outcomes than records", async () => {
    const { ledger } = setUp();
    await ledger.scope(tableScope()).settle(itemRecord("a"), { kind: "restored" });
    expect(() => ledger.assertComplete()).toThrow(/0 records were read but 1/);
  });

  it("count reasons by outcome, notes of reader and replayer, stream entries, and bytes of restored records alone", async () => {
    const { ledger } = setUp();
    const scope = ledger.scope(tableScope());
    const noted = { ...itemRecord("a", { bytes: 7 }), notes: [{ kind: "stale-meta" as const }] };
    const entries = { restored: 5, skippedExisting: 2, rejected: 1 };
    await scope.settle(noted, { kind: "restored", notes: [{ kind: "early" }] });
    await scope.settle(itemRecord("b", { bytes: 100 }), { kind: "rejected", reason: "id-below-top", entries });
    await scope.settle(itemRecord("c", { bytes: 100 }), { kind: "failed", reason: "id-below-top", entries });
    expect(Object.fromEntries(scope.reasons)).toEqual({ "rejected/id-below-top": 1, "failed/id-below-top": 1 });
    expect(Object.fromEntries(scope.notes)).toEqual({ "stale-meta": 1, early: 1 });
    expect(scope.entries).toEqual({ restored: 10, skippedExisting: 4, rejected: 2 });
    expect(scope.bytesRestored).toBe(7);
  });

  it("are kept by the scope's name in the dump, whichever object names it", () => {
    const { ledger } = setUp();
    expect(ledger.scope(tableScope("orders"))).toBe(ledger.scope(tableScope("orders")));
    expect(ledger.scope(tableScope("orders"))).not.toBe(ledger.scope(tableScope("users")));
  });
});

describe("what is listed", () => {
  it("is every outcome but restored, with its place, reason and detail", async () => {
    const { ledger, listed } = setUp();
    const scope = ledger.scope(tableScope());
    for (const kind of OUTCOMES)
      await scope.settle(itemRecord("k", { line: 3 }), { kind, reason: "why", detail: "so" });
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
    const { ledger, listed } = setUp();
    const note = { kind: "expiry-clamped" as const, detail: "set to the longest" };
    await ledger.scope(tableScope()).settle(itemRecord("k"), { kind: "restored", notes: [note] });
    expect(listed).toEqual([expect.objectContaining({ outcome: "restored", notes: [note] })]);
  });
});

it("every end is told to the progress sink", async () => {
  const { ledger, events } = setUp();
  const scope = tableScope();
  await ledger.scope(scope).settle(itemRecord("k", { bytes: 12 }), { kind: "failed", reason: "r" });
  expect(events).toEqual([{ type: "records", scope, outcome: "failed", records: 1, bytes: 12 }]);
});
