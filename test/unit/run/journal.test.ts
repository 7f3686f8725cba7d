import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RESTORED } from "../../../src/model/outcome.js";
import { CountingJournal } from "../../../src/run/journal/counting-journal.js";
import { SCOPE_PHASES, type SettledRecord } from "../../../src/run/journal/journal.js";
import { tableScope } from "../../support/records.js";

const scope = tableScope();

function settled(sequence: number): SettledRecord {
  return { sequence, after: { path: "data-00.jsonl", line: sequence + 1 }, outcome: RESTORED };
}

describe("a scope's phases", () => {
  it("go forward, may repeat, and may leave steps out", async () => {
    const journal = new CountingJournal();
    for (const phase of ["admitted", "admitted", "writing", "finishing", "done", "done"] as const) {
      await expect(journal.phase(scope, phase)).resolves.toBeUndefined();
    }
  });

  it.each(SCOPE_PHASES.flatMap((later, i) => SCOPE_PHASES.slice(0, i).map((earlier) => [later, earlier] as const)))(
    "never go back from %s to %s",
    async (later, earlier) => {
      const journal = new CountingJournal();
      await journal.phase(scope, later);
      await expect(journal.phase(scope, earlier)).rejects.toMatchObject({ code: "INTERNAL", retry: "fatal" });
    },
  );

  it("are each scope's own", async () => {
    const journal = new CountingJournal();
    await journal.phase(scope, "done");
    await expect(journal.phase(tableScope("users"), "writing")).resolves.toBeUndefined();
  });
});

describe("records", () => {
  it("cannot be announced twice before they are settled", async () => {
    const journal = new CountingJournal();
    await journal.intent(scope, [0, 1]);
    await expect(journal.intent(scope, [1])).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("cannot be settled twice, behind the position or ahead of it", async () => {
    const journal = new CountingJournal();
    await journal.settled(scope, [settled(0), settled(5)]);
    await expect(journal.settled(scope, [settled(0)])).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(journal.settled(scope, [settled(5)])).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(journal.settled(scope, [settled(7), settled(7)])).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("move the position only up to the first one that is not settled", async () => {
    const journal = new CountingJournal();
    expect(journal.settledUpTo(scope)).toBeUndefined();
    await journal.settled(scope, [settled(2), settled(1)]);
    expect(journal.settledUpTo(scope)).toBeUndefined();
    await journal.settled(scope, [settled(0)]);
    expect(journal.settledUpTo(scope)).toEqual(settled(2).after);
    await journal.settled(scope, [settled(4)]);
    expect(journal.settledUpTo(scope)).toEqual(settled(2).after);
  });

  it("settled in any order and grouping leave the position behind the last", async () => {
    const order = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.record({
        order: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count },
        ),
        size: fc.integer({ min: 1, max: 5 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(order, async ({ order, size }) => {
        const journal = new CountingJournal();
        const done = new Set<number>();
        for (let at = 0; at < order.length; at += size) {
          const group = order.slice(at, at + size);
          await journal.settled(scope, group.map(settled));
          for (const sequence of group) done.add(sequence);
          const gap = Array.from({ length: order.length + 1 }, (_, i) => i).findIndex((i) => !done.has(i));
          expect(journal.settledUpTo(scope)).toEqual(gap === 0 ? undefined : settled(gap - 1).after);
        }
      }),
    );
  });
});

describe("closing", () => {
  it("accepts a scope that was done with all records settled, and one that was not done", async () => {
    const journal = new CountingJournal();
    await journal.intent(scope, [0]);
    await journal.settled(scope, [settled(0)]);
    await journal.phase(scope, "done");
    await journal.intent(tableScope("users"), [0]);
    await expect(journal.close()).resolves.toBeUndefined();
  });

  it("refuses a scope that was done with a record announced and not settled", async () => {
    const journal = new CountingJournal();
    await journal.intent(scope, [0]);
    await journal.phase(scope, "done");
    await expect(journal.close()).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("refuses a scope that was done with a record left out", async () => {
    const journal = new CountingJournal();
    await journal.settled(scope, [settled(0), settled(2)]);
    await journal.phase(scope, "done");
    await expect(journal.close()).rejects.toThrow(/1 records unsettled/);
  });
});
