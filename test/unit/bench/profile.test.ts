import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

import { inSources, selfTimes, timeWithinOf } from "../../../bench/profile.js";

function node(id: number, functionName: string, url = "", lineNumber = -1) {
  return { id, callFrame: { functionName, url, lineNumber, columnNumber: 0 } };
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

  it("tells the time within some files, with what they call", () => {
    const nodes = [
      { ...node(1, "(root)"), children: [2, 5] },
      { ...node(2, "take", "file:///dist/run/limits.js", 0), children: [3] },
      { ...node(3, "setTimeout", "node:timers", 9), children: [4] },
      node(4, "insert", "node:internal/timers", 3),
      node(5, "send", "file:///dist/run/send.js", 1),
    ];
    const profile = { nodes, samples: [4, 2, 5, 1], timeDeltas: [0, 1_000, 2_000, 8_000] };
    expect(timeWithinOf(profile, /limits\.js$/u)).toBe(3);
    expect(timeWithinOf(profile, /no-such-file/u)).toBeUndefined();
  });

  it("tells where the sources of functions stand, of those that have a source map", async () => {
    const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-profile-"));
    try {
      // Line 2 of the file is line 4 of its source.
      const map = { version: 3, sources: ["../src/limits.ts"], names: [], mappings: ";AAGA" };
      await writeFile(join(folder, "a.js.map"), JSON.stringify(map));
      const url = (name: string) => pathToFileURL(join(folder, name)).href;
      const nodes = [node(1, "take", url("a.js"), 1), node(2, "send", url("b.js"), 1), node(3, "(idle)")];
      const told = await inSources({ nodes, samples: [], timeDeltas: [] });
      expect(told.nodes.map(({ callFrame }) => [callFrame.url, callFrame.lineNumber])).toEqual([
        [new URL("../src/limits.ts", url("a.js")).href, 3],
        [url("b.js"), 1],
        ["", -1],
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
