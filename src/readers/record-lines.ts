/** The lines of a file that holds a record a line, each with its frame. */
import { escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { isChangedAfterCheck, type RecordFrame } from "./faults.js";
import { LimitError } from "./json-stream.js";
import { lines, tooLong } from "./lines.js";

export interface RecordLine {
  readonly frame: RecordFrame;
  /** @throws LimitError; RestoreError CHANGED_AFTER_CHECK */
  text(): Buffer;
}

/**
 * Lines behind `from`. A file that changed after the check ends with one line whose text throws so, in the place of all
 * that could not be read.
 */
export async function* recordLines(
  catalogue: Catalogue,
  row: CatalogueRow,
  from?: Position,
): AsyncGenerator<RecordLine> {
  let last = { end: from?.offset ?? 0, line: from?.line ?? 0 };
  const blocks = catalogue.content(row).blocks({ start: last.end, end: row.size });
  try {
    for await (const { bytes, line, start, end } of lines(blocks, { offset: last.end, line: last.line })) {
      last = { end, line };
      yield { frame: frameOf(row.path, { line, start, end }), text: () => withinLimit(bytes) };
    }
  } catch (error) {
    if (!isChangedAfterCheck(error)) throw error;
    const frame = frameOf(row.path, { line: last.line + 1, start: last.end, end: row.size });
    yield { frame, text: () => fail(error) };
  }
}

function frameOf(
  path: string,
  at: { readonly line: number; readonly start: number; readonly end: number },
): RecordFrame {
  return {
    place: { path, line: at.line },
    after: { path, offset: at.end, line: at.line },
    displayKey: `${escapeForDisplay(path)}:${at.line}`,
    bytes: at.end - at.start,
  };
}

function withinLimit(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new LimitError(tooLong());
  return bytes;
}

function fail(error: Error): never {
  throw error;
}
