import { describe, expect, it } from "vitest";
import type { ScopeStateJson } from "../../../../src/run/journal/entries.js";
import type { Admission } from "../../../../src/run/journal/journal.js";
import { ScopeState } from "../../../../src/run/journal/state.js";

const label = "dynamodb:orders";
const admission: Admission = { presence: "absent", decision: "create" };
const end = (sequence: number) => ({ path: "a.jsonl", line: sequence + 1 });
const broken = (what: string) =>
  expect.objectContaining({ code: "INTERNAL", retry: "fatal", message: `journal of ${label}: ${what}` });

const ranges = (...sequences: number[]) => sequences.map((sequence): [number, number] => [sequence, sequence]);
const intent = (at: number, ...sequences: number[]) =>
  ({ type: "intent", scope: label, records: ranges(...sequences), at }) as const;
const settled = (...sequences: number[]) =>
  ({ type: "settled", scope: label, records: ranges(...sequences), tally: {}, workedMs: 5 }) as const;
const rewound = (at: number) => ({ type: "rewound", scope: label, at }) as const;

function admitted(): ScopeState {
  const state = new ScopeState(label);
  state.apply({ type: "admitted", scope: label, admission });
  return state;
}

/** Everything that can be known of a scope. */
const FULL: ScopeStateJson = {
  scope: label,
  phase: "finishing",
  admission,
  readiness: { warnings: ["w"], everyRecord: { kind: "failed", reason: "odd" }, error: "no" },
  upTo: { next: 3, after: { path: "a.jsonl", line: 3 } },
  ahead: [
    [5, 6],
    [9, 9],
  ],
  announced: [
    [3, 4, 1_000],
    [11, 11, 1_000],
    [7, 8, 2_000],
  ],
  before: [2, 500],
  tally: { totals: { restored: 4, failed: 2 }, bytes: 9 },
  workedMs: 12,
  notes: { upload: "u-1", other: "" },
};

describe("what is known of a scope", () => {
  it("is written down whole, and read again as it was", () => {
    const state = ScopeState.from(FULL);
    expect(state.toJSON()).toStrictEqual(FULL);
    expect([state.open, state.underWay, state.underWayUpTo]).toEqual([8, 5, 12]);
    expect([1, 2, 3, 7, 11].map((sequence) => state.announcedAt(sequence))).toEqual([500, undefined, 1000, 2000, 1000]);
    expect([2, 3, 5, 7, 9].map((sequence) => state.isSettled(sequence))).toEqual([true, false, true, false, true]);
  });

  it("is written down without what is not there", () => {
    const empty = { ahead: [], announced: [], before: [0, 0], tally: {}, workedMs: 0, notes: {} };
    expect(admitted().toJSON()).toStrictEqual({ scope: label, phase: "admitted", admission, ...empty });
    const state = admitted();
    state.apply({ type: "ready", scope: label, readiness: { warnings: [] } });
    expect(state.toJSON().readiness).toStrictEqual({ warnings: [] });
  });

  it("cannot be written down before it is admitted", () => {
    expect(() => new ScopeState(label).toJSON()).toThrow(broken("it was not admitted"));
  });

  it("holds a note until it is taken away", () => {
    const state = admitted();
    state.apply({ type: "note", scope: label, name: "upload", value: "" });
    expect([...state.notes]).toEqual([["upload", ""]]);
    state.apply({ type: "note", scope: label, name: "upload" });
    expect([...state.notes]).toEqual([]);
  });

  it("may be made ready again while it is written", () => {
    const state = admitted();
    state.apply({ type: "ready", scope: label, readiness: { warnings: ["one"] } });
    state.apply({ type: "ready", scope: label, readiness: { warnings: ["two"] } });
    expect(state.readiness).toEqual({ warnings: ["two"] });
  });
});

