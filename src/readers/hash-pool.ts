/** Compares rows with their files in threads. Rows go in and come out in order, a bounded number of batches is under way. */
import { interrupted } from "../errors/interruption.js";
import type { FileThreads } from "./file-threads.js";
import { type ListingBlock, partOf } from "./listing-blocks.js";
import type { PathSum } from "./path-tally.js";
import { KEPT_BYTES } from "./row-batch.js";

/** A row whose file is not as the row says: its digest, or why there is none. */
export type RowException =
  | { readonly row: number; readonly sha256: string }
  /** Absent: nothing stands there. */
  | { readonly row: number; readonly error: string; readonly isAbsent: boolean };

export interface HashJob {
  readonly root: string;
  /** As `row-batch.js` has them, like the answer's columns. */
  readonly rows: Uint8Array;
  readonly count: number;
  /** Contents are wanted, if they are small. */
  readonly isKept: boolean;
}

/** A tree whose files are to be tallied. */
export interface TreeJob {
  readonly root: string;
  /** The path of a file that does not count. */
  readonly own: string;
}

/** What a thread found of a batch's files; rows are counted from the batch's first. */
export interface HashAnswer {
  /** Of rows that have an error they mean nothing. */
  readonly columns: Uint32Array;
  /** In all files. */
  readonly bytes: number;
  /** How long it took. */
  readonly ms: number;
  /** In ascending order, like the other two. */
  readonly exceptions: readonly RowException[];
  /** Rows whose file has another name, somewhere. */
  readonly linked: readonly number[];
  /** Of files of several blocks: see `row-batch.js`. */
  readonly tagged: readonly { readonly row: number; readonly tags: string }[];
  /** Of the rows' paths, without those that may be unlisted. */
  readonly listed: PathSum;
  /** Of all files, one behind the other; absent when they are not small, or not wanted. */
  readonly contents?: Uint8Array | undefined;
}

/** A batch's rows, and what was found of them. */
export interface HashedBatch {
  readonly block: ListingBlock;
  readonly answer: HashAnswer;
}

/** A batch costs a message to a thread and back, so small files go together; large ones go alone, for all threads to work. */
const BATCH_FILES = 512;
const BATCH_BYTES = 16 * 1024 * 1024;
/** What a small file takes, and more, when a slow disk is waited for: more threads wait better. A few files tell nothing. */
const MS_FROM_DISK = 1;
const TELLING_FILES = 128;
const SMALL_BYTES = 64 * 1024;
/** Under way, or waiting for one before them: a thread can be busy with one large file for minutes. */
const MOST_AHEAD = 32;

interface Slot {
  readonly block: ListingBlock;
  answer?: HashAnswer;
}

export interface HashPoolInit {
  /** What paths of rows are relative to. */
  readonly root: string;
  readonly threads: FileThreads;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of contents that may be handed on; default: none. */
  readonly keptBytes?: number;
}

export class HashPool {
  readonly #root: string;
  readonly #threads: FileThreads;
  readonly #signal: AbortSignal | undefined;
  /** How many files the next batch takes, if they are as large as those that were just hashed. */
  #batchFiles = 1;
  /** Of contents that may still come. */
  #room: number;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor({ root, threads, signal, keptBytes = 0 }: HashPoolInit) {
    this.#room = keptBytes;
    this.#root = root;
    this.#threads = threads;
    this.#signal = signal;
  }

  /**
   * Compares every row's file with it, in order; once.
   * @throws RestoreError INTERRUPTED as soon as the signal aborts, however large the file at hand is; LOCAL_IO
   */
  async *hashAll(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<HashedBatch> {
    const interrupt = () => this.stop(interrupted());
    this.#signal?.addEventListener("abort", interrupt);
    try {
      if (this.#signal?.aborted === true) interrupt();
      yield* this.#hashAll(blocks);
    } finally {
      this.#signal?.removeEventListener("abort", interrupt);
    }
  }

  /** Ends `hashAll` with this error, whatever is under way. */
  stop(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async *#hashAll(blocks: AsyncIterable<ListingBlock>): AsyncGenerator<HashedBatch> {
    const ahead: Slot[] = [];
    for await (const block of blocks) {
      for (let from = 0; from < block.ends.length; ) {
        yield* settled(ahead);
        if (ahead.length >= MOST_AHEAD || this.#threads.isBusy) {
          await this.#anAnswer();
          continue;
        }
        const part = partOf(block, from, this.#batchFiles);
        from += part.ends.length;
        ahead.push(this.#send(part));
      }
    }
    while (ahead.length > 0) {
      yield* settled(ahead);
      if (ahead.length > 0) await this.#anAnswer();
    }
  }

  #send(block: ListingBlock): Slot {
    const slot: Slot = { block };
    // A copy: the rows are a part of something larger, which would go along whole.
    const rows = new Uint8Array(block.rows);
    const isKept = this.#room >= KEPT_BYTES;
    if (isKept) this.#room -= KEPT_BYTES;
    const job: HashJob = { root: this.#root, rows, count: block.ends.length, isKept };
    this.#threads.ask<HashAnswer>(job, [rows.buffer]).then(
      (answer) => {
        slot.answer = answer;
        if (isKept) this.#room += KEPT_BYTES - (answer.contents?.length ?? 0);
        // Step by step: a small file says little of those behind it, and large ones have to be left to all threads.
        this.#batchFiles = Math.min(filesFor(answer, block.ends.length), 2 * this.#batchFiles);
        if (isFromDisk(answer, block.ends.length)) this.#threads.addOne();
        this.#wake();
      },
      (error: unknown) => this.stop(error as Error),
    );
    return slot;
  }

  async #anAnswer(): Promise<void> {
    if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Takes the answered ones from the front. */
function* settled(ahead: Slot[]): Generator<HashedBatch> {
  for (let [slot] = ahead; slot?.answer !== undefined; [slot] = ahead) {
    ahead.shift();
    yield { block: slot.block, answer: slot.answer };
  }
}

function filesFor({ bytes }: HashAnswer, files: number): number {
  return Math.min(BATCH_FILES, Math.max(1, Math.floor((BATCH_BYTES * files) / (bytes + 1))));
}

function isFromDisk({ bytes, ms }: HashAnswer, files: number): boolean {
  return files >= TELLING_FILES && bytes < SMALL_BYTES * files && ms > MS_FROM_DISK * files;
}
