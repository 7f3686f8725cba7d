/** A bucket's objects, in catalogue order of their bodies. Bodies stay on disk. */
import { escapeForDisplay } from "../model/display.js";
import type { Note } from "../model/outcome.js";
import type { Position } from "../model/position.js";
import type { DumpRecord, ObjectMetadata } from "../model/record.js";
import type { BucketScope } from "../model/scope.js";
import { type JsonObject, parseJson } from "../support/json.js";
import { present } from "../support/present.js";
import { SpillingSet } from "../support/spilling-set.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { faultyRecord, RecordFault, type RecordFrame } from "./faults.js";
import { asObject, asString, assertFormatVersion, FieldError, optionalNumber, optionalString } from "./json-access.js";
import { LimitError } from "./json-stream.js";
import type { BucketKeymap } from "./s3-keymap.js";
import { BucketLayout } from "./s3-layout.js";
import type { ScopeReader } from "./scope-reader.js";

/** Far above any sidecar: services take 2 KB of metadata. */
const MAX_SIDECAR_BYTES = 4 * 1024 * 1024;

const BARE: ObjectMetadata = { user: [] };
const BARE_NOTE: Note = { kind: "default-metadata", detail: "the dump holds no metadata for it" };

export interface BucketReaderInit {
  readonly catalogue: Catalogue;
  readonly scope: BucketScope;
  readonly keymap: BucketKeymap;
  readonly metaSuffix: string;
  readonly workDirectory: string;
}

export class BucketReader implements ScopeReader<"s3"> {
  readonly warnings: readonly string[] = [];
  readonly #catalogue: Catalogue;
  readonly #layout: BucketLayout;
  readonly #keymap: BucketKeymap;
  readonly #workDirectory: string;

  constructor({ catalogue, scope, keymap, metaSuffix, workDirectory }: BucketReaderInit) {
    this.#catalogue = catalogue;
    this.#layout = new BucketLayout(catalogue, scope.path, metaSuffix);
    this.#keymap = keymap;
    this.#workDirectory = workDirectory;
  }

  async *batches(from?: Position): AsyncGenerator<readonly DumpRecord<"s3">[]> {
    const seen = new SpillingSet(this.#workDirectory);
    try {
      if (from !== undefined && this.#keymap.keymap.size > 0) this.#rememberUpTo(from.path, seen);
      for await (const rows of this.#catalogue.readAhead(this.#layout.prefix, from?.path)) {
        const records: DumpRecord<"s3">[] = [];
        for (const [at, row] of rows.entries()) {
          const file = this.#layout.kindOf(row.path, rows[at + 1]);
          if (file.kind === "object") records.push(await this.#object(row, seen, file.sidecar));
          else if (file.kind === "bare-object") records.push(await this.#object(row, seen));
        }
        yield records;
      }
    } finally {
      seen.close();
    }
  }

  /** Keys behind which a second object with the same key is refused, also when reading begins between the two. */
  #rememberUpTo(path: string, seen: SpillingSet): void {
    for (const row of this.#catalogue.rows(this.#layout.prefix)) {
      const { kind } = this.#layout.kindOf(row.path);
      if (kind === "object" || kind === "bare-object") this.#isFirst(this.#keyOf(row), seen);
      if (row.path === path) return;
    }
  }

  #isFirst(key: string, seen: SpillingSet): boolean {
    return !this.#keymap.gives(key) || seen.add(key);
  }

  #keyOf(row: CatalogueRow): string {
    const below = row.path.slice(this.#layout.prefix.length);
    return this.#keymap.keymap.originalOf(below)?.toString("utf8") ?? below;
  }

  async #object(row: CatalogueRow, seen: SpillingSet, sidecar?: CatalogueRow): Promise<DumpRecord<"s3">> {
    const key = this.#keyOf(row);
    const frame: RecordFrame = {
      place: { path: row.path },
      after: { path: row.path },
      displayKey: escapeForDisplay(key),
      bytes: row.size,
      key: Buffer.from(key),
    };
    try {
      if (!this.#isFirst(key, seen)) throw new RecordFault("duplicate-record", "an object before it has the same key");
      const base = { kind: "object" as const, ...frame, key, body: this.#catalogue.content(row) };
      if (sidecar === undefined) return { ...base, metadata: BARE, notes: [BARE_NOTE] };
      return { ...base, ...(await this.#readSidecar(sidecar, row.size)) };
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  /** @throws RecordFault, FieldError, JsonSyntaxError, LimitError */
  async #readSidecar(row: CatalogueRow, bodyBytes: number): Promise<{ metadata: ObjectMetadata; etag?: string }> {
    if (row.size > MAX_SIDECAR_BYTES)
      throw new LimitError(`the sidecar has ${row.size} bytes, more than ${MAX_SIDECAR_BYTES}`);
    const content = this.#catalogue.content(row);
    const root = asObject(parseJson(content.bytes ?? (await content.buffer())), "the sidecar");
    assertFormatVersion(root);
    const size = optionalNumber(root, "size_bytes");
    if (size === undefined) throw new FieldError('"size_bytes" is missing');
    if (size !== bodyBytes)
      throw new RecordFault("size-mismatch", `"size_bytes" is ${size}, the body has ${bodyBytes}`);
    const etag = optionalString(root, "etag")?.replace(/^"(.*)"$/s, "$1");
    return present({ metadata: readMetadata(root), etag: etag === "" ? undefined : etag });
  }
}

function readMetadata(root: JsonObject): ObjectMetadata {
  const user = root.get("user_metadata") ?? undefined;
  return present({
    contentType: optionalString(root, "content_type"),
    contentEncoding: optionalString(root, "content_encoding"),
    cacheControl: optionalString(root, "cache_control"),
    contentDisposition: optionalString(root, "content_disposition"),
    user: user === undefined ? [] : readUserMetadata(asObject(user, '"user_metadata"')),
  });
}

function readUserMetadata(object: JsonObject): (readonly [string, string])[] {
  return [...object].map(([name, value]) => [name, asString(value, `user metadata "${name}"`)]);
}
