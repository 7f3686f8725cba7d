import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { together } from "../../../src/errors/together.js";
import { modeByName } from "../../../src/modes/by-name.js";
import type { ModeName, ScopeDecision } from "../../../src/modes/mode.js";
import type { ScopeState } from "../../../src/replayers/replayer.js";
import { assertAcceptable } from "../../../src/run/inspection.js";
import { mayDelete } from "../../../src/run/plan/may-delete.js";
import { tableScope } from "../../support/records.js";

function fault(mode: ModeName, ...states: readonly (readonly [ScopeDecision, Partial<ScopeState>])[]): unknown {
  const scopes = states.map(([decision, state], i) => ({
    scope: tableScope(`t${i}`, `target${i}`),
    decision,
    state: { presence: "empty" as const, warnings: [], ...state },
    size: { files: 0, bytes: 0 },
  }));
  try {
    assertAcceptable({ scopes, options: { mode: modeByName(mode) } });
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("before the first write", () => {
  it("a scope that holds records is refused without a mode, with how many", () => {
    const exact = { presence: "holds-records", count: { value: 12, exact: true } } as const;
    const about = { presence: "holds-records", count: { value: 900, exact: false } } as const;
    const error = fault("none", ["create", {}], ["refuse", exact], ["refuse", about]);
    expect(error).toMatchObject({
      code: "TARGET_NOT_EMPTY",
      exitStatus: 5,
      hint: expect.stringContaining("--mode merge"),
    });
    expect(String(error)).toContain(
      "dynamodb:target1 already holds records (12)\ndynamodb:target2 already holds records (about 900)",
    );
  });

  it("a scope whose key schema is another is refused where it is kept, and may be emptied", () => {
    const state = { incompatible: "its hash key is pk (S), the dump's id (S)" };
    for (const mode of ["none", "merge", "skip-existing"] as const) {
      expect(fault(mode, ["keep", state])).toMatchObject({ code: "TARGET_SCHEMA_DIFFERS", exitStatus: 5 });
    }
    expect(fault("replace", ["empty", state])).toBeUndefined();
  });

  it("settings that differ where records fit are refused without a mode alone", () => {
    const state = { differs: "an index is missing" };
    expect(fault("none", ["keep", state])).toMatchObject({ code: "TARGET_SCHEMA_DIFFERS" });
    expect(fault("merge", ["keep", state])).toBeUndefined();
    expect(fault("none", ["create", state])).toBeUndefined();
  });

  it("a scope that the target would not make is refused where it is created or emptied, and may be kept", () => {
    const state = { unmakeable: { why: "it has 6 local indexes", hint: "Reseal the dump." } };
    for (const decision of ["create", "empty"] as const) {
      expect(fault("replace", [decision, state])).toMatchObject({
        code: "TARGET_UNFIT",
        exitStatus: 5,
        message: "dynamodb:target0: it has 6 local indexes",
        hint: "Nothing was written. Reseal the dump.",
      });
    }
    expect(fault("merge", ["keep", state])).toBeUndefined();
  });

  it("a scope that fits is accepted", () => {
    expect(fault("none", ["create", {}], ["keep", {}])).toBeUndefined();
    expect(fault("skip-existing", ["skip", { presence: "holds-records" }])).toBeUndefined();
  });
});

describe("several errors", () => {
  const one = new RestoreError("TARGET_UNREACHABLE", "a is away", { hint: "Start it." });
  const two = new RestoreError("TARGET_CREDENTIALS", "b refuses", { hint: "Log in." });

  it("are told together, with the first one's code and every hint once", () => {
    expect(together([one, two, one])).toMatchObject({
      code: "TARGET_UNREACHABLE",
      message: "a is away\nb refuses\na is away",
      hint: "Start it.\nLog in.",
    });
  });

  it("of which one is a mistake of ours are that one", () => {
    const bug = new TypeError("oops");
    expect(together([one, bug, two])).toBe(bug);
    expect(together([one])).toBe(one);
    expect(together([bug, one])).toBe(bug);
  });
});

describe("whether anything may be deleted", () => {
  const base = { adapter: "sqs", scope: "q", target: "q", files: 0, bytes: 0, warnings: [] } as const;
  const known = { value: 0, exact: true };

  it.each([
    ["holds-records", "empty", known, true],
    ["empty", "empty", known, false],
    // A target that cannot count may hold what nobody asked for.
    ["empty", "empty", undefined, true],
    ["absent", "create", undefined, false],
    ["holds-records", "keep", known, false],
  ] as const)("%s, %s, %j: %s", (presence, decision, holds, expected) => {
    expect(mayDelete({ ...base, presence, decision, ...(holds === undefined ? {} : { holds }) })).toBe(expected);
  });
});
