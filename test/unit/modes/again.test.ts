import { describe, expect, it } from "vitest";
import { againMode } from "../../../src/modes/again.js";
import { MODE_NAMES } from "../../../src/modes/mode.js";

const STRATEGIES = { list: "replace", stream: "reject" } as const;

describe.each(MODE_NAMES)("records of %s that are restored again", (name) => {
  const mode = againMode(name);
  it("go into scopes that stand, which are neither emptied nor refused nor skipped", () => {
    expect(mode.destructive).toBe(false);
    for (const adapter of ["dynamodb", "s3", "redis", "sqs"] as const) {
      expect(mode.onScope(adapter, "holds-records")).toBe("keep");
      expect(mode.onScope(adapter, "empty")).toBe("keep");
      expect(mode.onScope(adapter, "absent")).toBe("create");
    }
  });
  it("never double what an earlier try left", () => {
    expect(mode.onRecord("list", STRATEGIES)).not.toBe("append");
    expect(mode.onRecord("list", STRATEGIES)).not.toBe("put");
  });
});

it("of skip-existing leave what stands under their keys", () => {
  expect(againMode("skip-existing").onRecord("item", STRATEGIES)).toBe("put-if-absent");
});
