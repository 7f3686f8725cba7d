import { describe, expect, it } from "vitest";
import { refusalOf } from "../../../../src/run/drill/restore.js";
import type { OutlinedScope } from "../../../../src/run/plan/plan-schema.js";

function refusal(scope: Partial<OutlinedScope>): string | undefined {
  const base = { scope: "x", decision: "create", files: 0, bytes: 0, warnings: [] } as const;
  return refusalOf({ ...base, adapter: "s3", target: "drill-x", presence: "absent", ...scope });
}

describe("what a drill may restore into, on a server that stays", () => {
  it("is a scope that is not there, and none that is, however empty", () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ presence: "empty", holds: { value: 0, exact: true } })).toBe("s3:drill-x is there already");
    expect(refusal({ presence: "holds-records" })).toBe("s3:drill-x is there already");
  });

  it("is a Redis database that is known to be empty, and none of which it cannot be told", () => {
    const redis = { adapter: "redis", target: "db_9" } as const;
    expect(refusal({ ...redis, presence: "empty", holds: { value: 0, exact: true } })).toBeUndefined();
    expect(refusal({ ...redis, presence: "holds-records" })).toBe("redis:db_9 holds keys");
    expect(refusal({ ...redis, presence: "empty" })).toMatch(/may hold keys/);
  });
});
