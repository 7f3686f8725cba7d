/** Every measurement of speed runs from one end to the other, at a size that says nothing about speed. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

import type { Settings } from "../../bench/scenario.js";
import { scenariosNamed } from "../../bench/scenarios.js";
import { BIN } from "../../bench/watched-process.js";

const TIMEOUT_MS = 600_000;
const SETTINGS: Settings = { scale: 0.005, rounds: 1, bin: BIN, peers: false, tell: () => undefined };

beforeAll(async () => {
  await promisify(execFile)("npm", ["run", "build"], { cwd: join(import.meta.dirname, "..", "..") });
}, TIMEOUT_MS);

describe("a measurement of speed", () => {
  it.each(scenariosNamed("speed"))(
    "$name ends whole with the tool alone",
    async (scenario) => {
      const { faults, standings, skipped } = await scenario.measure(SETTINGS);
      expect(faults).toEqual([]);
      if (skipped !== undefined) return;
      expect(standings.length).toBeGreaterThan(0);
      expect(standings.map(({ runs }) => runs.length)).not.toContain(0);
    },
    TIMEOUT_MS,
  );
});
