/** A table's items: a file each, or JSONL, or both. In catalogue order, lines in file order. */
import { escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { DumpRecord } from "../model/record.js";
import type { TableScope } from "../model/scope.js";
import { compareUtf8 } from "../support/byte-order.js";
import { SpillingSet } from "../support/spilling-set.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { readItem } from "./dynamodb-item.js";
import { faultyRecord, RecordFault, type RecordFrame } from "./faults.js";
import { LimitError } from "./json-stream.js";
import { MAX_LINE_BYTES } from "./lines.js";
import { recordLines } from "./record-lines.js";
import type { ScopeReader } from "./scope-reader.js";

export interface TableReaderInit {
  readonly catalogue: Catalogue;
  readonly scope: TableScope;
  readonly workDirectory: string;
}

export class TableReader implements ScopeReader<"dynamodb"> {
  readonly warnings: readonly string[] = [];
  readonly #catalogue: Catalogue;
  readonly #scope: TableScope;
  readonly #workDirectory: string;

  constructor({ catalogue, scope, workDirectory }: TableReaderInit) {
    this.#catalogue = catalogue;
    this.#scope = scope;
    this.#workDirectory = workDirectory;
  }

  /**
   * Items before `from` are read too, because a second item with the key of one of them is to be refused. The first
   * item of a key wins, wherever the reading begins.
   */
  async *records(from?: Position): AsyncGenerator<DumpRecord<"dynamodb">> {
    const seen = new SpillingSet(this.#workDirectory);
    try {
      const items = `${this.#scope.path}/items/`;
      for (const row of this.#catalogue.rows(items)) {
        for await (const record of this.#recordsOf(row, items, seen)) {
          if (from === undefined || isBehind(record.after, from)) yield record;
        }
      }
    } finally {
      seen.close();
    }
  }

  async *#recordsOf(row: CatalogueRow, items: string, seen: SpillingSet): AsyncGenerator<DumpRecord<"dynamodb">> {
    if (!isJsonl(row.path, items)) {
      yield await this.#file(row, seen);
      return;
    }
    for await (const { frame, text } of recordLines(this.#catalogue, row)) {
      yield this.#item(frame, text, seen);
    }
  }

  async #file(row: CatalogueRow, seen: SpillingSet): Promise<DumpRecord<"dynamodb">> {
    const frame: RecordFrame = {
      place: { path: row.path },
      after: { path: row.path },
      displayKey: escapeForDisplay(row.path),
      bytes: row.size,
    };
    try {
      if (row.size > MAX_LINE_BYTES)
        throw new LimitError(`the item has ${row.size} bytes, more than ${MAX_LINE_BYTES}`);
      const text = await this.#catalogue.content(row).buffer();
      return this.#item(frame, () => text, seen);
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }

  #item(frame: RecordFrame, read: () => Buffer, seen: SpillingSet): DumpRecord<"dynamodb"> {
    try {
      const text = trimSpace(read());
      const { keyText, canonicalKey, displayKey } = readItem(text, this.#scope.schema);
      if (seen.add(canonicalKey)) return { kind: "item", ...frame, displayKey, text, keyText };
      const fault = new RecordFault("duplicate-record", "an item before it has the same key");
      return faultyRecord({ ...frame, displayKey }, fault);
    } catch (error) {
      return faultyRecord(frame, error);
    }
  }
}

function isBehind(position: Position, from: Position): boolean {
  const order = compareUtf8(position.path, from.path);
  return order === 0 ? (position.offset ?? 0) > (from.offset ?? 0) : order > 0;
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
