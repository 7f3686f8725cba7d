import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import type { ScopeDecision } from "../../../../src/modes/mode.js";
import { outlinePlan } from "../../../../src/run/plan/outline.js";
import { runInMemory } from "../../../support/prepared-run.js";
import { tableScope } from "../../../support/records.js";

function outlined(decision: ScopeDecision, losses: () => Promise<readonly string[]>) {
  const memory = runInMemory({
    scopes: [{ scope: tableScope(), records: [], decision }],
    scripts: { dynamodb: { losses } },
    mode: "replace",
  });
  Object.assign(memory.run, { capabilities: new Map() });
  return memory;
}

describe("what emptying takes away beside records", () => {
  it("stands with the scope that is emptied", async () => {
    const { run } = outlined("empty", () => Promise.resolve(["its stream"]));
    expect((await outlinePlan(run)).scopes).toMatchObject([{ losses: ["its stream"] }]);
  });

  it.each(["create", "keep", "skip", "refuse"] as const)("is not asked of one that is to be: %s", async (decision) => {
    const { run } = outlined(decision, () => Promise.reject(new Error("asked")));
    expect((await outlinePlan(run)).scopes[0]).not.toHaveProperty("losses");
  });

  it("is not asked of a job that is taken up: what it emptied held its own records since", async () => {
    const { run } = outlined("empty", () => Promise.reject(new Error("asked")));
    const resumed = { ...run, job: { isResumed: true } } as unknown as typeof run;
    expect((await outlinePlan(resumed)).scopes[0]).not.toHaveProperty("losses");
  });

  it("is warned of where the target does not tell", async () => {
    const { run } = outlined("empty", () => Promise.reject(new RestoreError("CALL_FAILED", "access denied")));
    const [scope] = (await outlinePlan(run)).scopes;
    expect(scope?.warnings.join()).toMatch(
      /what emptying it takes away beside its records cannot be told: .*access denied/,
    );
  });
});