describe("what cannot follow is refused and named", () => {
  it.each(["intent", "note"] as const)("%s before admission", (type) => {
    const entry = type === "intent" ? intent(1, 0) : ({ type, scope: label, name: "n", value: "v" } as const);
    expect(() => new ScopeState(label).apply(entry)).toThrow(broken(`${type} before admission`));
  });

  it("a second admission", () => {
    expect(() => admitted().apply({ type: "admitted", scope: label, admission })).toThrow(
      broken("it was admitted twice"),
    );
  });

  it("a phase that goes back", () => {
    const state = admitted();
    state.apply({ type: "phase", scope: label, phase: "done" });
    expect(() => state.apply({ type: "phase", scope: label, phase: "emptied" })).toThrow(
      broken("phase done cannot be followed by emptied"),
    );
  });

  it("a withdrawal of what was not announced, and an end after an end", () => {
    const state = admitted();
    expect(() => state.apply({ type: "withdrawn", scope: label, records: [[4, 4]] })).toThrow(
      broken("record 4 was withdrawn unannounced"),
    );
    state.apply(settled(4));
    expect(() => state.apply(settled(4))).toThrow(broken("record 4 was settled before"));
    expect(() => state.apply(intent(1, 4))).toThrow(broken("record 4 was settled before"));
  });

  it("two ends of a record at once", () => {
    const twice = [0, 0].map((sequence) => ({ sequence, after: end(sequence) }));
    expect(() => admitted().advance(twice)).toThrow(broken("a record was settled twice at once"));
  });

  it("a record that is passed and has no outcome", () => {
    const state = admitted();
    expect(() => state.passed(0, end(0))).toThrow(broken("record 0 was passed and is not settled"));
    expect(state.isSettled(0)).toBe(false);
  });
});

describe("the position", () => {
  it("moves over records of an earlier process as they are read again, and only from where it stands", () => {
    const state = ScopeState.from({ ...FULL, upTo: { next: 5, after: end(4) }, announced: [] });
    state.passed(6, end(6));
    expect([state.nextSequence, state.settledUpTo]).toEqual([5, end(4)]);
    state.passed(5, end(5));
    expect([state.nextSequence, state.settledUpTo]).toEqual([7, end(6)]);
    state.passed(9, end(9));
    expect([state.nextSequence, state.isSettled(9), state.isSettled(8)]).toEqual([7, true, false]);
  });

  it("waits for records whose end is not known", () => {
    const state = ScopeState.from({ ...FULL, ahead: [[4, 4]], announced: [] });
    expect(state.advance([{ sequence: 3, after: end(3) }])).toEqual({ next: 4, after: end(3) });
  });

  it("moves over what was settled between and behind these records, in whichever order they are told", () => {
    const state = admitted();
    state.settle(
      settled(1, 2),
      [1, 2].map((sequence) => ({ sequence, after: end(sequence) })),
    );
    state.settle(settled(4), [{ sequence: 4, after: end(4) }]);
    const both = [3, 0].map((sequence) => ({ sequence, after: end(sequence) }));
    expect(state.advance(both)).toEqual({ next: 5, after: end(4) });
    expect(state.advance(both.slice(1))).toEqual({ next: 3, after: end(2) });
  });

  it("moves later over ends that were told with their records", () => {
    const state = admitted();
    const ends = [1, 0].map((sequence) => ({ sequence, after: end(sequence) }));
    state.settle(settled(0, 1), ends);
    expect(state.nextSequence).toBe(0);
    expect(state.advance([])).toEqual({ next: 2, after: end(1) });
  });
});

describe("records under way", () => {
  it("are those that were announced and have no outcome", () => {
    const state = admitted();
    expect([state.open, state.underWay, state.underWayUpTo]).toEqual([0, 0, 0]);
    state.apply(intent(1, 0, 1, 2, 3));
    state.apply(settled(1, 3));
    expect([state.open, state.underWay, state.underWayUpTo]).toEqual([4, 2, 3]);
  });

  it("that are announced again keep the first time", () => {
    const state = admitted();
    state.apply(intent(100, 0));
    state.apply(intent(200, 0, 1));
    expect([0, 1].map((sequence) => state.announcedAt(sequence))).toEqual([100, 200]);
  });

  it("are, once a scope is rewound, all that may have been written and is not settled again", () => {
    const state = admitted();
    state.apply(intent(1, 2, 0, 1));
    state.apply(rewound(700));
    expect([state.underWay, state.underWayUpTo]).toEqual([0, 3]);
    expect([0, 2, 3].map((sequence) => state.announcedAt(sequence))).toEqual([700, 700, undefined]);
    state.apply({ ...settled(0, 1), upTo: { next: 2, after: end(1) } });
    expect(state.underWayUpTo).toBe(3);
    state.apply({ ...settled(2), upTo: { next: 3, after: end(2) } });
    expect(state.underWayUpTo).toBe(0);
  });

  it("of a scope that is rewound again keep the first time", () => {
    const state = admitted();
    state.apply(settled(4));
    state.apply(rewound(700));
    state.apply(rewound(900));
    expect([state.announcedAt(4), state.announcedAt(5), state.phase]).toEqual([700, undefined, "admitted"]);
  });
});
