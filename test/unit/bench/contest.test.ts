import { describe, expect, it } from "vitest";

import { type Contestant, contest } from "../../../bench/contest.js";

const TRUE = { command: "true", args: [] };

/** One that writes down when it is made ready, run and looked at. */
function noting(name: string, log: string[], more: Partial<Contestant> = {}): Contestant {
  return {
    name,
    before: async () => {
      await Promise.resolve(log.push(`before ${name}`));
    },
    command: () => {
      log.push(name);
      return TRUE;
    },
    ...more,
  };
}

function rounds(count: number) {
  return { rounds: count, tell: () => undefined };
}

describe("a contest", () => {
  it("lets the contestants run in turns, each made ready before its run", async () => {
    const log: string[] = [];
    const { standings, faults } = await contest([noting("ours", log), noting("peer", log)], rounds(2));
    const round = ["before ours", "ours", "before peer", "peer"];
    expect(log).toEqual([...round, ...round]);
    expect(standings.map(({ name, runs }) => [name, runs.length])).toEqual([
      ["ours", 2],
      ["peer", 2],
    ]);
    expect(faults).toEqual([]);
  });

  it("does not count the run that warms the server up", async () => {
    const log: string[] = [];
    const [ours, peer] = [noting("ours", log), noting("peer", log)];
    const { standings } = await contest([ours, peer], rounds(1), peer);
    expect(log.filter((line) => !line.startsWith("before"))).toEqual(["peer", "ours", "peer"]);
    expect(standings.map(({ runs }) => runs.length)).toEqual([1, 1]);
  });

  it("gives one that is not installed no run and says why", async () => {
    const log: string[] = [];
    const missing = noting("peer", log, { skipped: "go is not on the PATH" });
    const { standings } = await contest([missing], rounds(2));
    expect(log).toEqual([]);
    expect(standings).toEqual([{ name: "peer", runs: [], skipped: "go is not on the PATH" }]);
  });

  it.each([
    [
      "ends badly",
      { command: () => ({ command: "sh", args: ["-c", "echo no room >&2; exit 3"] }) },
      "ended with 3: no room",
    ],
    ["leaves the target wrong", { after: async () => await Promise.resolve(["a key is missing"]) }, "a key is missing"],
  ])("counts no run of one that %s, and lets it run no more", async (_, more, fault) => {
    const log: string[] = [];
    const { standings, faults } = await contest([noting("bad", log, more), noting("good", log)], rounds(2));
    expect(log.filter((line) => line === "before bad")).toHaveLength(1);
    expect(standings.map(({ runs }) => runs.length)).toEqual([0, 2]);
    expect(faults).toEqual([expect.stringContaining(fault)]);
    expect(faults[0]).toMatch(/^bad: /u);
  });

  it.each([
    ["well", "true"],
    ["badly", "false"],
    ["before it began", "no-such-program-anywhere"],
  ])("lets go of what a run that ended %s stood on, before the target is looked at", async (_, command) => {
    const log: string[] = [];
    const run = noting("ours", log, {
      command: () => ({ command, args: [] }),
      ended: async () => {
        await Promise.resolve(log.push("ended"));
      },
      after: async () => {
        log.push("after");
        return await Promise.resolve([]);
      },
    });
    await contest([run], rounds(1)).catch(() => undefined);
    expect(log).toEqual(["before ours", "ended", ...(command === "true" ? ["after"] : [])]);
  });

  it("measures what a run and all that it starts take", async () => {
    const busy = "for (let used = 0; used < 300_000; used = process.cpuUsage().user + process.cpuUsage().system);";
    const shell = `"$0" -e '${busy}' & wait`;
    const contestant: Contestant = {
      name: "busy",
      command: () => ({ command: "sh", args: ["-c", shell, process.execPath] }),
    };
    const { standings } = await contest([contestant], rounds(1));
    const [run] = standings[0]?.runs ?? [];
    expect(run?.seconds).toBeGreaterThan(0.05);
    expect(run?.cpuSeconds).toBeGreaterThan(0.2);
    expect(run?.peakBytes).toBeGreaterThan(20_000_000);
  });
});
