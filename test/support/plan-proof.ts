/** Proves of a dump that a plan's numbers are those of the report of the restore that follows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";

import type { Plan, PlannedScope } from "../../src/run/plan/plan-schema.js";
import type { Report, ReportedScope } from "../../src/run/report.js";
import { emptyServers } from "./empty-servers.js";
import { CLI_ENVIRONMENT, type FourServers } from "./four-servers.js";
import { dice, disturb } from "./overlaps.js";
import { type Expected, expectedFrom } from "./readback/expected.js";
import { runCli } from "./run-cli.js";

/** Modes with their strategies, under each TTL policy. */
export const VARIANTS: readonly (readonly string[])[] = [
  ["--mode", "replace", "--purge-wait", "0s"],
  ["--mode", "replace", "--purge-wait", "0s", "--replace-strategy", "per-key", "--ttl-policy", "preserve"],
  ["--mode", "merge"],
  ["--mode", "merge", "--list-merge-strategy", "append", "--stream-merge-strategy", "auto-id"],
  ["--mode", "merge", "--list-merge-strategy", "reject", "--ttl-policy", "persist", "--fifo-dedup", "record"],
  ["--mode", "merge", "--ttl-policy", "rebase", "--preserve-visibility", "--keep-etag"],
  ["--mode", "skip-existing"],
  ["--mode", "skip-existing", "--ttl-policy", "preserve"],
];

/** What plan and report both say, of the whole and of each scope. */
function told({ recordsRead, totals, notReached, scopes }: Plan | Report) {
  return { recordsRead, totals, notReached, scopes: scopes.map(toldOfScope) };
}

function toldOfScope(scope: PlannedScope | ReportedScope) {
  const { adapter, target, presence, decision, recordsRead, outcomes, notReached, reasons, notes, entries } = scope;
  return {
    scope: `${adapter}:${scope.scope}`,
    ...{ target, presence, decision, recordsRead, outcomes, notReached },
    ...{ reasons, notes, entries, bytesRestored: scope.bytesRestored },
  };
}

/** What a command prints as JSON. */
export async function printed<T>(...argv: string[]): Promise<T> {
  const { stdout, stderr } = await runCli([...argv, "--json", "--progress", "none"], CLI_ENVIRONMENT);
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout) as T;
}

export class PlanProof {
  readonly #servers: FourServers;
  /** Objects of the dump before. */
  #held: Expected["s3"] = new Map();

  /** `servers`: that nobody else uses. Everything on them is deleted, again and again. */
  constructor(servers: FourServers) {
    this.#servers = servers;
  }

  /** First into empty servers, then, by `variant`, over what `seed` made of that. */
  async holds(path: string, variant: readonly string[], seed: number): Promise<void> {
    await emptyServers(this.#servers, this.#held);
    this.#held = expectedFrom(path).s3;
    const argv = [path, ...this.#servers.options];
    const first = await printed<Plan>("plan", ...argv);
    expect(told(await printed<Report>("apply", ...argv)), "into empty servers").toEqual(told(first));
    await disturb(this.#servers, dice(seed));
    const remaps = await mkdtemp(join(tmpdir(), "elastickv-restore-remaps-"));
    try {
      const more = [...argv, ...variant, "--remap-dir", remaps];
      const plan = await printed<Plan>("plan", ...more);
      const report = await printed<Report>("apply", ...more, "--yes");
      expect(told(report), `${variant.join(" ")} over what ${seed} made of ${path}`).toEqual(told(plan));
    } finally {
      await rm(remaps, { recursive: true, force: true });
    }
  }
}
