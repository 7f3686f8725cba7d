/** Opens dumps in tests and reads what they hold. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestoreError } from "../../src/errors/restore-error.js";
import type { Position } from "../../src/model/position.js";
import type { DumpRecord } from "../../src/model/record.js";
import type { Adapter, Scope } from "../../src/model/scope.js";
import type { Dump, OpenOptions, ScopeSelection } from "../../src/readers/dump.js";
import { openDump } from "../../src/readers/open-dump.js";
import { eachOf } from "../../src/support/breathing.js";
import { type DumpDescription, temporaryDump } from "./dump-builder.js";

export const EVERYTHING: ScopeSelection = { wants: () => true, targetName: (_adapter, name) => name };

/** Opens the dump at `path`, gives it to `use`, and closes it. */
export async function withDump<T>(
  path: string,
  use: (dump: Dump) => Promise<T>,
  options: Omit<OpenOptions, "workDirectory"> = {},
): Promise<T> {
  const workDirectory = await mkdtemp(join(tmpdir(), "elastickv-restore-work-"));
  try {
    const dump = await openDump(path, { workDirectory, ...options });
    return await use(dump).finally(() => dump.close());
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

export interface ReadDump {
  readonly scopes: readonly Scope[];
  /** By scope label, in reading order. */
  readonly records: ReadonlyMap<string, readonly DumpRecord[]>;
  readonly warnings: readonly string[];
}

/** Checks the dump and reads every record. */
export function readWhole(path: string, options: Omit<OpenOptions, "workDirectory"> = {}): Promise<ReadDump> {
  return withDump(
    path,
    async (dump) => {
      await dump.check();
      const scopes = await dump.scopes(EVERYTHING);
      const records = new Map<string, DumpRecord[]>();
      for (const scope of scopes)
        records.set(`${scope.adapter}:${scope.name}`, await collect(readRecords(dump, scope)));
      return { scopes, records, warnings: [...dump.manifest.warnings, ...dump.warnings] };
    },
    options,
  );
}

/** Builds a dump, gives it to `use`, and removes it. */
export async function withBuilt<T>(description: DumpDescription, use: (path: string) => Promise<T>): Promise<T> {
  const dump = await temporaryDump(description);
  try {
    return await use(dump.path);
  } finally {
    await dump.remove();
  }
}

/** As `readWhole`, of a dump that is built for it and of one scope alone. */
export async function recordsOf(files: NonNullable<DumpDescription["files"]>): Promise<DumpRecord[]> {
  return withBuilt({ files }, async (path) => [...(await readWhole(path)).records.values()].flat());
}

/** The records of one scope behind a position. */
export function readRecords(dump: Dump, scope: Scope, from?: Position): AsyncIterable<DumpRecord> {
  return eachOf(dump.reader<Adapter>(scope).batches(from));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The RestoreError that `action` fails with. */
export async function restoreErrorOf(action: Promise<unknown>): Promise<RestoreError> {
  const error: unknown = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RestoreError) return error;
  throw error instanceof Error ? error : new Error("nothing was thrown");
}

/** The error of opening, checking and reading a dump that is built for it. */
export function faultOf(
  description: DumpDescription,
  options: Omit<OpenOptions, "workDirectory"> = {},
): Promise<RestoreError> {
  return withBuilt(description, (path) => restoreErrorOf(readWhole(path, options)));
}
