/** Sorts any number of CHECKSUMS rows by path, on disk where they are many. */
import { compareUtf8 } from "../support/byte-order.js";
import type { ChecksumRow } from "./checksum-row.js";
import { Sorter } from "./sorter.js";

/** About 10 MB. */
const ROWS_A_RUN = 32_768;

/**
 * Rows with one path follow one another in the order of their lines. Removes its files when the iteration ends.
 * @throws RestoreError LOCAL_IO
 */
export async function* sortRows(
  rows: AsyncIterable<ChecksumRow>,
  workDirectory: string,
  rowsARun: number = ROWS_A_RUN,
): AsyncGenerator<ChecksumRow> {
  const sorter = new Sorter<ChecksumRow>({ directory: workDirectory, itemsARun: rowsARun, compare: inOrder });
  try {
    for await (const row of rows) sorter.add(row);
    yield* sorter.sorted();
  } finally {
    sorter.close();
  }
}

function inOrder(a: ChecksumRow, b: ChecksumRow): number {
  return compareUtf8(a.path, b.path) || a.line - b.line;
}
