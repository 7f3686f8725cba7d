/** Plans that hold no more than a test needs. */
import type { Plan, PlannedScope } from "../../src/run/plan/plan-schema.js";
import { emptyTotals, type Totals } from "../../src/run/tally.js";
import { identity } from "./jobs.js";

export function plannedScope(parts: Partial<PlannedScope> = {}): PlannedScope {
  return {
    adapter: "dynamodb",
    scope: "orders",
    target: "orders",
    presence: "absent",
    decision: "create",
    files: 2,
    bytes: 2048,
    recordsRead: 0,
    outcomes: emptyTotals(),
    notReached: 0,
    reasons: {},
    notes: {},
    entries: { restored: 0, skippedExisting: 0, rejected: 0 },
    bytesRestored: 0,
    toWrite: { records: 0, bytes: 0 },
    alreadyEqual: 0,
    requests: 0,
    conflicts: { count: 0, reasons: {}, samples: [] },
    warnings: [],
    ...parts,
  };
}

export function outcomes(some: Partial<Totals>): Totals {
  return { ...emptyTotals(), ...some };
}

/** Sums are those of the scopes. */
export function planWith(parts: Partial<Plan> = {}): Plan {
  const scopes = parts.scopes ?? [plannedScope()];
  const sum = (of: (scope: PlannedScope) => number) => scopes.reduce((total, scope) => total + of(scope), 0);
  const totals = emptyTotals();
  for (const kind of Object.keys(totals) as (keyof Totals)[]) totals[kind] = sum((scope) => scope.outcomes[kind]);
  return {
    planVersion: 1,
    madeAt: "2026-05-02T00:00:00.000Z",
    command: { words: ["--mode=merge", "/dumps/one"], cwd: "/work" },
    identity: identity(),
    dump: { path: "/dumps/one", takenAt: "2026-05-01T00:00:00Z", phase: "phase1-live-pinned", files: 2, bytes: 2048 },
    mode: "merge",
    ttlPolicy: "skip-expired",
    targets: [],
    recordsRead: sum(({ recordsRead }) => recordsRead),
    totals,
    notReached: sum(({ notReached }) => notReached),
    ...(scopes.some(({ leftOut }) => leftOut !== undefined) ? { leftOut: sum(({ leftOut = 0 }) => leftOut) } : {}),
    toWrite: { records: sum(({ toWrite }) => toWrite.records), bytes: sum(({ toWrite }) => toWrite.bytes) },
    alreadyEqual: sum(({ alreadyEqual }) => alreadyEqual),
    requests: sum(({ requests }) => requests),
    scopes,
    expected: { seconds: 0, adapters: [] },
    warnings: [],
    ...parts,
  };
}
