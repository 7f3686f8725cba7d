import { describe, expect, it } from "vitest";
import { repairMode } from "../../../src/modes/repair.js";

describe("a repair", () => {
  it("appends nothing again: what stands there already would stand there twice", () => {
    const mode = repairMode("merge");
    expect(mode.onRecord("list", { list: "append", stream: "auto-id" })).toBe("reject-existing");
    expect(mode.onRecord("stream", { list: "append", stream: "auto-id" })).toBe("only-if-absent-or-equal");
  });

  it("writes all else as its mode says, and empties nothing", () => {
    expect(repairMode("merge").onRecord("list", { list: "replace", stream: "reject" })).toBe("overwrite");
    expect(repairMode("replace").onScope("redis", "holds-records")).toBe("keep");
  });
});
