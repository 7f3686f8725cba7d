import { describe, expect, it } from "vitest";
import { deletionsOf } from "../../../../src/daemon/jobs/deletions.js";
import { mayDelete } from "../../../../src/run/apply.js";
import type { PlannedScope } from "../../../../src/run/plan/plan-schema.js";

type Given = Pick<PlannedScope, "adapter" | "decision" | "presence"> & Partial<Pick<PlannedScope, "holds" | "losses">>;

function scope(given: Given): PlannedScope {
  return { scope: "db_0", target: "db_1", ...given } as PlannedScope;
}

const EMPTIED = { adapter: "redis", decision: "empty", presence: "holds-records" } as const;

describe("a plan deletes", () => {
  it("just where the engine would ask, whatever stands on the target", () => {
    const compared = (["redis", "sqs", "s3", "dynamodb"] as const).flatMap((adapter) =>
      (["create", "keep", "empty", "refuse", "skip"] as const).flatMap((decision) =>
        (["absent", "empty", "holds-records"] as const).flatMap((presence) =>
          [{}, { holds: { value: 0, exact: true } }, { holds: { value: 3, exact: false } }].flatMap((holds) =>
            [{}, { losses: ["tags"] }].map((losses) => scope({ adapter, decision, presence, ...holds, ...losses })),
          ),
        ),
      ),
    );
    const differing = compared.filter((each) => mayDelete(each) !== deletionsOf({ scopes: [each] }).length > 0);
    expect(differing).toEqual([]);
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
