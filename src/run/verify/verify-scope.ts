/**
 * Compares one scope of a dump with the target's of its name: settings, records, and in the other direction where the
 * target can be listed. What differs is looked at again, some time later, before it counts: a target in use, or one that
 * answers from a copy that lags behind, would raise false alarms otherwise.
 */
import { scopeLabel } from "../../model/scope.js";
import type { ScopeComparison } from "../../replayers/verifier.js";
import { workClock } from "../control.js";
import { sumOf } from "./counts.js";
import { verifyEach } from "./each-record.js";
import type { VerifiedScope } from "./report.js";
import { pause, recordsOf, type ScopeCheck, standingUnasked } from "./scope-check.js";
import { ScopeTally } from "./scope-tally.js";
import { verifyWhole } from "./whole-scope.js";

/** @throws what ends a run: nothing was changed, and the checkpoint knows how far it came */
export async function verifyScope(init: Omit<ScopeCheck, "tally" | "verifier">): Promise<VerifiedScope> {
  const { run, scope, checkpoints } = init;
  const label = scopeLabel(scope);
  const expectedBytes = run.dump.sizeOf(scope).bytes;
  run.options.progress.report({ type: "scope-started", scope, expectedBytes, isComparison: true });
  const before = checkpoints.done(label);
  const done = before ?? (await verified(init));
  if (before === undefined) await checkpoints.finish(label, done);
  run.options.progress.report({ type: "scope-finished", scope });
  return done;
}

async function verified(init: Omit<ScopeCheck, "tally" | "verifier">): Promise<VerifiedScope> {
  const { run, scope, checkpoints } = init;
  const { verifier } = run.replayers.of(scope);
  const clock = workClock(run.options.clock, run.options.control);
  const startedAt = clock.monotonic();
  const found = await settings({ ...init, verifier });
  // Of one that is gone meanwhile, what was compared before counts no more.
  const begun = found.exists ? checkpoints.begun(scopeLabel(scope)) : undefined;
  const tally = new ScopeTally(scope, checkpoints.found, begun);
  const check = { ...init, verifier, tally };
  const compared: Records = found.exists ? await records(check) : await allMissing(check);
  for (const difference of found.differences) await tally.found(difference);
  // Said once.
  for (const what of found.unproven) if (what !== compared.notListed) tally.cannotTell(what, 0);
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    exists: found.exists,
    records: sumOf(tally.standings),
    standings: tally.standings,
    ...compared,
    differences: tally.differences,
    unproven: [...tally.unproven].map(([what, of]) => ({ what, records: of })),
    warnings: [...scope.warnings, ...tally.warnings, ...[...tally.keepers].map(keptBy)],
    bytes: tally.bytes,
    durationMs: Math.round(clock.monotonic() - startedAt),
  };
}

async function settings(check: Omit<ScopeCheck, "tally">): Promise<ScopeComparison> {
  const { scope, how, verifier } = check;
  let found = await verifier.settings(scope, how.comparing);
  for (let look = 1; look < how.looks && (!found.exists || found.differences.length > 0); look++) {
    await pause(check);
    found = await verifier.settings(scope, how.comparing);
  }
  return found;
}

/** Without what stands there, the job could not know what it wrote. */
function keptBy(job: string): string {
  return `job ${job} keeps keys of its own there, which were not compared: \`resume\` or \`cancel\` takes them away`;
}

type Records = Pick<VerifiedScope, "settled" | "extra" | "notListed">;

async function records(check: ScopeCheck): Promise<Records> {
  if (check.verifier.compareAll === undefined) return await verifyEach(check);
  return await verifyWhole(check);
}

/** The scope is named, and stands for all its records. */
async function allMissing(check: ScopeCheck): Promise<Records> {
  const { scope, tally } = check;
  for await (const record of recordsOf(check)) tally.count(standingUnasked(check, record) ?? "missing", record);
  const detail = "it is not there, and so none of its records";
  await tally.found({ kind: "scope-missing", detail }, { place: { path: scope.path } });
  return { settled: 0 };
}
