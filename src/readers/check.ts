/** Compares a dump's tree, its CHECKSUMS and its files. Passes only when all three say the same. */
import { interrupted } from "../errors/interruption.js";
import { type Catalogue, CatalogueWriter } from "./catalogue.js";
import { Problems } from "./check-problems.js";
import { CHECKSUMS_FILE, invalidChecksums } from "./checksum-row.js";
import { blocksInOrder, NotInOrder, sortedBlocks } from "./checksums.js";
import type { CheckSink } from "./dump.js";
import { FileThreads } from "./file-threads.js";
import { type HashedBatch, HashPool, type TreeJob } from "./hash-pool.js";
import { LinkCheck } from "./link-check.js";
import { type ListingBlock, listingBlocks, pathOf } from "./listing-blocks.js";
import { asText, type PathSum, PathTally } from "./path-tally.js";
import { identityAt, PATH_AT } from "./row-batch.js";
import { matchTree } from "./tree-match.js";
import { tallyFiles } from "./tree-walk.js";

/** Bytes of small files that need not be read a second time. */
const KEPT_CONTENTS = 16 * 1024 * 1024;

export interface CheckOptions {
  readonly root: string;
  readonly workDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: CheckSink;
}

/**
 * @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID at once; CHECKSUM_MISMATCH, FILE_MISSING,
 *   DUMP_UNREADABLE and FILE_UNLISTED after everything was looked at, with the first 20 problems
 */
export async function checkDump(options: CheckOptions): Promise<Catalogue> {
  const { root, workDirectory } = options;
  const threads = new FileThreads();
  const end = new AbortController();
  const tree = tallied(options, threads, end.signal);
  tree.catch(() => undefined);
  let catalogue: Catalogue | undefined;
  const check = async (rows: AsyncIterable<ListingBlock>) => await checkRows(rows, { options, threads, tree });
  try {
    const listing = () => withoutItself(listingBlocks(root));
    catalogue = await check(blocksInOrder(listing())).catch(async (error: unknown) => {
      if (!(error instanceof NotInOrder)) throw error;
      return await check(sortedBlocks(listing(), workDirectory));
    });
    return catalogue;
  } finally {
    end.abort();
    if (catalogue === undefined) await threads.close();
    await tree.catch(() => undefined);
  }
}

interface Checking {
  readonly options: CheckOptions;
  /** The catalogue takes them over. */
  readonly threads: FileThreads;
  readonly tree: Promise<PathTally>;
}

async function checkRows(rows: AsyncIterable<ListingBlock>, { options, threads, tree }: Checking): Promise<Catalogue> {
  const { root, workDirectory, signal } = options;
  const writer = new CatalogueWriter(root, workDirectory);
  const pool = new HashPool({ root, threads, signal, keptBytes: KEPT_CONTENTS });
  const look = new Look(options, writer);
  tree.catch((error: unknown) => pool.stop(error as Error));
  try {
    for await (const batch of pool.hashAll(rows)) {
      const told = look.add(batch);
      if (told !== undefined) await told;
    }
    const tally = await tree;
    if (signal?.aborted === true) throw interrupted();
    await look.finish(tally);
    return writer.finish(threads);
  } finally {
    writer.discard();
    look.close();
  }
}

const OWN_ROW_CHARS = PATH_AT + CHECKSUMS_FILE.length + 1;

/** No row of CHECKSUMS can hold the digest of CHECKSUMS. */
async function* withoutItself(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<ListingBlock> {
  for await (const block of blocks) {
    let start = 0;
    for (const [row, end] of block.ends.entries()) {
      if (end - start === OWN_ROW_CHARS && pathOf(block, row) === CHECKSUMS_FILE) {
        throw invalidChecksums(block.line + row, "it lists CHECKSUMS itself, whose digest no row of it can hold");
      }
      start = end;
    }
    yield block;
  }
}

/** A thread looks at the tree while CHECKSUMS is looked at; what is unusual about a tree is found out here. */
async function tallied(
  { root, workDirectory, signal }: CheckOptions,
  threads: FileThreads,
  end: AbortSignal,
): Promise<PathTally> {
  const job: TreeJob = { root, own: CHECKSUMS_FILE };
  const stop = () => threads.stop(interrupted());
  signal?.addEventListener("abort", stop);
  const sum = await threads
    .askAlone<PathSum | undefined>(job)
    .finally(() => signal?.removeEventListener("abort", stop));
  if (sum === undefined) {
    return await tallyFiles(root, workDirectory, signal === undefined ? end : AbortSignal.any([end, signal]));
  }
  const tally = new PathTally();
  tally.join(sum);
  return tally;
}

/** What was seen of the files that CHECKSUMS lists. */
class Look {
  readonly #options: CheckOptions;
  readonly #writer: CatalogueWriter;
  readonly #links: LinkCheck;
  readonly #problems = new Problems();
  readonly #listed = new PathTally();
  /** Files that are not there. */
  #absent = 0;
  #files = 0;
  #bytes = 0;

  constructor(options: CheckOptions, writer: CatalogueWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#links = new LinkCheck(options.workDirectory);
  }

  /** A promise where going on has to wait. */
  add(batch: HashedBatch): Promise<void> | undefined {
    const { block, answer } = batch;
    this.#listed.join(answer.listed);
    if (answer.exceptions.length > 0 || answer.linked.length > 0) this.#judge(batch);
    this.#writer.add(batch);
    this.#files += block.ends.length;
    this.#bytes += answer.bytes;
    return this.#options.onProgress?.({ files: this.#files, bytes: this.#bytes });
  }

  /**
   * Of the tree nothing was kept but its tally: who is missing or unlisted is only asked when there is one.
   * @throws RestoreError for all problems
   */
  async finish(tree: PathTally): Promise<void> {
    const { root, workDirectory } = this.#options;
    if (this.#absent > 0 || !tree.equals(this.#listed)) {
      const { problems, missing } = await matchTree(root, workDirectory);
      this.#problems.join(problems, Math.min(missing, this.#absent));
    }
    this.#problems.assertNone(root);
  }

  close(): void {
    this.#links.close();
  }

  #judge({ block, answer }: HashedBatch): void {
    const exceptions = new Map(answer.exceptions.map((exception) => [exception.row, exception]));
    const linked = new Set(answer.linked);
    for (const row of [...new Set([...exceptions.keys(), ...linked])].sort((a, b) => a - b)) {
      const path = asText(pathOf(block, row));
      const exception = exceptions.get(row);
      if (exception !== undefined && "error" in exception) {
        if (exception.isAbsent) this.#absent++;
        this.#problems.add("DUMP_UNREADABLE", path, `cannot be read: ${exception.error}`);
      } else if (linked.has(row) && this.#links.isAnother(identityAt(answer.columns, row))) {
        this.#problems.add("TREE_INVALID", path, "is a hard link to another file");
      } else if (exception !== undefined) {
        this.#problems.add("CHECKSUM_MISMATCH", path, "has another digest");
      }
    }
  }
}
