import { describe, expect, it } from "vitest";

import { SCENARIOS, scenariosNamed } from "../../../bench/scenarios.js";

function names(wanted: string): string[] {
  return scenariosNamed(wanted).map(({ name }) => name);
}

describe("a name on the command line", () => {
  it("of a group means all of it", () => {
    expect(names("memory")).toEqual(SCENARIOS.map(({ name }) => name).filter((name) => name.startsWith("memory/")));
    expect(names("memory").length).toBeGreaterThan(1);
  });

  it("of a scenario may leave out its group, and means speed where both groups have one", () => {
    expect(names("redis-giants")).toEqual(["speed/redis-giants"]);
    expect(names("memory/sqs-fifo")).toEqual(["memory/sqs-fifo"]);
    expect(names("sqs-fifo")).toEqual(["speed/sqs-fifo"]);
  });

  it("that nothing has means nothing", () => {
    expect(names("redis")).toEqual([]);
    expect(names("")).toEqual([]);
  });

  it("is one scenario's alone", () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });
});
