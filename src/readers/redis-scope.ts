/** A database's names, KEYMAP and expiry files. */
import { escapeForDisplay } from "../model/display.js";
import type { DatabaseScope } from "../model/scope.js";
import type { Catalogue } from "./catalogue.js";
import { structuralError } from "./faults.js";
import { Keymap, type KeymapEntry } from "./keymap.js";
import { isInKeyFolder, type KeyFile, keyFileOf, MetKeyFile, type RedisDirectory, TTL_FILES } from "./redis-layout.js";
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
  const names = new NameCheck(path, { keymap, times });
  names.look(catalogue);
  const { strays, timed } = names;
  const dangling = [...danglingLines(times.strings, timed.strings), ...danglingLines(times.hll, timed.hll)];
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

/** Looks at the names of all files, so that every key can be known. */
class NameCheck {
  /** Files that are no key's. */
  readonly strays = new StrayFiles();
  /** Keys that have a time, by where it stands. */
  readonly timed = { strings: 0, hll: 0 };
  readonly #prefix: string;
  readonly #indexes: DatabaseIndexes;
  readonly #met = new MetKeyFile();

  constructor(database: string, indexes: DatabaseIndexes) {
    this.#prefix = `${database}/`;
    this.#indexes = indexes;
  }

  /** @throws RestoreError NAME_INVALID */
  look(catalogue: Catalogue): void {
    const met = this.#met;
    for (const { block, start, end } of catalogue.ranges(this.#prefix)) {
      for (let row = start; row < end; row++) {
        const below = block.pathStart(row) + this.#prefix.length;
        if (met.meet(block.text, below, block.pathEnd(row))) this.#count(met.directory, block.text, met.start, met.end);
        else this.#lookAt(block.pathOf(row));
      }
    }
  }

  /** A path that is not told at first sight. */
  #lookAt(path: string): void {
    const below = this.#prefix.length;
    const file = keyFileOf(path, below);
    if (file !== undefined) {
      assertKey(path, file, this.#indexes.keymap);
      this.#count(file.directory, file.segment, 0, file.segment.length);
    } else if (isInKeyFolder(path, below)) {
      const what = "it is no key's file: directory and ending do not belong together";
      throw structuralError("NAME_INVALID", { path }, what);
    } else if (!OWN_FILES.has(path.slice(below))) this.strays.add(path);
  }

  #count(directory: RedisDirectory, text: string, start: number, end: number): void {
    if (directory !== "strings" && directory !== "hll") return;
    const times = this.#indexes.times[directory];
    if (times.mayHold(text, start, end) && times.get(text.slice(start, end)) !== undefined) this.timed[directory]++;
  }
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
