import { describe, expect, it } from "vitest";
import type { ListedRecord } from "../../../src/run/listed-record.js";
import { ListedSummary } from "../../../src/run/listed-summary.js";
import { emptyTotals } from "../../../src/run/tally.js";

const ORDERS = { adapter: "sqs", name: "orders" } as const;

function listed(key: string, more: Partial<ListedRecord> = {}): ListedRecord {
  return { adapter: "sqs", scope: "orders", path: "sqs/orders/messages.jsonl", key, outcome: "rejected", ...more };
}

function summaryOf(...records: ListedRecord[]): ListedSummary {
  const summary = new ListedSummary();
  for (const record of records) summary.add(record);
  return summary;
}

it("tells the first and the last record of a scope that was not restored", () => {
  const skipped = listed("a", { outcome: "skipped-existing" });
  const [first, last, other] = [listed("b"), listed("c", { outcome: "ambiguous" }), listed("d", { scope: "else" })];
  const summary = summaryOf(skipped, first, last, other, skipped);
  expect(summary.errorsOf(ORDERS)).toEqual({ first, last });
  expect(summary.errorsOf({ adapter: "sqs", name: "none" })).toBeUndefined();
});

it("keeps those in doubt and those with another id also behind many others, and not more than a thousand", () => {
  const many = Array.from({ length: 1500 }, (_, i) => listed(`k${i}`));
  const doubtful = listed("doubt", { outcome: "ambiguous" });
  const rekeyed = listed("id", { outcome: "restored", notes: [{ kind: "rekeyed" }] });
  const summary = summaryOf(...many, doubtful, rekeyed);
  expect([summary.count, summary.first.length]).toEqual([1502, 1000]);
  expect([summary.inDoubt, summary.rekeyed]).toEqual([[doubtful], [rekeyed]]);
});

describe("the list of a scope is whole", () => {
  const totals = { ...emptyTotals(), restored: 7, rejected: 1 };
  it("when as many records are listed as were counted, restored ones left aside", () => {
    expect(summaryOf(listed("a")).missing(ORDERS, totals)).toBeUndefined();
  });
  it("not when one is missing, or one too many is there", () => {
    expect(summaryOf().missing(ORDERS, totals)).toBe("rejected");
    expect(summaryOf(listed("a"), listed("b", { outcome: "failed" })).missing(ORDERS, totals)).toBe("failed");
  });
});
