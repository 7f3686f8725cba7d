import { describe, expect, it } from "vitest";

import { selfTimes } from "../../../bench/profile.js";

function node(id: number, functionName: string, url = "", lineNumber = -1) {
  return { id, callFrame: { functionName, url, lineNumber } };
}

describe("a profile", () => {
  it("is told as functions with the time of their own, the longest first", () => {
    const nodes = [node(1, "(program)"), node(2, "", "file:///src/a.js", 6), node(3, "read", "file:///src/b.js", 0)];
    // Each sample lasts until the next one; one function may stand in several places of the tree.
    const profile = {
      nodes: [...nodes, node(4, "read", "file:///src/b.js", 0)],
      samples: [3, 1, 4, 2],
      timeDeltas: [9, 2_000, 500, 4_000],
    };
    expect(selfTimes(profile)).toEqual([
      { what: "read b.js:1", milliseconds: 6 },
      { what: "(program)", milliseconds: 0.5 },
      { what: "(anonymous) a.js:7", milliseconds: 0 },
    ]);
  });
});
