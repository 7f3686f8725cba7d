/**
 * Takes a drill's keys out of a database that it was given empty: those of the dump, and temporary ones of its own. Keys
 * that others put there meanwhile stay, and are told.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { SpillingSet } from "../../support/spilling-set.js";
import { type ConnectedRun, connect, type RunOptions } from "../prepare.js";
import { ownRecords, recordSource } from "../run-records.js";
import type { ScopeNote } from "./drill-folder.js";

export interface RemoveKeysInit {
  readonly options: RunOptions;
  readonly note: ScopeNote;
  /** Whose temporary keys are the drill's. */
  readonly job: string;
}

/** @throws RestoreError, also when keys of others are left */
export async function removeKeys({ options, note, job }: RemoveKeysInit): Promise<void> {
  const { adapter, scope, target } = note;
  const run = await connect(
    {
      ...options,
      selection: {
        adapters: [adapter],
        scopes: [{ adapter, name: scope }],
        include: [],
        exclude: [],
        renames: [{ adapter, from: scope, to: target }],
      },
    },
    { asWriter: false },
  );
  const own = new SpillingSet(run.options.workRoot);
  try {
    const others = await removeOwn(run, own, `elastickv-restore:${job}:`);
    if (others === 0) return;
    throw new RestoreError("TARGET_NOT_EMPTY", `it holds ${others} keys that the drill did not write; they stay`);
  } finally {
    own.close();
    await run.close();
  }
}

/** Returns how many keys are not the drill's. */
async function removeOwn(run: ConnectedRun, own: SpillingSet, temporary: string): Promise<number> {
  let others = 0;
  for (const scope of run.found) {
    const { verifier } = run.replayers.of(scope);
    const { keyOf, deleteKeys } = verifier;
    const pages = verifier.held?.(scope);
    if (keyOf === undefined || deleteKeys === undefined || pages === undefined || typeof pages === "string") {
      throw new RestoreError("TARGET_UNFIT", "its keys cannot be listed");
    }
    for await (const record of ownRecords(recordSource(run, scope))) own.add(keyOf.call(verifier, scope, record));
    for await (const page of pages) {
      const mine = page.filter(({ key, displayKey }) => own.has(key) || displayKey.startsWith(temporary));
      others += page.length - mine.length;
      await deleteKeys.call(
        verifier,
        scope,
        mine.map(({ key }) => key),
      );
    }
  }
  return others;
}
