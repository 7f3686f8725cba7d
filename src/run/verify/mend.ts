/**
 * Mends on a target what no record's write mends: settings that differ, and, where that was asked for, records that the
 * dump lacks. Those are deleted only if a comparison named them and the dump, read once more, does not hold them.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import type { Verifier } from "../../replayers/verifier.js";
import { SpillingSet } from "../../support/spilling-set.js";
import { type ConnectedRun, connect, type RunOptions } from "../prepare.js";
import { recordSource, runRecords } from "../run-records.js";
import { type Found, isMendedByWriting } from "./found.js";

export interface Mended {
  /** Scopes whose settings are the dump's now. */
  readonly settings: number;
  readonly deleted: number;
  /** What still differs and why, a sentence each. */
  readonly left: readonly string[];
}

export interface MendInit {
  readonly found: () => AsyncIterable<Found>;
  /** Whether records that the dump lacks go. */
  readonly deletes: boolean;
  /** Whether records are written afterwards: settings that would change what becomes of them wait for `mendLater`. */
  readonly writes: boolean;
}

/** `later`: labels of scopes with settings that wait. @throws RestoreError as a restore */
export async function mendTarget(
  options: RunOptions,
  { found, deletes, writes }: MendInit,
): Promise<Mended & { readonly later: ReadonlySet<string> }> {
  return await connected(options, async (run) => {
    const extras = new SpillingSet(run.options.workRoot);
    try {
      const damage = await damageOf(found(), extras);
      const unlike = run.found.filter((scope) => damage.settings.has(scopeLabel(scope)));
      const later = unlike.filter((scope) => writes && run.replayers.of(scope).verifier.mendFirst !== undefined);
      for (const scope of later) await run.replayers.of(scope).verifier.mendFirst?.(scope);
      const set = await setAll(
        run,
        unlike.filter((scope) => !later.includes(scope)),
      );
      const crowded = run.found.filter((scope) => damage.crowded.has(scopeLabel(scope)));
      let deleted = 0;
      if (deletes) for (const scope of crowded) deleted += await deleteExtras({ run, scope, extras });
      const stay = deletes ? [] : crowded.map((scope) => `${scopeLabel(scope)}: ${STAY}`);
      return { ...set, deleted, left: [...damage.left, ...set.left, ...stay], later: new Set(later.map(scopeLabel)) };
    } finally {
      extras.close();
    }
  });
}

const STAY = "records that the dump lacks stay; --mode replace deletes them";

/** Sets what had to wait until the records were written. @throws RestoreError as a restore */
export async function mendLater(options: RunOptions, later: ReadonlySet<string>): Promise<Mended> {
  return await connected(options, async (run) => {
    const scopes = run.found.filter((scope) => later.has(scopeLabel(scope)));
    return { ...(await setAll(run, scopes)), deleted: 0 };
  });
}

async function connected<T>(options: RunOptions, mend: (run: ConnectedRun) => Promise<T>): Promise<T> {
  const run = await connect(options, { asWriter: false });
  try {
    return await mend(run);
  } finally {
    await run.close();
    options.progress.report({ type: "finished" });
  }
}

interface Damage {
  /** Labels of scopes whose settings differ. */
  readonly settings: ReadonlySet<string>;
  /** Labels of scopes that hold records which the dump lacks. */
  readonly crowded: ReadonlySet<string>;
  /** What nothing mends and why, a sentence each. */
  readonly left: ReadonlySet<string>;
}

/** `extras`: takes label, NUL and displayed key of each record that the dump lacks. */
async function damageOf(found: AsyncIterable<Found>, extras: SpillingSet): Promise<Damage> {
  const [settings, crowded, left] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for await (const each of found) {
    const label = scopeLabel({ adapter: each.adapter, name: each.scope });
    if (each.kind === "setting") settings.add(label);
    const why = unmendable(each);
    if (why !== undefined) left.add(`${label}: ${why}`);
    else if (each.kind === "extra") {
      extras.add(`${label}\0${each.key ?? ""}`);
      crowded.add(label);
    }
  }
  return { settings, crowded, left };
}

/** Of a queue, whose messages have no keys: what can be neither written over nor deleted, and why. */
function unmendable(found: Found): string | undefined {
  const { adapter, kind, path } = found;
  if (adapter !== "sqs" || kind === "setting" || isMendedByWriting(found)) return undefined;
  if (kind === "count") return "only its messages were counted; with --messages those that are missing are sent";
  if (path === undefined) return "messages that the dump lacks stay, for none can be deleted by a key";
  return "messages that differ stay, for those of the dump would stand beside them, and at the queue's end";
}

async function setAll(run: ConnectedRun, scopes: readonly Scope[]): Promise<Pick<Mended, "left" | "settings">> {
  const left: string[] = [];
  let settings = 0;
  for (const scope of scopes) {
    const { verifier } = run.replayers.of(scope);
    const unset = verifier.mend === undefined ? ["its settings cannot be changed"] : await verifier.mend(scope);
    left.push(...unset.map((what) => `${scopeLabel(scope)}: ${what}`));
    if (unset.length === 0) settings++;
  }
  return { settings, left };
}

interface Extras {
  readonly run: ConnectedRun;
  readonly scope: Scope;
  /** Label, NUL and displayed key of each. */
  readonly extras: SpillingSet;
}

const DELETED_AT_ONCE = 100;

async function deleteExtras({ run, scope, extras }: Extras): Promise<number> {
  const { verifier } = run.replayers.of(scope);
  const held = verifier.held?.(scope);
  if (held === undefined || typeof held === "string" || verifier.deleteKeys === undefined) return 0;
  const label = scopeLabel(scope);
  const dumps = await keysOf(run, scope, verifier);
  let deleted = 0;
  let waiting: Buffer[] = [];
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await verifier.deleteKeys?.(scope, waiting);
    deleted += waiting.length;
    waiting = [];
  };
  try {
    for await (const page of held) {
      run.signal.throwIfAborted();
      waiting.push(
        ...page
          .filter(({ key, displayKey }) => extras.has(`${label}\0${displayKey}`) && !dumps.has(key))
          .map(({ key }) => key),
      );
      if (waiting.length >= DELETED_AT_ONCE) await flush();
    }
    await flush();
    return deleted;
  } finally {
    dumps.close();
  }
}

/** Of every record that the dump holds, selected or not. @throws RestoreError where a record's key cannot be known */
async function keysOf(run: ConnectedRun, scope: Scope, verifier: Verifier): Promise<SpillingSet> {
  const keys = new SpillingSet(run.options.workRoot);
  try {
    for await (const record of runRecords({ ...recordSource(run, scope), wantsKey: () => true })) {
      if (record.kind === "left-out") continue;
      const key = record.kind === "faulty" ? record.key : verifier.keyOf?.(scope, record);
      if (key === undefined) throw unknownKey(scope, record.displayKey);
      keys.add(key);
    }
    return keys;
  } catch (error) {
    keys.close();
    throw error;
  }
}

function unknownKey(scope: Scope, displayKey: string): RestoreError {
  return new RestoreError("TARGET_UNFIT", `${scopeLabel(scope)}: the key of ${displayKey} cannot be read`, {
    hint: "So nothing of what the dump lacks was deleted: it could be that record. Repair with --mode merge.",
  });
}
