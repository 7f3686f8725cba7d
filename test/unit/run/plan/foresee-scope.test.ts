import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { type Outcome, RESTORED } from "../../../../src/model/outcome.js";
import type { WritableRecord } from "../../../../src/model/record.js";
import { foreseeScope, requestsFor } from "../../../../src/run/plan/foresee-scope.js";
import { settleTurns } from "../../../support/fake-replayer.js";
import { runInMemory } from "../../../support/prepared-run.js";
import { faultyRecord, itemRecord, queueScope, tableScope } from "../../../support/records.js";

const items = (count: number) => Array.from({ length: count }, (_, i) => itemRecord(`k${i}`, { line: i + 1 }));

/** By key; what is not named would be restored. */
const answering = (ends: Readonly<Record<string, Outcome>>) => (batch: readonly WritableRecord[]) =>
  batch.map(({ displayKey }) => ends[displayKey] ?? RESTORED);

function planning(
  init: Partial<Parameters<typeof runInMemory>[0]["scopes"][number]> = {},
  foresee?: (batch: readonly WritableRecord[]) => Outcome[] | Promise<Outcome[]>,
) {
  const scope = init.scope ?? tableScope();
  const memory = runInMemory({
    scopes: [{ scope, records: items(5), decision: "keep", ...init }],
    scripts: { [scope.adapter]: foresee === undefined ? {} : { foresee } },
    mode: "merge",
  });
  const [prepared] = memory.run.scopes;
  if (prepared === undefined) throw new Error("there is no scope");
  return {
    memory,
    prepared,
    log: () => memory.replayers.get(scope.adapter)?.log,
    run: () => foreseeScope(memory.run, prepared),
  };
}

describe("what is foreseen", () => {
  it("is asked in batches as the target takes them, and nothing is written", async () => {
    const { run, log } = planning({}, answering({}));
    await run();
    expect(log()).toEqual(["foresee keep k0,k1", "foresee keep k2,k3", "foresee keep k4"]);
  });

  it("is counted as a report counts it: outcomes, reasons, notes, entries and bytes", async () => {
    const { run } = planning(
      { records: [...items(5), faultyRecord("f")] },
      answering({
        k1: { kind: "restored", reason: "already-equal" },
        k2: { kind: "rejected", reason: "wrong-type" },
        k3: { kind: "restored", notes: [{ kind: "early" }] },
        k4: { kind: "rejected", reason: "item-too-large", entries: { restored: 2, skippedExisting: 1, rejected: 3 } },
      }),
    );
    const { ledger, toWrite, reaching } = await run();
    expect(ledger.recordsRead).toBe(6);
    expect(ledger.notReached).toBe(0);
    expect(ledger.tally.totals).toMatchObject({ restored: 3, rejected: 3 });
    expect(Object.fromEntries(ledger.tally.reasons)).toEqual({
      "restored/already-equal": 1,
      "rejected/wrong-type": 1,
      "rejected/item-too-large": 1,
      "rejected/malformed-json": 1,
    });
    expect(ledger.tally.notes.get("early")).toBe(1);
    expect(ledger.tally.entries).toEqual({ restored: 2, skippedExisting: 1, rejected: 3 });
    expect(ledger.tally.bytesRestored).toBe(30);
    expect(toWrite).toEqual({ records: 2, bytes: 20 });
    expect(reaching).toBe(5);
  });

  it("ends with the first error that the target answers, after what is under way", async () => {
    const error = new RestoreError("OUTAGE", "out of reach", { retry: "fatal" });
    const { run } = planning({}, () => Promise.reject(error));
    await expect(run()).rejects.toBe(error);
  });

  it("is a mistake of ours when answers are missing", async () => {
    const { run } = planning({}, () => []);
    await expect(run()).rejects.toThrow("0 outcomes for 2 records");
  });

  it("stays bounded: a target that does not answer stops the reading", async () => {
    let read = 0;
    const batches = (async function* () {
      for (const record of items(5000)) {
        read++;
        yield [record];
      }
    })();
    const { memory, prepared } = planning({ records: [] }, () => new Promise<Outcome[]>(() => undefined));
    Object.assign(memory.run.dump, { reader: () => ({ warnings: [], batches: () => batches }) });
    void foreseeScope(memory.run, prepared).catch(() => undefined);
    await settleTurns(600);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(300);
  });
});

