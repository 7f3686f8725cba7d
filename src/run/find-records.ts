/** Finds records of a dump for people who want to see them. Reads the checked dump, asks no target. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { DumpRecord } from "../model/record.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { Dump } from "../readers/dump.js";
import { eachOf } from "../support/breathing.js";
import { check, closeAll, openWithWorkDirectory, type RunOptions } from "./prepare.js";
import { Selection } from "./selection.js";

/** Called for one record at a time; false when no more is wanted. */
export type ShowRecord = (scope: Scope, record: DumpRecord) => Promise<boolean>;

export interface FindRecordsOptions
  extends Pick<
    RunOptions,
    "dump" | "workRoot" | "workPrefix" | "allowOrphanBuckets" | "progress" | "selection" | "signal"
  > {
  /** A file's path in the dump, or a scope's directory or label: only what stands there. */
  readonly path?: string;
  /** Only the record on this line (1-based) of a file of lines. */
  readonly line?: number;
}

/**
 * Calls `show` for every record that is selected and stands at the path, while the dump is open.
 * @returns how many were shown
 * @throws RestoreError USAGE when no record stands at the path; the classes usage and dump as opening and checking do
 */
export async function findRecords(options: FindRecordsOptions, show: ShowRecord): Promise<number> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const { dump } = await openWithWorkDirectory(options, closers);
    const selection = new Selection(options.selection);
    selection.validate(await dump.outline());
    await check(dump, options);
    const scopes = await dump.scopes(selection);
    const { path } = options;
    if (path === undefined) return await showSome({ dump, scopes, selection, options }, show);
    const scope = scopes.find((each) => isScope(each, path));
    if (scope !== undefined) return await showSome({ dump, scopes: [scope], selection, options }, show);
    const found = await showFile({ dump, scopes, selection, options: { ...options, path } }, show);
    if (found === 0) throw notThere(path);
    return found;
  } finally {
    await closeAll(closers);
    options.progress.report({ type: "finished" });
  }
}

interface Search<O = FindRecordsOptions> {
  readonly dump: Dump;
  readonly scopes: readonly Scope[];
  readonly selection: Selection;
  readonly options: O;
}

/** `redis/db_0`, or as options name it: `redis:db_0`. */
function isScope(scope: Scope, path: string): boolean {
  return scope.path === path.replace(/\/+$/, "") || scopeLabel(scope) === path;
}

async function showSome({ dump, scopes, selection, options }: Search, show: ShowRecord): Promise<number> {
  let shown = 0;
  for (const scope of scopes) {
    for await (const record of eachOf(dump.reader(scope).batches())) {
      options.signal?.throwIfAborted();
      if (!selection.wantsKey(record.displayKey)) continue;
      shown++;
      if (!(await show(scope, record))) return shown;
    }
  }
  return shown;
}

async function showFile(
  { dump, scopes, options }: Search<FindRecordsOptions & { readonly path: string }>,
  show: ShowRecord,
): Promise<number> {
  const { path, line, signal } = options;
  const scope = scopes.find((each) => path.startsWith(`${each.path}/`));
  if (scope === undefined) return 0;
  let shown = 0;
  for await (const record of eachOf(dump.reader(scope).batches())) {
    signal?.throwIfAborted();
    if (record.place.path !== path || (line ?? record.place.line) !== record.place.line) continue;
    shown++;
    if (!(await show(scope, record))) break;
    // A file without lines holds one record.
    if (record.place.line === undefined || line !== undefined) break;
  }
  return shown;
}

function notThere(path: string): RestoreError {
  return new RestoreError("USAGE", `no record of the dump stands in "${escapeForDisplay(path)}"`, {
    hint: "Give a record's file relative to the dump, with `:line` in a file of lines: sqs/orders.fifo/messages.jsonl:3; or a scope: redis/db_0.",
  });
}
