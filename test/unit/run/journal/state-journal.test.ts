import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../../../src/run/journal/entries.js";
import type { EntryKeeper } from "../../../../src/run/journal/entry-keeper.js";
import { SCOPE_PHASES } from "../../../../src/run/journal/journal.js";
import { ScopeState } from "../../../../src/run/journal/state.js";
import { StateJournal } from "../../../../src/run/journal/state-journal.js";
import type { ListedRecord } from "../../../../src/run/listed-record.js";
import { Tally } from "../../../../src/run/tally.js";
import { CREATED, memoryJournal } from "../../../support/memory-journal.js";
import { tableScope } from "../../../support/records.js";

const scope = tableScope();
const label = "dynamodb:orders";
const LISTED: ListedRecord = {
  adapter: "dynamodb",
  scope: scope.name,
  path: "data-00.jsonl",
  key: "k",
  outcome: "failed",
};

const end = (sequence: number) => ({ sequence, after: { path: "data-00.jsonl", line: sequence + 1 } });

function settlement(...sequences: number[]) {
  const tally = new Tally();
  for (const _ of sequences) tally.add({ bytes: 1 }, { kind: "restored" }, []);
  return { records: sequences.map(end), tally, listed: [], workedMs: 5 };
}

describe("a scope", () => {
  it("is admitted once, and before anything else", async () => {
    const { journal } = memoryJournal();
    await expect(journal.records(scope).intent([0])).rejects.toMatchObject({ code: "INTERNAL" });
    await journal.admit(scope, CREATED);
    await expect(journal.admit(scope, CREATED)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(journal.recovered(scope)).toMatchObject({ phase: "admitted", admission: CREATED, nextSequence: 0 });
  });

  it.each(SCOPE_PHASES.flatMap((later, i) => SCOPE_PHASES.slice(0, i).map((earlier) => [later, earlier] as const)))(
    "never goes back from %s to %s",
    async (later, earlier) => {
      const { journal } = memoryJournal([scope]);
      await journal.phase(scope, later);
      await expect(journal.phase(scope, earlier)).rejects.toMatchObject({ code: "INTERNAL", retry: "fatal" });
    },
  );

  it("is apart from others", async () => {
    const { journal } = memoryJournal([scope, tableScope("users")]);
    await journal.phase(scope, "done");
    await expect(journal.phase(tableScope("users"), "finishing")).resolves.toBeUndefined();
  });
});

describe("records", () => {
  it("are the scope's own, looked up before it was admitted, over a rewind, and twice", async () => {
    const { journal } = memoryJournal();
    const [early, others] = [journal.records(scope), journal.records(tableScope("users"))];
    await journal.admit(scope, CREATED);
    await early.intent([0, 1]);
    expect([early.underWay, early.underWayUpTo, others.underWay, others.underWayUpTo]).toEqual([2, 2, 0, 0]);
    await journal.records(scope).settled(settlement(0));
    expect([early.isSettled(0), early.isSettled(1), early.underWay]).toEqual([true, false, 1]);
    await journal.rewind(scope);
    expect([early.isSettled(0), early.announcedAt(1) !== undefined, early.underWayUpTo]).toEqual([false, true, 2]);
    await early.settled(settlement(0, 1));
    expect(journal.recovered(scope)).toMatchObject({ nextSequence: 2 });
  });

  it("cannot be settled twice, behind the position, ahead of it, or at once", async () => {
    const { journal } = memoryJournal([scope]);
    await journal.records(scope).settled(settlement(0, 5));
    for (const again of [[0], [5], [7, 7]]) {
      await expect(journal.records(scope).settled(settlement(...again))).rejects.toMatchObject({ code: "INTERNAL" });
    }
  });

  it("cannot be passed over by a position", () => {
    const state = new ScopeState(label);
    state.apply({ type: "admitted", scope: label, admission: CREATED });
    const upTo = { next: 2, after: end(1).after };
    const settled = {
      type: "settled",
      scope: label,
      records: [[0, 0]] as [number, number][],
      tally: {},
      workedMs: 0,
    } as const;
    expect(() => state.apply({ ...settled, upTo })).toThrow("record 1 was passed over");
  });

  it("cannot be announced once they are settled", async () => {
    const { journal } = memoryJournal([scope]);
    await journal.records(scope).settled(settlement(0));
    await expect(journal.records(scope).intent([0])).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("that are announced again keep the time of the first announcement", async () => {
    const { journal } = memoryJournal([scope]);
    await journal.records(scope).intent([3]);
    const at = journal.records(scope).announcedAt(3);
    expect(at).toBe(1_700_000_000_000);
    await journal.records(scope).intent([3]);
    expect(journal.records(scope).announcedAt(3)).toBe(at);
    expect(journal.records(scope).announcedAt(2)).toBeUndefined();
  });

  it("that were withdrawn were never sent", async () => {
    const { journal, ofType } = memoryJournal([scope]);
    await journal.records(scope).intent([0, 1]);
    await journal.records(scope).withdraw([1]);
    await journal.records(scope).withdraw([]);
    expect(ofType("withdrawn")).toHaveLength(1);
    expect([journal.records(scope).announcedAt(0), journal.records(scope).announcedAt(1)]).toEqual([
      1_700_000_000_000,
      undefined,
    ]);
    await expect(journal.records(scope).withdraw([1])).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("of a scope that is rewound have no end, and may all have been written", async () => {
    const { journal } = memoryJournal([scope]);
    await journal.records(scope).intent([0, 1, 2, 3]);
    await journal.records(scope).settled(settlement(0, 2));
    await journal.phase(scope, "done");
    await journal.rewind(scope);
    expect(journal.recovered(scope)).toMatchObject({ phase: "writing", nextSequence: 0 });
    expect(journal.recovered(scope)?.settledUpTo).toBeUndefined();
    expect(journal.recovered(scope)?.tally).toEqual(new Tally());
    expect([0, 1, 2, 3].map((sequence) => journal.records(scope).announcedAt(sequence))).not.toContain(undefined);
    expect(journal.records(scope).announcedAt(4)).toBeUndefined();
  });

  it("settled in any order and grouping leave the position behind the last, also when read again half-way", async () => {
    const order = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.record({
        order: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count },
        ),
        size: fc.integer({ min: 1, max: 5 }),
        crashAt: fc.nat({ max: count }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(order, async ({ order, size, crashAt }) => {
        let kept = memoryJournal([scope]);
        const done = new Set<number>();
        let crashed = false;
        for (let at = 0; at < order.length; at += size) {
          if (!crashed && at >= crashAt) {
            kept = again(kept.entries);
            crashed = true;
            const from = kept.journal.recovered(scope)?.nextSequence ?? 0;
            for (let i = from; i < order.length; i++) if (done.has(i)) kept.journal.records(scope).passed(end(i));
          }
          const group = order.slice(at, at + size);
          await kept.journal.records(scope).settled(settlement(...group));
          for (const sequence of group) done.add(sequence);
          const gap = Array.from({ length: order.length + 1 }, (_, i) => i).findIndex((i) => !done.has(i));
          const state = kept.journal.recovered(scope);
          expect(state?.nextSequence).toBe(gap);
          expect(state?.settledUpTo).toEqual(gap === 0 ? undefined : end(gap - 1).after);
          expect(state?.tally.settled).toBe(done.size);
        }
      }),
    );
  });
});

/** What another process finds: the entries applied anew, then written down and read as one checkpoint. */
function again(entries: ReturnType<typeof memoryJournal>["entries"]) {
  const state = new ScopeState(label);
  for (const entry of entries) if (entry.type !== "checkpoint") state.apply(entry);
  const kept = memoryJournal([], new Map([[label, ScopeState.from(state.toJSON())]]));
  return kept;
}

describe("closing", () => {
  it("accepts a scope that was done with all records settled, and one that was not done", async () => {
    const { journal } = memoryJournal([scope, tableScope("users")]);
    await journal.records(scope).intent([0]);
    await journal.records(scope).settled(settlement(0));
    await journal.phase(scope, "done");
    await journal.records(tableScope("users")).intent([0]);
    await expect(journal.close()).resolves.toBeUndefined();
  });

  it.each([
    [
      "announced and not settled",
      (journal: ReturnType<typeof memoryJournal>["journal"]) => journal.records(scope).intent([0]),
    ],
    [
      "left out",
      (journal: ReturnType<typeof memoryJournal>["journal"]) => journal.records(scope).settled(settlement(0, 2)),
    ],
  ])("refuses a scope that was done with a record %s", async (_, leave) => {
    const { journal } = memoryJournal([scope]);
    await leave(journal);
    await journal.phase(scope, "done");
    await expect(journal.close()).rejects.toThrow(/1 records unsettled/);
  });
});

/** A journal whose entries are seen as they are handed on, with what is asked of them. */
function handedOn() {
  const kept: { entry: Entry; durable: boolean }[] = [];
  const keeper: EntryKeeper = {
    keep: (entry, durable) => {
      kept.push({ entry, durable });
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  return { journal: new StateJournal(keeper, { now: () => 1_500.4 }), kept };
}

describe("what is handed on to be kept", () => {
  it("survives a power loss before anything is done that rests on it", async () => {
    const { journal, kept } = handedOn();
    await journal.admit(scope, CREATED);
    await journal.phase(scope, "emptying");
    await journal.ready(scope, { warnings: ["w"], error: "no" });
    await journal.records(scope).intent([4, 0, 1]);
    await journal.note(scope, "upload", "u-1");
    await journal.note(scope, "upload", undefined);
    await journal.rewind(scope);
    expect(kept.map(({ durable }) => durable)).toEqual(kept.map(() => true));
    expect(kept.map(({ entry }) => entry)).toStrictEqual([
      { type: "admitted", scope: label, admission: CREATED },
      { type: "phase", scope: label, phase: "emptying" },
      { type: "ready", scope: label, readiness: { warnings: ["w"], error: "no" } },
      {
        type: "intent",
        scope: label,
        records: [
          [0, 1],
          [4, 4],
        ],
        at: 1_500,
      },
      { type: "note", scope: label, name: "upload", value: "u-1" },
      { type: "note", scope: label, name: "upload" },
      { type: "rewound", scope: label, at: 1_500 },
    ]);
  });

  it("may wait, where losing it only makes records be written again", async () => {
    const { journal, kept } = handedOn();
    await journal.admit(scope, CREATED);
    await journal.records(scope).intent([0, 1, 3]);
    kept.length = 0;
    await journal.records(scope).withdraw([3]);
    await journal.records(scope).settled(settlement(1));
    await journal.records(scope).settled({ ...settlement(0), listed: [LISTED], workedMs: -2 });
    const tally = { totals: { restored: 1 }, bytes: 1 };
    expect(kept).toStrictEqual([
      { durable: false, entry: { type: "withdrawn", scope: label, records: [[3, 3]] } },
      { durable: false, entry: { type: "settled", scope: label, records: [[1, 1]], tally, workedMs: 5 } },
      {
        durable: false,
        entry: {
          type: "settled",
          scope: label,
          records: [[0, 0]],
          upTo: { next: 2, after: end(1).after },
          tally,
          listed: [LISTED],
          workedMs: 0,
        },
      },
    ]);
  });

  it("is nothing where nothing changes", async () => {
    const { journal, kept } = handedOn();
    await journal.admit(scope, CREATED);
    await journal.phase(scope, "done");
    await journal.phase(scope, "done");
    expect(kept).toHaveLength(2);
  });
});

describe("what is recovered", () => {
  it("is how the scope was made ready, and its notes", async () => {
    const { journal } = memoryJournal([scope]);
    await journal.ready(scope, { warnings: ["w"], error: "no" });
    await journal.note(scope, "upload", "u-1");
    expect(journal.recovered(scope)).toMatchObject({ phase: "writing", readiness: { warnings: ["w"], error: "no" } });
    expect([...journal.notes(scope)]).toEqual([["upload", "u-1"]]);
  });

  it("is nothing of a scope that was not admitted, whether it was asked for before or not", () => {
    const { journal } = memoryJournal();
    expect(journal.recovered(scope)).toBeUndefined();
    expect(journal.records(scope).isSettled(0)).toBe(false);
    expect(journal.recovered(scope)).toBeUndefined();
  });

  it("has no field for what is not there", async () => {
    const { journal } = memoryJournal([scope]);
    const found = { phase: "admitted", admission: CREATED, nextSequence: 0, tally: new Tally(), workedMs: 0 };
    expect(journal.recovered(scope)).toStrictEqual(found);
  });
});

it("closing on a record without an outcome is a fault of this program", async () => {
  const { journal } = memoryJournal([scope]);
  await journal.records(scope).intent([0]);
  await journal.phase(scope, "done");
  await expect(journal.close()).rejects.toMatchObject({
    code: "INTERNAL",
    message: expect.stringContaining(label) as string,
  });
});
