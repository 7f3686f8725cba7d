/** What a dump holds of what a drill is to restore: by its manifest and folders, before anything is checked or started. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";
import { closeAll, openWithWorkDirectory } from "../prepare.js";
import { Selection, type SelectionOptions } from "../selection.js";
import type { NamedScope } from "./names.js";

export interface DumpOutline {
  readonly scopes: readonly NamedScope[];
  /** Unix milliseconds. */
  readonly takenAtMs?: number;
  /** Why the dump cannot be restored from, which is what a drill finds out. */
  readonly error?: RestoreError;
}

export interface OutlineInit {
  readonly dump: string;
  readonly selection: SelectionOptions;
  readonly allowOrphanBuckets: boolean;
  readonly workRoot: string;
  readonly workPrefix?: string;
  readonly signal?: AbortSignal;
}

/** @throws RestoreError SELECTION_UNKNOWN, DUMP_NOT_FOUND */
export async function outlineDump(init: OutlineInit): Promise<DumpOutline> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const { dump } = await openWithWorkDirectory(init, closers);
    const takenAtMs = dump.manifest.wallTime.unixMs;
    const outline = await dump.outline();
    const selection = new Selection(init.selection);
    selection.validate(outline);
    return present({ scopes: outline.filter(({ adapter, name }) => selection.wants(adapter, name)), takenAtMs });
  } catch (error) {
    const isOfTheDump = error instanceof RestoreError && error.exitStatus === EXIT.dump;
    if (!isOfTheDump || error.code === "DUMP_NOT_FOUND") throw error;
    return { scopes: [], error };
  } finally {
    await closeAll(closers);
  }
}
