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

/** `deletes`: whether records that the dump lacks go. @throws RestoreError as a restore */
export async function mendTarget(
  options: RunOptions,
  found: () => AsyncIterable<Found>,
  deletes: boolean,
): Promise<Mended> {
  const run = await connect(options, { asWriter: false });
  const extras = new SpillingSet(run.options.workRoot);
  try {
    const settings = new Set<string>();
    const scopes = new Set<string>();
    const left = new Set<string>();
    for await (const each of found()) {
      const label = scopeLabel({ adapter: each.adapter, name: each.scope });
      if (each.kind === "setting") settings.add(label);
      const why = unmendable(each);
      if (why !== undefined) left.add(`${label}: ${why}`);
      else if (each.kind === "extra") {
        extras.add(`${label}\0${each.key ?? ""}`);
        scopes.add(label);
      }
    }
    let [mended, deleted] = [0, 0];
    for (const scope of run.found) {
      const { verifier } = run.replayers.of(scope);
      const label = scopeLabel(scope);
      const unset = settings.has(label) ? await mendSettings(scope, verifier) : [];
      for (const what of unset) left.add(what);
      if (settings.has(label) && unset.length === 0) mended++;
      if (!scopes.has(label)) continue;
      if (deletes) deleted += await deleteExtras({ run, scope, verifier, extras });
      else left.add(`${label}: records that the dump lacks stay; --mode replace deletes them`);
    }
    return { settings: mended, deleted, left: [...left] };
  } finally {
    extras.close();
    await run.close();
    options.progress.report({ type: "finished" });
  }
}

/** Of a queue, whose messages have no keys: what can be neither written over nor deleted, and why. */
function unmendable(found: Found): string | undefined {
  const { adapter, kind, path } = found;
  if (adapter !== "sqs" || kind === "setting" || isMendedByWriting(found)) return undefined;
  if (kind === "count") return "only its messages were counted; with --messages those that are missing are sent";
  if (path === undefined) return "messages that the dump lacks stay, for none can be deleted by a key";
  return "messages that differ stay, for those of the dump would stand beside them, and at the queue's end";
}

async function mendSettings(scope: Scope, verifier: Verifier): Promise<string[]> {
  const label = scopeLabel(scope);
  if (verifier.mend === undefined) return [`${label}: its settings cannot be changed`];
  return (await verifier.mend(scope)).map((what) => `${label}: ${what}`);
}

interface Extras {
  readonly run: ConnectedRun;
  readonly scope: Scope;
  readonly verifier: Verifier;
  /** Label, NUL and displayed key of each. */
  readonly extras: SpillingSet;
}

const DELETED_AT_ONCE = 100;

async function deleteExtras({ run, scope, verifier, extras }: Extras): Promise<number> {
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
