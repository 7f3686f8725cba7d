/** A database's names, KEYMAP and expiry files. */
import { escapeForDisplay } from "../model/display.js";
import type { DatabaseScope } from "../model/scope.js";
import type { Catalogue } from "./catalogue.js";
import { structuralError } from "./faults.js";
import { Keymap, type KeymapEntry } from "./keymap.js";
import { isInKeyFolder, type KeyFile, keyFileOf, TTL_FILES } from "./redis-layout.js";
import type { ScopeContext } from "./scope-context.js";
import type { ScopeDirectory } from "./scope-directories.js";
import { assertSegment, fallbackSegment, isFallback, isPlain } from "./segments.js";
import { StrayFiles } from "./stray-files.js";
import { TtlIndex } from "./ttl-index.js";

export type ReadDatabaseScope = Omit<DatabaseScope, "target" | "targetDatabase">;

/** What KEYMAP and the expiry files tell. */
export interface DatabaseIndexes {
  readonly keymap: Keymap;
  readonly times: Readonly<Record<keyof typeof TTL_FILES, TtlIndex>>;
}

/** @throws RestoreError NAME_INVALID, KEYMAP_INVALID, TTL_INVALID */
export async function readDatabaseScope(
  context: ScopeContext,
  { path, name = "" }: ScopeDirectory,
): Promise<{ scope: ReadDatabaseScope; indexes: DatabaseIndexes }> {
  const { catalogue } = context;
  const keymap = await loadKeymap(context, path);
  const times = { strings: await loadTimes(context, path, "strings"), hll: await loadTimes(context, path, "hll") };
  const { strays, dangling } = assertNames(catalogue, path, { keymap, times });
  const warnings = [...dangling, ...strays.warnings];
  const scope = { adapter: "redis" as const, name, path, database: databaseNumber(name), warnings };
  return { scope, indexes: { keymap, times } };
}

/** `db_3` is 3. */
export function databaseNumber(name: string): number {
  return Number(name.slice("db_".length));
}

/** The database's own files beside its keys'. */
const OWN_FILES: ReadonlySet<string> = new Set(["KEYMAP.jsonl", ...Object.values(TTL_FILES)]);

async function loadKeymap({ catalogue, indexes }: ScopeContext, database: string): Promise<Keymap> {
  const path = `${database}/KEYMAP.jsonl`;
  const row = catalogue.find(path);
  if (row === undefined) return Keymap.empty(path);
  const check = ({ encoded, original, kind }: KeymapEntry, line: number) => {
    if (kind === "sha-fallback" && fallbackSegment(original) === encoded) return;
    const what = kind === "sha-fallback" ? `"${encoded}" is not the name of its original` : `unknown kind "${kind}"`;
    throw structuralError("KEYMAP_INVALID", { path, line }, what);
  };
  return Keymap.load(path, catalogue.content(row), { names: indexes.names, unique: false, check });
}

/** Makes sure that every key can be known. Tells of files that are no key's, and of times that are none's. */
function assertNames(
  catalogue: Catalogue,
  database: string,
  { keymap, times }: DatabaseIndexes,
): { strays: StrayFiles; dangling: string[] } {
  const prefix = `${database}/`;
  const strays = new StrayFiles();
  const met = { strings: 0, hll: 0 };
  for (const { path } of catalogue.rows(prefix)) {
    const below = path.slice(prefix.length);
    const file = keyFileOf(below);
    if (file !== undefined) {
      const { directory, segment } = file;
      assertKey(path, file, keymap);
      if ((directory === "strings" || directory === "hll") && times[directory].get(segment) !== undefined) {
        met[directory]++;
      }
    } else if (isInKeyFolder(below)) {
      throw structuralError(
        "NAME_INVALID",
        { path },
        "it is no key's file: directory and ending do not belong together",
      );
    } else if (!OWN_FILES.has(below)) strays.add(path);
  }
  const dangling = [danglingLines(times.strings, met.strings), danglingLines(times.hll, met.hll)];
  return { strays, dangling: dangling.flat() };
}

/** A warning of lines whose key has no file. */
function danglingLines({ path, size }: TtlIndex, met: number): string[] {
  const dangling = size - met;
  if (dangling === 0) return [];
  const lines = `${dangling} ${dangling === 1 ? "line" : "lines"}`;
  return [`${escapeForDisplay(path)} has ${lines} without a key's file: left out`];
}

function assertKey(path: string, { segment }: KeyFile, keymap: Keymap): void {
  if (isPlain(segment)) return;
  assertSegment(path, segment);
  if (segment.startsWith("b64.")) throw structuralError("NAME_INVALID", { path }, "it has the form of a binary key");
  if (isFallback(segment) && !keymap.has(segment)) {
    throw structuralError("NAME_INVALID", { path }, "its key stands in no line of KEYMAP.jsonl");
  }
}

async function loadTimes(
  { catalogue, indexes }: ScopeContext,
  database: string,
  directory: keyof typeof TTL_FILES,
): Promise<TtlIndex> {
  const path = `${database}/${TTL_FILES[directory]}`;
  const index = new TtlIndex(path, indexes);
  const row = catalogue.find(path);
  if (row !== undefined) await index.load(catalogue.content(row));
  return index;
}
