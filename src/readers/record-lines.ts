/** The lines of a file that holds a record a line, each with its place. */
import { escapeForDisplay } from "../model/display.js";
import type { Position } from "../model/position.js";
import type { FaultyRecord } from "../model/record.js";
import type { Catalogue, CatalogueRow } from "./catalogue.js";
import { faultyRecord, isChangedAfterCheck, type RecordFrame } from "./faults.js";
import { LimitError } from "./json-stream.js";
import { type Line, linesByBlock, tooLong } from "./lines.js";

/** What a record of a line has in common with every other. */
export type LineFrame = Pick<RecordFrame, "place" | "after" | "bytes">;

/** Makes a line's record. May throw what `faultyRecord` knows: the line is a faulty record then. */
export type ReadLine<R> = (frame: LineFrame, text: Buffer) => R;

/**
 * Records of the lines behind `from`, in batches. A file that changed after the check ends with one faulty record in the
 * place of all that could not be read.
 */
export async function* recordLines<R>(
  catalogue: Catalogue,
  row: CatalogueRow,
  read: ReadLine<R>,
  from?: Position,
): AsyncGenerator<readonly (R | FaultyRecord)[]> {
  const { path } = row;
  let last = { end: from?.offset ?? 0, line: from?.line ?? 0 };
  const blocks = catalogue.content(row).blocks({ start: last.end, end: row.size });
  try {
    for await (const some of linesByBlock(blocks, { offset: last.end, line: last.line })) {
      yield some.map((line) => recordOf(path, line, read));
      last = some.at(-1) ?? last;
    }
  } catch (error) {
    if (!isChangedAfterCheck(error)) throw error;
    yield [faulty(frameOf(path, { line: last.line + 1, start: last.end, end: row.size }), error)];
  }
}

function recordOf<R>(path: string, line: Line, read: ReadLine<R>): R | FaultyRecord {
  const frame = frameOf(path, line);
  try {
    if (line.bytes === undefined) throw new LimitError(tooLong());
    return read(frame, line.bytes);
  } catch (error) {
    return faulty(frame, error);
  }
}

function faulty(frame: LineFrame, error: unknown): FaultyRecord {
  const { path, line } = frame.place;
  return faultyRecord({ ...frame, displayKey: `${escapeForDisplay(path)}:${line}` }, error);
}

function frameOf(path: string, { line, start, end }: Omit<Line, "bytes">): LineFrame {
  return { place: { path, line }, after: { path, offset: end, line }, bytes: end - start };
}
