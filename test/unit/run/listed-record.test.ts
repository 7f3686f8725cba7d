import { expect, it } from "vitest";
import { listedRecord } from "../../../src/run/listed-record.js";
import { tableScope } from "../../support/records.js";

const scope = tableScope();

it("a record is listed with what is known of it, and no field for what is not", () => {
  const record = { place: { path: "a.json" }, displayKey: "k" };
  const bare = listedRecord(scope, record, { outcome: { kind: "skipped-empty" }, notes: [] });
  expect(bare).toStrictEqual({
    adapter: "dynamodb",
    scope: "orders",
    path: "a.json",
    key: "k",
    outcome: "skipped-empty",
  });
});

it("a record is listed with its line, reason, detail, notes and stream entries", () => {
  const record = { place: { path: "a.jsonl", line: 4 }, displayKey: "k" };
  const entries = { restored: 1, skippedExisting: 2, rejected: 1, refused: [{ id: "1-0", reason: "id-below-top" }] };
  const outcome = { kind: "rejected" as const, reason: "odd", detail: "it is", entries };
  const notes = [{ kind: "early" as const }];
  expect(listedRecord(scope, record, { outcome, notes })).toStrictEqual({
    adapter: "dynamodb",
    scope: "orders",
    path: "a.jsonl",
    line: 4,
    key: "k",
    outcome: "rejected",
    reason: "odd",
    detail: "it is",
    notes,
    entries,
  });
});
