import { describe, expect, it } from "vitest";
import { deletionsOf } from "../../../../src/daemon/jobs/deletions.js";
import type { PlannedScope } from "../../../../src/run/plan/plan-schema.js";

type Given = Pick<PlannedScope, "adapter" | "decision" | "presence"> & Partial<Pick<PlannedScope, "holds" | "losses">>;

function scope(given: Given): PlannedScope {
  return { scope: "db_0", target: "db_1", ...given } as PlannedScope;
}

const EMPTIED = { adapter: "redis", decision: "empty", presence: "holds-records" } as const;

describe("a plan deletes", () => {
  it("just where somebody is to confirm it", () => {
    const kept = scope({ adapter: "redis", decision: "keep", presence: "holds-records" });
    const empty = scope({ ...EMPTIED, presence: "empty", holds: { value: 0, exact: true } });
    expect(deletionsOf({ scopes: [kept, empty, scope(EMPTIED)] })).toHaveLength(1);
  });

  it.each([
    [{ ...EMPTIED, holds: { value: 1, exact: true } }, "redis:db_1 loses 1 record."],
    [{ ...EMPTIED, holds: { value: 9, exact: false } }, "redis:db_1 loses about 9 records."],
    [EMPTIED, "redis:db_1 loses all it holds, which cannot be counted."],
    [
      { ...EMPTIED, holds: { value: 2, exact: true }, losses: ["tags", "alarms"] },
      "redis:db_1 loses 2 records; and, not brought back: tags, alarms.",
    ],
  ] as [Given, string][])("%j: %s", (given, sentence) => {
    expect(deletionsOf({ scopes: [scope(given)] })).toEqual([sentence]);
  });
});
