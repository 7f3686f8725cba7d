import { describe, expect, it } from "vitest";
import type { RecordType, ScopePresence, WriteAction } from "../../../src/model/policy.js";
import { ADAPTERS, type Adapter } from "../../../src/model/scope.js";
import { modeByName } from "../../../src/modes/by-name.js";
import { type MergeStrategies, MODE_NAMES, type ModeName, type ScopeDecision } from "../../../src/modes/mode.js";

const PRESENCES: readonly ScopePresence[] = ["absent", "empty", "holds-records"];

/** Absent, empty, holding records: for all adapters, but for the exceptions. */
const SCOPES: Record<ModeName, readonly [ScopeDecision, ScopeDecision, ScopeDecision]> = {
  none: ["create", "keep", "refuse"],
  replace: ["create", "empty", "empty"],
  merge: ["create", "keep", "keep"],
  "skip-existing": ["create", "keep", "keep"],
};
const SCOPE_EXCEPTIONS: Partial<Record<`${ModeName} ${Adapter} ${ScopePresence}`, ScopeDecision>> = {
  // Messages have no identity.
  "skip-existing sqs holds-records": "skip",
};

describe("a scope", () => {
  const rows = MODE_NAMES.flatMap((mode) =>
    ADAPTERS.flatMap((adapter) =>
      PRESENCES.map((presence, i) => {
        const decision = SCOPE_EXCEPTIONS[`${mode} ${adapter} ${presence}`] ?? SCOPES[mode][i];
        return { mode, adapter, presence, decision };
      }),
    ),
  );

  it.each(rows)("in mode $mode, $adapter, $presence: $decision", ({ mode, adapter, presence, decision }) => {
    expect(modeByName(mode).onScope(adapter, presence)).toBe(decision);
  });
});

const DEFAULTS: MergeStrategies = { list: "replace", stream: "reject" };
const ALL_TYPES = ["item", "object", "string", "hash", "list", "set", "zset", "stream", "hll", "message"] as const;

describe("a record", () => {
  const actions: Record<ModeName, Record<RecordType, WriteAction>> = {
    none: all("put"),
    replace: all("put"),
    merge: {
      item: "put",
      object: "overwrite",
      string: "overwrite",
      hash: "merge-into",
      set: "merge-into",
      zset: "merge-into",
      hll: "merge-into",
      list: "overwrite",
      stream: "only-if-absent-or-equal",
      message: "put",
    },
    "skip-existing": { ...all("put-if-absent"), stream: "entry-by-entry", message: "put" },
  };

  function all(action: WriteAction): Record<RecordType, WriteAction> {
    return Object.fromEntries(ALL_TYPES.map((type) => [type, action])) as Record<RecordType, WriteAction>;
  }

  it.each(MODE_NAMES.flatMap((mode) => ALL_TYPES.map((type) => ({ mode, type, action: actions[mode][type] }))))(
    "in mode $mode, $type: $action",
    ({ mode, type, action }) => {
      expect(modeByName(mode).onRecord(type, DEFAULTS)).toBe(action);
    },
  );

  it.each([
    ["list", { list: "replace" }, "overwrite"],
    ["list", { list: "append" }, "append"],
    ["list", { list: "reject" }, "reject-existing"],
    ["stream", { stream: "reject" }, "only-if-absent-or-equal"],
    ["stream", { stream: "auto-id" }, "append"],
  ] as const)("merge treats a %s by its strategy %o: %s", (type, strategy, action) => {
    expect(modeByName("merge").onRecord(type, { ...DEFAULTS, ...strategy })).toBe(action);
  });

  it.each(["none", "replace", "skip-existing"] as const)("strategies change nothing in mode %s", (name) => {
    const other: MergeStrategies = { list: "append", stream: "auto-id" };
    for (const type of ALL_TYPES) {
      expect(modeByName(name).onRecord(type, other)).toBe(modeByName(name).onRecord(type, DEFAULTS));
    }
  });
});

describe("a mode", () => {
  it.each(MODE_NAMES)("is found by its name: %s", (name) => {
    expect(modeByName(name).name).toBe(name);
  });

  it("asks before it deletes only if it is replace", () => {
    expect(MODE_NAMES.filter((name) => modeByName(name).destructive)).toEqual(["replace"]);
  });

  it("counts another type under a key as rejected, but for skip-existing", () => {
    expect(MODE_NAMES.map((name) => modeByName(name).wrongType)).toEqual([
      "rejected",
      "rejected",
      "rejected",
      "skipped-existing",
    ]);
  });
});
