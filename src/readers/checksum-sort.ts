/** Sorts any number of CHECKSUMS rows by path: in memory while they are few, else in sorted runs on disk that are merged. */
import { createReadStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compareUtf8 } from "../support/byte-order.js";
import { lines } from "./lines.js";

export interface ChecksumRow {
  /** Relative to the dump's root, with `/`. */
  readonly path: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly line: number;
}

/** About 50 MB. */
const ROWS_A_RUN = 200_000;
const PIECE_LENGTH = 256 * 1024;

/** Rows with one path follow one another in the order of their lines. Removes its files when the iteration ends. */
export async function* sortRows(
  rows: AsyncIterable<ChecksumRow>,
  workDirectory: string,
  rowsARun: number = ROWS_A_RUN,
): AsyncGenerator<ChecksumRow> {
  const runs: string[] = [];
  try {
    let run: ChecksumRow[] = [];
    for await (const row of rows) {
      run.push(row);
      if (run.length < rowsARun) continue;
      const path = join(workDirectory, `checksums-${runs.length}.jsonl`);
      runs.push(path);
      await writeRun(path, run.sort(inOrder));
      run = [];
    }
    yield* merge([...runs.map(readRun), toAsync(run.sort(inOrder))]);
  } finally {
    for (const path of runs) await rm(path, { force: true });
  }
}

function inOrder(a: ChecksumRow, b: ChecksumRow): number {
  return compareUtf8(a.path, b.path) || a.line - b.line;
}

async function writeRun(path: string, run: readonly ChecksumRow[]): Promise<void> {
  function* text() {
    // Each piece is a write of its own.
    let piece = "";
    for (const { path: name, sha256, line } of run) {
      piece += `${JSON.stringify([name, sha256, line])}\n`;
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = "";
    }
    yield piece;
  }
  await writeFile(path, text(), { mode: 0o600 });
}

async function* readRun(path: string): AsyncGenerator<ChecksumRow> {
  for await (const { bytes } of lines(createReadStream(path))) {
    const [name, sha256, line] = JSON.parse(bytes?.toString("utf8") ?? "") as [string, string, number];
    yield { path: name, sha256, line };
  }
}

async function* toAsync<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* merge(sources: readonly AsyncGenerator<ChecksumRow>[]): AsyncGenerator<ChecksumRow> {
  const heads: { row: ChecksumRow; rest: AsyncGenerator<ChecksumRow> }[] = [];
  try {
    for (const rest of sources) {
      const { value: row } = await rest.next();
      if (row !== undefined) heads.push({ row, rest });
    }
    while (heads.length > 0) {
      const least = heads.reduce((a, b) => (inOrder(a.row, b.row) <= 0 ? a : b));
      yield least.row;
      const { value: row } = await least.rest.next();
      if (row === undefined) heads.splice(heads.indexOf(least), 1);
      else least.row = row;
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}
