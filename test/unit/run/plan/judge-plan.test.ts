import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { judgeIdentity, judgeTargets, type KeptPlan } from "../../../../src/run/plan/judge-plan.js";
import type { Outline, OutlinedScope, Plan } from "../../../../src/run/plan/plan-schema.js";
import { identity } from "../../../support/jobs.js";
import { plannedScope, planWith } from "../../../support/plans.js";

const kept = (parts: Partial<Plan> = {}, more: Partial<KeptPlan> = {}): KeptPlan => ({
  path: "plan.json",
  plan: planWith(parts),
  namesDump: false,
  ...more,
});

function thrownBy(act: () => unknown): RestoreError {
  try {
    act();
  } catch (error) {
    if (error instanceof RestoreError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("of the identity", () => {
  it("nothing is said where nothing changed", () => {
    expect(judgeIdentity(kept(), identity())).toEqual([]);
  });

  it("options that changed are handed on, to be told with the rest", () => {
    expect(judgeIdentity(kept(), identity("orders", { mode: "replace" }))).toEqual(["--mode was merge and is replace"]);
  });

  it.each([
    ["another dump", { dump: "e".repeat(64) }, /dump was d+ and is e+; --mode was merge and is replace/],
    ["another endpoint", { endpoints: { dynamodb: "http://b" } }, /dynamodb endpoint was .* and is http:\/\/b/],
  ])("%s ends it at once, with all that changed", (_what, parts, message) => {
    const error = thrownBy(() => judgeIdentity(kept(), identity("orders", { ...parts, mode: "replace" })));
    expect(error.code).toBe("PLAN_OUTDATED");
    expect(error.message).toMatch(message);
  });

  it("a dump that was named and is another one is a mistake in the words", () => {
    const act = () => judgeIdentity(kept({}, { namesDump: true }), identity("orders", { dump: "e".repeat(64) }));
    expect(thrownBy(act).code).toBe("USAGE");
    expect(judgeIdentity(kept({}, { namesDump: true }), identity())).toEqual([]);
  });

  it("a plan that was refused is refused the same way", () => {
    const refusal = { code: "TARGET_UNFIT", message: "too little memory", hint: "Add some.", exitStatus: 5 } as const;
    expect(thrownBy(() => judgeIdentity(kept({ refusal }), identity()))).toMatchObject(refusal);
  });
});

const targets = [
  { adapter: "dynamodb", endpoint: "http://a", origin: "x", server: "DynamoDB", fallbacks: ["a way round"] },
] as const;

function outline(scope: Partial<OutlinedScope>, parts: Partial<Outline> = {}): Outline {
  return { ...planWith({ targets, scopes: [plannedScope(scope)] }), ...parts };
}

function judged(was: Partial<OutlinedScope>, is: Partial<OutlinedScope>, parts: Partial<Outline> = {}): string {
  const plan = kept({ targets, scopes: [plannedScope(was)] });
  return thrownBy(() => judgeTargets(plan, [], outline(is, parts))).message;
}

const holding = (value: number, exact = true) => ({ presence: "holds-records", holds: { value, exact } }) as const;

describe("of the targets", () => {
  it("nothing is said where nothing changed, whatever the warnings are", () => {
    const plan = kept({ targets, scopes: [plannedScope(holding(3))] });
    expect(() => judgeTargets(plan, [], outline({ ...holding(3), warnings: ["new"] }))).not.toThrow();
  });

  it.each<[Partial<OutlinedScope>, Partial<OutlinedScope>, string]>([
    [{ presence: "absent" }, { presence: "empty" }, "dynamodb:orders was absent and is empty"],
    [{ presence: "empty" }, holding(2), "dynamodb:orders was empty and is holding records (2)"],
    [holding(2), holding(3), "dynamodb:orders was holding records (2) and is holding records (3)"],
    [holding(2), holding(2, false), "dynamodb:orders was holding records (2) and is holding records (about 2)"],
    [
      { losses: [] },
      { losses: ["its stream"] },
      "emptying dynamodb:orders takes away was nothing else and is its stream",
    ],
  ])("%o to %o is told", (was, is, expected) => {
    expect(judged(was, is)).toContain(expected);
  });

  it("another server, and other ways round, are told", () => {
    const [target] = targets;
    const text = judged({}, {}, { targets: [{ ...target, server: "DynamoDB 2", fallbacks: [] }] });
    expect(text).toContain("dynamodb server was DynamoDB and is DynamoDB 2");
    expect(text).toContain("ways round at dynamodb was a way round and is none");
  });

  it("a scope that came or went is told", () => {
    expect(judged({}, {}, { scopes: [] })).toContain("dynamodb:orders was there and is not there");
  });

  it("every difference stands in one message, with those of the options", () => {
    const plan = kept({ targets, scopes: [plannedScope()] });
    const error = thrownBy(() => judgeTargets(plan, ["--mode was a and is b"], outline(holding(1))));
    expect(error).toMatchObject({ code: "PLAN_OUTDATED", exitStatus: 5 });
    expect(error.message).toContain("--mode was a and is b; dynamodb:orders was absent and is holding records (1)");
  });
});
