import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Checkpoints } from "../../../../src/run/verify/checkpoint.js";
import { noStandings } from "../../../../src/run/verify/counts.js";
import type { Found } from "../../../../src/run/verify/found.js";

let directory: string;
let now = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "checkpoint-"));
  now = 0;
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function open(takeUp = false): Promise<Checkpoints> {
  return await Checkpoints.open({
    directory: join(directory, "comparison"),
    fingerprint: "f",
    takeUp,
    startedAt: 1,
    seed: "seed",
    monotonic: () => now,
  });
}

function found(scope: string, key: string): Found {
  return { adapter: "dynamodb", scope, target: scope, key, kind: "missing", detail: "it is not there" };
}

function begun(differences: number) {
  return { compared: differences, standings: noStandings(), unproven: [], bytes: 0, differences, suspects: 0 };
}

describe("what a comparison remembers", () => {
  it("of one scope is not what another one found meanwhile: that is found again", async () => {
    const before = await open();
    for (const each of [found("a", "1"), found("b", "1"), found("b", "2")]) await before.found.add(each);
    await before.keep("dynamodb:a", begun(1));
    await before.close();
    const after = await open(true);
    expect(after.found.first.map(({ scope, key }) => `${scope} ${key}`)).toEqual(["a 1"]);
    expect(after.begun("dynamodb:a")).toMatchObject({ differences: 1 });
    expect(after.begun("dynamodb:b")).toBeUndefined();
    await after.close();
  });

  it("is due of each scope by its own time", async () => {
    const checkpoints = await open();
    expect(checkpoints.isDue("a")).toBe(false);
    now = 4_000;
    expect(checkpoints.isDue("b")).toBe(false);
    await checkpoints.keep("dynamodb:other", begun(0));
    now = 5_000;
    expect([checkpoints.isDue("a"), checkpoints.isDue("b")]).toEqual([true, false]);
    await checkpoints.keep("a", begun(0));
    expect(checkpoints.isDue("a")).toBe(false);
    await checkpoints.close();
  });
});
