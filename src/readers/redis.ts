/** A database's keys, in catalogue order of their files. */
import { displayBytes, escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { CollectionRecord, CollectionType, Content, DumpRecord, UnjudgedCollection } from "../model/record.js";
import type { DatabaseScope } from "../model/scope.js";
import { compareUtf8 } from "../support/byte-order.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { faultyRecord, RecordFault } from "./faults.js";
import { collectionInMemory, type KeyFrame, readCollection, unjudgedCollection } from "./redis-collection.js";
import { readHyperLogLog } from "./redis-hll.js";
import { earlierFileOf, isInKeyFolder, type KeyFile, keyFileOf, keyOf, type RedisDirectory } from "./redis-layout.js";
import type { DatabaseIndexes } from "./redis-scope.js";
import { readStream, streamInMemory } from "./redis-stream.js";
import type { ScopeReader } from "./scope-reader.js";
import { SeenKeys } from "./seen-keys.js";
import { isBarePart } from "./segments.js";

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

  batches(from?: Position): AsyncGenerator<readonly DumpRecord<"redis">[]> {
    return this.#batches(from, async (file) => await this.#readLater(file));
  }

  batchesToWrite(from?: Position): AsyncGenerator<readonly (DumpRecord<"redis"> | UnjudgedCollection)[]> {
    return this.#batches(from, async (file) => (await this.#unjudged(file)) ?? (await this.#readLater(file)));
  }

  /** `readLater`: what a file is that has to be waited for. */
  async *#batches<T>(
    from: Position | undefined,
    readLater: (file: Found) => Promise<T>,
  ): AsyncGenerator<readonly (DumpRecord<"redis"> | T)[]> {
    const seen = this.#seenUpTo(from?.path);
    for await (const rows of this.#catalogue.readAhead(this.#prefix, from?.path)) {
      let records: (DumpRecord<"redis"> | T)[] = [];
      for (const row of rows) {
        const file = keyFileOf(row.path, this.#prefix.length);
        if (file === undefined) continue;
        const record = this.#record(row, { file, seen }, readLater);
        if (record instanceof Promise) {
          // Those at hand need not wait for a large one.
          yield records;
          records = [await record];
        } else records.push(record);
      }
      yield records;
    }
  }

  /** Keys of the files up to that one; undefined where no two files can be of one key. */
  #seenUpTo(last: string | undefined): SeenKeys | undefined {
    if (this.#indexes.keymap.size === 0 && this.#folders() <= 1) return undefined;
    const seen = new SeenKeys(this.#catalogue.count);
    if (last === undefined) return seen;
    for (const { path } of this.#catalogue.rows(this.#prefix)) {
      if (compareUtf8(path, last) > 0) break;
      const file = keyFileOf(path, this.#prefix.length);
      if (file !== undefined) seen.isNew(keyOf(file.segment, this.#indexes.keymap));
    }
    return seen;
  }

  #folders(): number {
    return [...this.#catalogue.directories(this.#prefix)].filter((name) => isInKeyFolder(`${name}/`, 0)).length;
  }

  /** A promise only where a file has to be waited for. */
  #record<T>(
    row: CatalogueRow,
    { file, seen }: Met,
    readLater: (file: Found) => Promise<T>,
  ): DumpRecord<"redis"> | Promise<T> {
    const { segment } = file;
    const isKey = isBarePart(segment, 0, segment.length);
    const key = isKey ? Buffer.from(segment, "latin1") : keyOf(segment, this.#indexes.keymap);
    const place = { path: row.path };
    const displayKey = isKey ? segment : displayBytes(key);
    const frame = { place, after: place, displayKey, bytes: row.size, key };
    try {
      if (seen?.isNew(key) === false) this.#assertFirst(row.path, file, key);
      const content = this.#catalogue.content(row);
      return this.#atHand(frame, file, content) ?? readLater({ frame, file, content });
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  /** The record of a file that is in memory or is not looked into; undefined when that says nothing. */
  #atHand(frame: KeyFrame, { directory, segment }: KeyFile, content: Content): DumpRecord<"redis"> | undefined {
    // Written out, for spread objects are slow to make and to read, and there is one for every key.
    const { place, after, displayKey, bytes, key } = frame;
    if (directory === "strings") {
      const expireAtMs = this.#indexes.times.strings.get(segment);
      return expireAtMs === undefined
        ? { kind: "string", place, after, displayKey, bytes, key, value: content }
        : { kind: "string", place, after, displayKey, bytes, key, value: content, expireAtMs };
    }
    const type = COLLECTIONS[directory];
    if (content.bytes === undefined) return undefined;
    if (type !== undefined) return collectionOf(frame, type, collectionInMemory(type, content.bytes));
    const made = directory === "streams" ? streamInMemory(content.bytes) : undefined;
    return made === undefined ? undefined : { ...made, place, after, displayKey, key };
  }

  /** Undefined for what is read before it is yielded. */
  async #unjudged({ frame, file, content }: Found): Promise<DumpRecord<"redis"> | UnjudgedCollection | undefined> {
    const type = COLLECTIONS[file.directory];
    if (type === undefined) return undefined;
    try {
      return await unjudgedCollection(frame, { type, content, workDirectory: this.#workDirectory });
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  async #readLater({ frame, file, content }: Found): Promise<DumpRecord<"redis">> {
    try {
      return { ...frame, ...(await this.#content(frame.place.path, file, content)) };
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

  async #content(path: string, { directory, segment }: KeyFile, content: Content) {
    switch (directory) {
      case "hll":
        return {
          kind: "hll" as const,
          ...(await readHyperLogLog(content)),
          ...expiry(this.#indexes.times.hll.get(segment)),
        };
      case "streams":
        return await readStream(path, content);
      default:
        return await readCollection(COLLECTIONS[directory] ?? "list", content, this.#workDirectory);
    }
  }
}

/** A key's file, and the keys that stood before it. */
interface Met {
  readonly file: KeyFile;
  readonly seen: SeenKeys | undefined;
}

/** A file that is not in memory, and whose record it holds. */
interface Found {
  readonly frame: KeyFrame;
  readonly file: KeyFile;
  readonly content: Content;
}

function collectionOf(
  { place, after, displayKey, key }: KeyFrame,
  type: CollectionType,
  made: ReturnType<typeof collectionInMemory>,
): CollectionRecord | undefined {
  if (made === undefined) return undefined;
  const { bytes, count, elements, packed, expireAtMs } = made;
  return expireAtMs === undefined
    ? { kind: "collection", type, place, after, displayKey, bytes, key, count, elements, packed }
    : { kind: "collection", type, place, after, displayKey, bytes, key, count, elements, packed, expireAtMs };
}

function expiry(expireAtMs: bigint | undefined): { expireAtMs?: bigint } {
  return expireAtMs === undefined ? {} : { expireAtMs };
}