describe("conflicts", () => {
  it("are records that something on the target keeps from being written, ten of them with key, place and reason", async () => {
    const ends = Object.fromEntries(items(25).map(({ displayKey }) => [displayKey, EXISTS]));
    const own: Outcome = { kind: "rejected", reason: "item-too-large" };
    const top: Outcome = { kind: "rejected", reason: "id-below-top" };
    const { run } = planning({ records: items(30) }, answering({ ...ends, k1: own, k2: top, k25: EQUAL }));
    const { conflicts } = await run();
    const { count, reasons, samples } = conflicts.toJSON();
    expect({ count, reasons }).toEqual({
      count: 24,
      reasons: { "skipped-existing/exists": 23, "rejected/id-below-top": 1 },
    });
    expect(samples).toHaveLength(10);
    expect(samples.slice(0, 2)).toEqual([
      { key: "k0", path: expect.any(String), line: 1, outcome: "skipped-existing", reason: "exists" },
      { key: "k2", path: expect.any(String), line: 3, outcome: "rejected", reason: "id-below-top" },
    ]);
  });
});

const EXISTS: Outcome = { kind: "skipped-existing", reason: "exists" };
const EQUAL: Outcome = { kind: "restored", reason: "already-equal" };

describe("a scope", () => {
  it.each(["create", "empty", "keep"] as const)("that the run would %s is foreseen so", async (decision) => {
    const { run, log } = planning({ decision, records: items(1) }, answering({}));
    await run();
    expect(log()).toEqual([`foresee ${decision} k0`]);
  });

  it("that is skipped whole has every record skipped, and the target is not asked", async () => {
    const { run, log } = planning({ decision: "skip", records: [...items(3), faultyRecord("f")] }, answering({}));
    const { ledger, reaching, conflicts } = await run();
    expect(ledger.tally.totals).toMatchObject({ "skipped-existing": 3, rejected: 1 });
    expect(ledger.tally.reasons.get("skipped-existing/scope-holds-records")).toBe(3);
    expect([reaching, conflicts.toJSON().count, log()]).toEqual([0, 3, []]);
  });

  it("that is refused is counted, without an outcome but of what cannot be read", async () => {
    const { run, log } = planning({ decision: "refuse", records: [...items(3), faultyRecord("f")] }, answering({}));
    const { ledger, reaching } = await run();
    expect([ledger.recordsRead, ledger.notReached, reaching, log()]).toEqual([4, 3, 0, []]);
    expect(ledger.tally.totals).toMatchObject({ restored: 0, rejected: 1 });
  });
});

describe("requests", () => {
  const cases: readonly (readonly [
    string,
    ReturnType<typeof tableScope | typeof queueScope>,
    "merge" | "skip-existing",
    number,
  ])[] = [
    ["items in batches", tableScope(), "merge", 3],
    ["items under a condition one by one", tableScope(), "skip-existing", 5],
    ["messages in batches", queueScope(), "skip-existing", 3],
  ];
  it.each(cases)("count %s", (_what, scope, mode, expected) => {
    const { run } = runInMemory({ scopes: [{ scope, records: [] }], mode });
    const [prepared] = run.scopes;
    if (prepared === undefined) throw new Error("there is no scope");
    expect(requestsFor(run, prepared, 5)).toBe(expected);
  });
});

it("tells how many records were looked at as it goes on", async () => {
  const { memory, run } = planning({ records: items(600) }, answering({}));
  await run();
  expect(memory.events.filter(({ type }) => type === "surveyed")).toEqual([
    expect.objectContaining({ records: 256 }),
    expect.objectContaining({ records: 512 }),
  ]);
});
