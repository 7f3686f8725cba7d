/** Finds the records of one file of a dump, for people who want to see them. Reads the checked dump, asks no target. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { DumpRecord } from "../model/record.js";
import type { Scope } from "../model/scope.js";
import { breathing } from "../support/breathing.js";
import { check, closeAll, openWithWorkDirectory, type RunOptions } from "./prepare.js";
import { Selection } from "./selection.js";

export interface FindRecordsOptions
  extends Pick<RunOptions, "dump" | "workRoot" | "workPrefix" | "allowOrphanBuckets" | "progress" | "signal"> {
  /** A file's path in the dump, relative to its root. */
  readonly path: string;
  /** Only the record on this line (1-based) of a file of lines. */
  readonly line?: number;
}

/**
 * Calls `show` for every record that stands in the file, while the dump is open.
 * @throws RestoreError USAGE when no record stands there; the classes usage and dump as opening and checking do
 */
export async function findRecords(
  options: FindRecordsOptions,
  show: (scope: Scope, record: DumpRecord) => Promise<void>,
): Promise<void> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const { dump } = await openWithWorkDirectory(options, closers);
    await check(dump, options.progress);
    const everything = new Selection({ scopes: [], include: [], exclude: [], renames: [] });
    const scopes = await dump.scopes(everything);
    const scope = scopes.find(({ path }) => options.path.startsWith(`${path}/`));
    if (scope === undefined) throw notThere(options.path);
    let found = 0;
    for await (const record of breathing(dump.reader(scope).records())) {
      options.signal?.throwIfAborted();
      const isWanted = record.place.path === options.path && (options.line ?? record.place.line) === record.place.line;
      if (!isWanted) continue;
      found++;
      await show(scope, record);
      // A file without lines holds one record.
      if (record.place.line === undefined || options.line !== undefined) break;
    }
    if (found === 0) throw notThere(options.path);
  } finally {
    await closeAll(closers);
    options.progress.report({ type: "finished" });
  }
}

function notThere(path: string): RestoreError {
  return new RestoreError("USAGE", `no record of the dump stands in "${escapeForDisplay(path)}"`, {
    hint: "Give a record's file relative to the dump, with `:line` in a file of lines: sqs/orders.fifo/messages.jsonl:3.",
  });
}
