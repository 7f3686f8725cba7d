/** Compares a dump with the targets that it was restored into. Changes nothing on them. */
import { createHash, randomBytes } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT } from "../../errors/codes.js";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { ADAPTERS, type Adapter, scopeLabel } from "../../model/scope.js";
import { present } from "../../support/present.js";
import { someAtOnce } from "../../support/some-at-once.js";
import { fingerprintOf, type JobIdentity } from "../job/identity.js";
import { acquireLock } from "../job/locks.js";
import { type ConnectedRun, connect, identityOf, type RunOptions } from "../prepare.js";
import { Checkpoints } from "./checkpoint.js";
import { noStandings, STANDINGS, unlike } from "./counts.js";
import type { Verification, VerifiedScope } from "./report.js";
import type { Sample } from "./sample.js";
import type { HowToVerify } from "./scope-check.js";
import { verifyScope } from "./verify-scope.js";

export type { HowToVerify } from "./scope-check.js";

export interface VerifyOptions extends RunOptions {
  readonly how: HowToVerify;
  /** Where a comparison that is stopped is remembered. */
  readonly stateDirectory: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  /** Go on where the same comparison was stopped. */
  readonly takeUp: boolean;
  /** JSONL file for every difference; absent: only the first ones are told. */
  readonly differencesPath?: string;
}

/**
 * Compares every selected scope, the adapters side by side.
 * @throws RestoreError of the classes usage, dump and target; INTERRUPTED and OUTAGE with what was compared kept, to be
 *   taken up again
 */
export async function verifyTarget(options: VerifyOptions): Promise<Verification> {
  const { clock, how, progress } = options;
  const began = clock.monotonic();
  let run: ConnectedRun | undefined;
  let checkpoints: Checkpoints | undefined;
  let lock: { release(): Promise<void> } | undefined;
  try {
    run = await connect(options, { asWriter: false });
    const identity = await identityOf({ ...run, wanted: run.found });
    const fingerprint = fingerprintFor(identity, how);
    const id = fingerprint.slice(0, 16);
    const { pid, isAlive, stateDirectory } = options;
    lock = await acquireLock({
      what: `comparison ${id}`,
      holder: { pid, job: id },
      directory: stateDirectory,
      isAlive,
    });
    checkpoints = await Checkpoints.open({
      directory: join(stateDirectory, "comparisons", id),
      fingerprint,
      takeUp: options.takeUp,
      startedAt: clock.now(),
      seed: how.seed ?? randomBytes(8).toString("hex"),
      monotonic: () => clock.monotonic(),
    });
    const scopes = await verifyAll({ run, how, checkpoints });
    const verification = await reportOf({ run, options, scopes, checkpoints, digest: identity.dump, began });
    await checkpoints.remove();
    return verification;
  } finally {
    await checkpoints?.close();
    await lock?.release();
    await run?.close();
    progress.report({ type: "finished" });
  }
}

/** Of another share or other demands, nothing that was compared before counts. */
function fingerprintFor(identity: JobIdentity, { comparing, share, seed }: HowToVerify): string {
  return createHash("sha256")
    .update(`${fingerprintOf(identity)}\n${JSON.stringify({ comparing, share, seed })}`)
    .digest("hex");
}

interface Verifying {
  readonly run: ConnectedRun;
  readonly how: HowToVerify;
  readonly checkpoints: Checkpoints;
}

/** Of an adapter, side by side: one that is to be looked at again does not keep the others waiting. */
const SCOPES_AT_ONCE = 4;

/** In the order of the run's scopes. The first error stops what the other adapters do. */
async function verifyAll({ run, how, checkpoints }: Verifying): Promise<VerifiedScope[]> {
  const sample: Sample | undefined =
    how.share === undefined || how.share === 1 ? undefined : { share: how.share, seed: checkpoints.seed };
  const done = new Map<string, VerifiedScope>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    run.stop();
  };
  // What is under way ends before anything is closed: no scope's failure may leave another one behind.
  const verifyAdapter = async (adapter: Adapter) => {
    const scopes = [...run.found.entries()].filter(([, scope]) => scope.adapter === adapter);
    await someAtOnce(scopes, SCOPES_AT_ONCE, async ([number, scope]) => {
      if (failure !== undefined) return;
      const init = { run, how, scope, number, checkpoints, ...present({ sample }) };
      await verifyScope(init).then((verified) => done.set(scopeLabel(scope), verified), fail);
    });
  };
  await Promise.all(ADAPTERS.map(verifyAdapter));
  if (failure !== undefined) throw failure.error;
  return run.found.flatMap((scope) => done.get(scopeLabel(scope)) ?? []);
}

interface Ending {
  readonly run: ConnectedRun;
  readonly options: VerifyOptions;
  readonly scopes: readonly VerifiedScope[];
  readonly checkpoints: Checkpoints;
  readonly digest: string;
  readonly began: number;
}

async function reportOf({ run, options, scopes, checkpoints, digest, began }: Ending): Promise<Verification> {
  const { dump, checked, replayers, capabilities, selection } = run;
  const { how, clock } = options;
  const standings = noStandings();
  for (const scope of scopes) for (const each of STANDINGS) standings[each] += scope.standings[each];
  const records = scopes.reduce((sum, scope) => sum + scope.records, 0);
  const unmatched = selection.warningFor(records);
  const { found } = checkpoints;
  const differencesFile = await publish(options, checkpoints);
  const verification: Verification = {
    verificationVersion: 1,
    exitStatus: EXIT.ok,
    startedAt: new Date(checkpoints.startedAt).toISOString(),
    endedAt: new Date(clock.now()).toISOString(),
    durationMs: Math.round(clock.monotonic() - began),
    dump: {
      path: options.dump,
      digest,
      takenAt: dump.manifest.wallTime.iso,
      phase: dump.manifest.phase,
      ...checked,
    },
    mode: options.mode.name,
    ttlPolicy: options.ttlPolicy,
    toleranceMs: how.comparing.toleranceMs,
    ...(how.share === undefined ? {} : { sample: { share: how.share, seed: checkpoints.seed } }),
    looks: how.looks,
    targets: replayers.all().map((replayer) => ({
      adapter: replayer.adapter,
      endpoint: replayer.endpoint,
      origin: options.targets[replayer.adapter]?.origin ?? "",
      server: capabilities.get(replayer.adapter)?.server ?? "",
      ...replayer.stats,
    })),
    records,
    standings,
    extra: scopes.reduce((sum, { extra = 0 }) => sum + extra, 0),
    scopes,
    differences: found.first,
    differenceCount: found.count,
    ...(differencesFile === undefined ? {} : { differencesFile }),
    warnings: [...dump.manifest.warnings, ...dump.warnings, ...(unmatched === undefined ? [] : [unmatched])],
  };
  return { ...verification, exitStatus: exitStatusOf(verification) };
}

/** Records of the dump that cannot be read come first, as they do in a restore. */
function exitStatusOf({ standings, differenceCount }: Verification): number {
  if (standings.malformed > 0) return EXIT.incomplete;
  return unlike(standings) + differenceCount > 0 ? EXIT.differences : EXIT.ok;
}

async function publish({ differencesPath }: VerifyOptions, { found }: Checkpoints): Promise<string | undefined> {
  if (differencesPath === undefined || found.count === 0) return undefined;
  await found.flush();
  await copyFile(found.path, differencesPath).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot write ${differencesPath}: ${messageOf(cause)}`, {
      hint: `Name a writable place with --report. The list stands in ${found.path} as well.`,
      cause,
    });
  });
  return differencesPath;
}
