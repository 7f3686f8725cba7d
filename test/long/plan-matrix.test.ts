/**
 * Every mode and strategy over many disturbed targets: plans whose numbers have to be those of the reports. The number of
 * dumps at random: see `test/support/fuzz.ts`.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";

import { temporaryDump } from "../support/dump-builder.js";
import { type FourServers, startFourServers } from "../support/four-servers.js";
import { freshDump } from "../support/fresh-dump.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { PlanProof, VARIANTS } from "../support/plan-proof.js";
import { randomDump } from "../support/random-dump/dump.js";

let servers: FourServers;
let proof: PlanProof;

beforeAll(async () => {
  servers = await startFourServers();
  proof = new PlanProof(servers);
}, 600_000);
afterAll(async () => {
  await servers?.stop();
});

describe.each(VARIANTS.map((variant) => ({ name: variant.join(" "), variant })))("$name", ({ variant }) => {
  it.each(["gallery", "design"] as const)(
    "plans what it then reports, of the dump %s",
    { timeout: 900_000 },
    async (name) => {
      const dump = await freshDump(name);
      for (const seed of [1, 2, 3, 4, 5]) await proof.holds(dump.path, variant, seed);
      await dump.remove();
    },
  );

  it(
    "plans what it then reports, of dumps that nobody thought of",
    async () => {
      const property = fc.asyncProperty(randomDump(Date.now()), fc.integer(), async (source, seed) => {
        const dump = await temporaryDump(source.description);
        await proof.holds(dump.path, variant, seed);
        await dump.remove();
      });
      await fc.assert(property, { ...fuzz(1 / 20), endOnFailure: true });
    },
    fuzzTimeout(900_000),
  );
});
