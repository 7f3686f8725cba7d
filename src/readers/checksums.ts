/** CHECKSUMS: `sha256sum` output over every file of the dump, looked at as a whole and read in the order of its paths. */
import type { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { CHECKSUMS_FILE, type ChecksumRow, invalidChecksums } from "./checksum-row.js";
import { sortRows } from "./checksum-sort.js";
import { blocksOfRows, type ListingBlock, listingBlocks, pathOf, rowsOf } from "./listing-blocks.js";
import { asText } from "./path-tally.js";

export interface ListingSurvey {
  /** Rows stand in bytewise order of their paths, as shipped dumps have them: then none stands twice. */
  readonly isSorted: boolean;
  /** Of a row that lists CHECKSUMS itself. */
  readonly ownLine?: number;
}

/** Looks at every row. @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID, DUMP_UNREADABLE */
export async function surveyListing(root: string): Promise<ListingSurvey> {
  let [isSorted, last, ownLine]: [boolean, string, number | undefined] = [true, "", undefined];
  for await (const block of listingBlocks(root)) {
    for (let row = 0; row < block.ends.length; row++) {
      const path = pathOf(block, row);
      if (path === last) throw listedTwice(block.line + row, asText(path));
      isSorted &&= path > last;
      if (path === CHECKSUMS_FILE) ownLine = block.line + row;
      last = path;
    }
  }
  if (last === "") throw invalidChecksums(1, "it has no rows");
  return { isSorted, ...(ownLine === undefined ? {} : { ownLine }) };
}

/**
 * The rows in bytewise order of their paths, streamed where they stand so; others are sorted in runs on disk, in
 * `workDirectory`.
 * @throws RestoreError as `surveyListing`
 */
export async function* sortedChecksums(root: string, workDirectory: string): AsyncGenerator<ChecksumRow> {
  const { isSorted } = await surveyListing(root);
  if (isSorted) yield* readChecksums(root);
  else yield* sorted(root, workDirectory);
}

/** The same in blocks. `survey` is what was seen before. */
export function sortedBlocks(root: string, workDirectory: string, survey: ListingSurvey): AsyncIterable<ListingBlock> {
  return survey.isSorted ? inOrder(listingBlocks(root)) : blocksOfRows(sorted(root, workDirectory));
}

async function* sorted(root: string, workDirectory: string): AsyncGenerator<ChecksumRow> {
  let last: ChecksumRow | undefined;
  for await (const row of sortRows(readChecksums(root), workDirectory)) {
    if (last?.path === row.path) throw listedTwice(row.line, row.path);
    yield row;
    last = row;
  }
}

async function* readChecksums(root: string): AsyncGenerator<ChecksumRow> {
  for await (const block of listingBlocks(root)) yield* rowsOf(block);
}

/** What is read a second time has to be what was surveyed as far as others rely on it. */
async function* inOrder(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<ListingBlock> {
  let last = "";
  for await (const block of blocks) {
    for (let row = 0; row < block.ends.length; row++) {
      const path = pathOf(block, row);
      if (path <= last) throw invalidChecksums(block.line + row, "it changed while it was read");
      last = path;
    }
    yield block;
  }
}

function listedTwice(line: number, path: string): RestoreError {
  return invalidChecksums(line, `"${escapeForDisplay(path)}" is listed twice`);
}
