import { describe, expect, it } from "vitest";
import { type Claim, claimOf, conflict } from "../../../../src/daemon/jobs/claims.js";
import { nextTurn, type Waiting } from "../../../../src/daemon/jobs/queue.js";
import type { JobRecord } from "../../../../src/daemon/jobs/record.js";
import { jobRecord } from "../../../support/job-records.js";

const ENDPOINTS: Readonly<Record<string, readonly string[]>> = {
  here: ["redis://localhost:6379"],
  same: ["redis://127.0.0.1"],
  there: ["redis://10.0.0.1:6379"],
};

function claim(more: Partial<JobRecord>): Claim {
  const made = claimOf(jobRecord({ target: "here", ...more }), (target) => ENDPOINTS[target] ?? []);
  if (made === undefined) throw new Error("no claim");
  return made;
}

const REPAIR = { kind: "verify", options: { repair: true } } as const;

describe("two jobs", () => {
  it.each([
    ["restores into one target", {}, {}, true],
    ["restores into one server by two names", {}, { target: "same" }, true],
    ["restores into two servers", {}, { target: "there" }, false],
    ["a plan and a restore", { kind: "plan" }, {}, true],
    ["a plan and a comparison", { kind: "plan" }, { kind: "verify" }, false],
    ["two plans", { kind: "plan" }, { kind: "plan" }, false],
    ["a comparison and a repair", { kind: "verify" }, REPAIR, true],
    ["a drill in a target and a restore into it", { kind: "drill" }, {}, true],
    ["other adapters", { options: { adapters: ["redis"] } }, { options: { adapters: ["s3"] } }, false],
    ["one adapter and all", { options: { adapters: ["redis"] } }, {}, true],
    ["other scopes", { options: { scopes: ["redis=0,1"] } }, { options: { scopes: ["redis=2"] } }, false],
    ["a scope by two names", { options: { scopes: ["redis=0"] } }, { options: { scopes: ["redis=db_0"] } }, true],
    [
      "other scopes, one of them under another name",
      { options: { scopes: ["redis=0"], rename: ["redis:0=2"] } },
      { options: { scopes: ["redis=2"] } },
      true,
    ],
  ] as [string, Partial<JobRecord>, Partial<JobRecord>, boolean][])("%s", (_name, one, other, expected) => {
    expect(conflict(claim(one), claim(other))).toBe(expected);
    expect(conflict(claim(other), claim(one))).toBe(expected);
  });

  it("of which one reaches no target are never in each other's way", () => {
    const { target: _target, ...alone } = jobRecord({ kind: "drill" });
    expect(claimOf(alone, () => [])).toBeUndefined();
  });
});

describe("whose turn it is", () => {
  const wait = (id: string, number: number, more: Partial<Waiting> = {}): Waiting => ({
    ...{ id, number, hasBegun: false, claim: { ...claim({}), job: id } },
    ...more,
  });
  const elsewhere = (id: string) => ({ claim: { ...claim({ target: "there" }), job: id } });

  it("is whoever came first, and of others who reach something else", () => {
    const waiting = [wait("c", 3, elsewhere("c")), wait("b", 2), wait("a", 1)];
    const { begin, waitsFor } = nextTurn({ waiting, keeping: [], free: 2, atOnce: 2 });
    expect(begin).toEqual(["a", "c"]);
    expect(waitsFor.get("b")).toMatch(/job a runs/u);
  });

  it("is never that of a later one that an earlier one waits to write before", () => {
    const reader = { ...claim({ kind: "verify" }), job: "r" };
    const later = { ...claim({ kind: "verify" }), job: "b" };
    const keeping = [{ claim: reader, isRunning: true }];
    const waiting = [wait("a", 1), wait("b", 2, { claim: later })];
    const { begin, waitsFor } = nextTurn({ waiting, keeping, free: 3, atOnce: 4 });
    expect(begin).toEqual([]);
    expect([...waitsFor]).toEqual([
      ["a", expect.stringContaining("job r runs")],
      ["b", expect.stringContaining("job a comes first")],
    ]);
  });

  it("is that of one that was under way before, whoever came first", () => {
    const waiting = [wait("a", 1), wait("b", 2, { hasBegun: true })];
    expect(nextTurn({ waiting, keeping: [], free: 2, atOnce: 2 }).begin).toEqual(["b"]);
  });

  it("is nobody's while one that is held is to go on, or there is no room", () => {
    const held = [{ claim: { ...claim({}), job: "h" }, isRunning: false }];
    const turn = nextTurn({ waiting: [wait("a", 1)], keeping: held, free: 2, atOnce: 2 });
    expect([turn.begin, turn.waitsFor.get("a")]).toEqual([[], expect.stringContaining("job h is to go on")]);
    const full = nextTurn({ waiting: [wait("a", 1)], keeping: [], free: 0, atOnce: 2 });
    expect(full.waitsFor.get("a")).toMatch(/2 jobs run already/u);
  });

  it("is not yet that of one that was put off, which keeps its place", () => {
    const waiting = [wait("a", 1, { holdUp: "it was killed" }), wait("b", 2)];
    const { begin, waitsFor } = nextTurn({ waiting, keeping: [], free: 2, atOnce: 2 });
    expect([begin, waitsFor.get("a")]).toEqual([[], "it was killed"]);
  });
});
