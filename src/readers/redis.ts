/** A database's keys, in catalogue order of their files. */
import { displayBytes, escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { CollectionType, DumpRecord } from "../model/record.js";
import type { DatabaseScope } from "../model/scope.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { faultyRecord, RecordFault } from "./faults.js";
import { readCollection } from "./redis-collection.js";
import { readHyperLogLog } from "./redis-hll.js";
import { earlierFileOf, type KeyFile, keyFileOf, keyOf, type RedisDirectory } from "./redis-layout.js";
import type { DatabaseIndexes } from "./redis-scope.js";
import { readStream } from "./redis-stream.js";
import type { ScopeReader } from "./scope-reader.js";

const COLLECTIONS: Partial<Record<RedisDirectory, CollectionType>> = {
  hashes: "hash",
  lists: "list",
  sets: "set",
  zsets: "zset",
};

export interface DatabaseReaderInit {
  readonly catalogue: Catalogue;
  readonly scope: DatabaseScope;
  readonly indexes: DatabaseIndexes;
  readonly workDirectory: string;
}

export class DatabaseReader implements ScopeReader<"redis"> {
  /** Lines of expiry files without a key are the scope's own warnings. */
  readonly warnings: readonly string[] = [];
  readonly #catalogue: Catalogue;
  readonly #prefix: string;
  readonly #indexes: DatabaseIndexes;
  readonly #workDirectory: string;

  constructor({ catalogue, scope, indexes, workDirectory }: DatabaseReaderInit) {
    this.#catalogue = catalogue;
    this.#prefix = `${scope.path}/`;
    this.#indexes = indexes;
    this.#workDirectory = workDirectory;
  }

  async *records(from?: Position): AsyncGenerator<DumpRecord<"redis">> {
    for (const row of this.#catalogue.rows(this.#prefix, from?.path)) {
      const file = keyFileOf(row.path.slice(this.#prefix.length));
      if (file !== undefined) yield await this.#record(row, file);
    }
  }

  async #record(row: CatalogueRow, file: KeyFile): Promise<DumpRecord<"redis">> {
    const key = keyOf(file.segment, this.#indexes.keymap);
    const frame = {
      place: { path: row.path },
      after: { path: row.path },
      displayKey: displayBytes(key),
      bytes: row.size,
      key,
    };
    try {
      this.#assertFirst(row.path, file, key);
      return { ...frame, ...(await this.#content(row, file)) };
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  /** @throws RecordFault */
  #assertFirst(path: string, file: KeyFile, key: Buffer): void {
    const where = { catalogue: this.#catalogue, prefix: this.#prefix, keymap: this.#indexes.keymap };
    const earlier = earlierFileOf({ ...file, key, path }, where);
    if (earlier === undefined) return;
    throw new RecordFault("duplicate-record", `the same key stands in ${escapeForDisplay(earlier)}`);
  }

  async #content(row: CatalogueRow, { directory, segment }: KeyFile) {
    const { times } = this.#indexes;
    const content = this.#catalogue.content(row);
    switch (directory) {
      case "strings":
        return { kind: "string" as const, value: content, ...expiry(times.strings.get(segment)) };
      case "hll":
        return { kind: "hll" as const, ...(await readHyperLogLog(content)), ...expiry(times.hll.get(segment)) };
      case "streams":
        return await readStream(row.path, content);
      default:
        return await readCollection(COLLECTIONS[directory] ?? "list", content, this.#workDirectory);
    }
  }
}

function expiry(expireAtMs: bigint | undefined): { expireAtMs?: bigint } {
  return expireAtMs === undefined ? {} : { expireAtMs };
}
