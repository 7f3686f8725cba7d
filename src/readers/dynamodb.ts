/** A table's items: a file each, or JSONL, or both. In catalogue order, lines in file order. */
import type { Position } from "../model/position.js";
import type { DumpRecord } from "../model/record.js";
import type { TableScope } from "../model/scope.js";
import { FingerprintSet } from "../support/fingerprints.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { readItem } from "./dynamodb-item.js";
import { faultyRecord, RecordFault, type RecordFrame } from "./faults.js";
import { LimitError } from "./json-stream.js";
import { type Line, lines, MAX_LINE_BYTES } from "./lines.js";
import type { ScopeReader } from "./scope-reader.js";

export class TableReader implements ScopeReader<"dynamodb"> {
  readonly warnings: readonly string[] = [];
  readonly #catalogue: Catalogue;
  readonly #scope: TableScope;

  constructor(catalogue: Catalogue, scope: TableScope) {
    this.#catalogue = catalogue;
    this.#scope = scope;
  }

  async *records(from?: Position): AsyncGenerator<DumpRecord<"dynamodb">> {
    const items = `${this.#scope.path}/items/`;
    const seen = new FingerprintSet();
    if (from?.offset !== undefined) {
      const row = this.#catalogue.find(from.path);
      if (row !== undefined) yield* this.#jsonl(row, seen, { offset: from.offset, line: from.line ?? 0 });
    }
    for (const row of this.#catalogue.rows(items, from?.path)) {
      if (isJsonl(row.path, items)) yield* this.#jsonl(row, seen);
      else yield await this.#file(row, seen);
    }
  }

  async #file(row: CatalogueRow, seen: FingerprintSet): Promise<DumpRecord<"dynamodb">> {
    const place = { path: row.path };
    const frame = { place, after: { path: row.path }, displayKey: row.path, bytes: row.size };
    try {
      if (row.size > MAX_LINE_BYTES) throw new LimitError(`the item has ${row.size} bytes`);
      return this.#item(await this.#catalogue.content(row).buffer(), frame, seen);
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  async *#jsonl(
    row: CatalogueRow,
    seen: FingerprintSet,
    from?: { offset: number; line: number },
  ): AsyncGenerator<DumpRecord<"dynamodb">> {
    const blocks = this.#catalogue.content(row).blocks({ start: from?.offset ?? 0, end: row.size });
    for await (const line of lines(blocks, from)) yield this.#line(row, line, seen);
  }

  #line(row: CatalogueRow, line: Line, seen: FingerprintSet): DumpRecord<"dynamodb"> {
    const frame: RecordFrame = {
      place: { path: row.path, line: line.line },
      after: { path: row.path, offset: line.end, line: line.line },
      displayKey: `${row.path}:${line.line}`,
      bytes: line.end - line.start,
    };
    try {
      if (line.bytes === undefined) throw new LimitError(`the line is longer than ${MAX_LINE_BYTES} bytes`);
      return this.#item(line.bytes, frame, seen);
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  #item(bytes: Buffer, frame: RecordFrame, seen: FingerprintSet): DumpRecord<"dynamodb"> {
    const text = trimSpace(bytes);
    const { keyText, canonicalKey, displayKey } = readItem(text, this.#scope.schema);
    if (!seen.add(canonicalKey)) {
      return faultyRecord(
        { ...frame, displayKey },
        new RecordFault("duplicate-record", "an item before it has the same key"),
      );
    }
    return { kind: "item", ...frame, displayKey, text, keyText };
  }
}

function isJsonl(path: string, items: string): boolean {
  return path.endsWith(".jsonl") && !path.slice(items.length).includes("/");
}

function trimSpace(bytes: Buffer): Buffer {
  let [start, end] = [0, bytes.length];
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
