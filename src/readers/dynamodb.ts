/** A table's items: a file each, or JSONL, or both. In catalogue order, lines in file order. */
import { escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { Content, DumpRecord, FaultyRecord } from "../model/record.js";
import type { TableScope } from "../model/scope.js";
import { compareUtf8 } from "../support/byte-order.js";
import { isSpace } from "../support/json-text.js";
import { SpillingSet } from "../support/spilling-set.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { ItemReader } from "./dynamodb-item.js";
import { faultyRecord, RecordFault } from "./faults.js";
import { LimitError } from "./json-stream.js";
import { MAX_LINE_BYTES } from "./lines.js";
import { type ReadLine, recordLines } from "./record-lines.js";
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
  async *batches(from?: Position): AsyncGenerator<readonly DumpRecord<"dynamodb">[]> {
    const seen = new SpillingSet(this.#workDirectory);
    const items = `${this.#scope.path}/items/`;
    const read = this.#reading(seen);
    try {
      for await (const rows of this.#catalogue.readAhead(items)) {
        let records: DumpRecord<"dynamodb">[] = [];
        for (const row of rows) {
          if (isJsonl(row.path, items)) {
            yield allBehind(records, from);
            records = [];
            for await (const some of recordLines(this.#catalogue, row, read)) yield allBehind(some, from);
          } else {
            const content = this.#catalogue.content(row);
            const { bytes } = content;
            records.push(bytes === undefined ? await unread(row, content, read) : fileRecord(row, bytes, read));
          }
        }
        yield allBehind(records, from);
      }
    } finally {
      seen.close();
    }
  }

  #reading(seen: SpillingSet): ReadItem {
    const reader = new ItemReader(this.#scope.schema);
    return (frame, line) => {
      const text = trimSpace(line);
      const { keyText, canonicalKey, displayKey } = reader.read(text);
      const { place, after, bytes } = frame;
      if (seen.add(canonicalKey)) return { kind: "item", place, after, displayKey, bytes, text, keyText };
      const fault = new RecordFault("duplicate-record", "an item before it has the same key");
      return faultyRecord({ ...frame, displayKey }, fault);
    };
  }
}

type ReadItem = ReadLine<DumpRecord<"dynamodb">>;

/** Of a file that was not read ahead: a large one, or one that changed. */
async function unread(row: CatalogueRow, content: Content, read: ReadItem): Promise<DumpRecord<"dynamodb">> {
  try {
    if (row.size > MAX_LINE_BYTES) throw new LimitError(`the item has ${row.size} bytes, more than ${MAX_LINE_BYTES}`);
    return fileRecord(row, await content.buffer(), read);
  } catch (error) {
    return faultyFile(row, error);
  }
}

function fileRecord(row: CatalogueRow, bytes: Buffer, read: ReadItem): DumpRecord<"dynamodb"> {
  const place = { path: row.path };
  try {
    return read({ place, after: place, bytes: row.size }, bytes);
  } catch (error) {
    return faultyFile(row, error);
  }
}

function faultyFile({ path, size }: CatalogueRow, error: unknown): FaultyRecord {
  return faultyRecord({ place: { path }, after: { path }, displayKey: escapeForDisplay(path), bytes: size }, error);
}

/** Those that stand behind the position. */
function allBehind<R extends DumpRecord>(records: readonly R[], from: Position | undefined): readonly R[] {
  return from === undefined ? records : records.filter(({ after }) => isBehind(after, from));
}

function isBehind(after: Position, from: Position): boolean {
  const order = compareUtf8(after.path, from.path);
  return order === 0 ? (after.offset ?? 0) > (from.offset ?? 0) : order > 0;
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
