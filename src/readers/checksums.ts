/** CHECKSUMS: `sha256sum` output over every file of the dump, in the order of its paths. */
import type { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { type ChecksumRow, invalidChecksums } from "./checksum-row.js";
import { sortRows } from "./checksum-sort.js";
import { blocksOfRows, type ListingBlock, listingBlocks, pathOf, rowsOf } from "./listing-blocks.js";
import { asText } from "./path-tally.js";

/** Rows do not stand in bytewise order of their paths. */
export class NotInOrder extends Error {}

/**
 * The blocks, as long as their rows stand in bytewise order of their paths, as shipped dumps have them: then none stands
 * twice.
 * @throws NotInOrder at the first row that does not; RestoreError CHECKSUMS_INVALID, and as the blocks do
 */
export async function* blocksInOrder(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<ListingBlock> {
  let last = "";
  for await (const block of blocks) {
    for (let row = 0; row < block.ends.length; row++) {
      const path = pathOf(block, row);
      if (path === last) throw listedTwice(block.line + row, asText(path));
      if (path < last) throw new NotInOrder();
      last = path;
    }
    yield block;
  }
  if (last === "") throw invalidChecksums(1, "it has no rows");
}

/** The same for rows in any order: sorted in runs on disk, in `workDirectory`. @throws as `blocksInOrder` */
export function sortedBlocks(blocks: AsyncIterable<ListingBlock>, workDirectory: string): AsyncGenerator<ListingBlock> {
  return blocksOfRows(sorted(blocks, workDirectory));
}

/**
 * The dump's rows in bytewise order of their paths, streamed where they stand so.
 * @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID, DUMP_UNREADABLE
 */
export async function* sortedChecksums(root: string, workDirectory: string): AsyncGenerator<ChecksumRow> {
  if (await standInOrder(root)) yield* rowsOfAll(listingBlocks(root));
  else yield* sorted(listingBlocks(root), workDirectory);
}

async function standInOrder(root: string): Promise<boolean> {
  try {
    for await (const _ of blocksInOrder(listingBlocks(root)));
    return true;
  } catch (error) {
    if (error instanceof NotInOrder) return false;
    throw error;
  }
}

async function* sorted(blocks: AsyncIterable<ListingBlock>, workDirectory: string): AsyncGenerator<ChecksumRow> {
  let last: ChecksumRow | undefined;
  for await (const row of sortRows(rowsOfAll(blocks), workDirectory)) {
    if (last?.path === row.path) throw listedTwice(row.line, row.path);
    yield row;
    last = row;
  }
}

async function* rowsOfAll(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<ChecksumRow> {
  for await (const block of blocks) yield* rowsOf(block);
}

function listedTwice(line: number, path: string): RestoreError {
  return invalidChecksums(line, `"${escapeForDisplay(path)}" is listed twice`);
}
