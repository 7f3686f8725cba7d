/** A pool of hashing threads. Batches go in and come out in order, with a bounded number under way. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { interrupted } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";

export interface HashedFile {
  readonly size: number;
  readonly links: number;
  /** Device and inode. */
  readonly identity: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** base64 of 16 bytes a MiB: the blocks' truncated SHA-256. Empty for files of one block. */
  readonly blocks: string;
}

export type HashAnswer = HashedFile | { readonly error: string };

interface Pending {
  resolve(files: HashAnswer[]): void;
  reject(error: Error): void;
}

/** A batch costs a message to a thread and back, so small files go together; large ones go alone, for all threads to work. */
const BATCH_FILES = 64;
const BATCH_BYTES = 16 * 1024 * 1024;
const BATCHES_AHEAD = 3;

/** More than a disk gives work to; each costs memory, however many the machine could run. */
const MOST_THREADS = 4;
/** The thread has next to nothing in its heap; without a limit garbage would grow to tens of megabytes in each. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

export class HashPool {
  readonly #workers: Worker[];
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  readonly #signal: AbortSignal | undefined;
  /** Set once a thread has died, or the signal has aborted: what is under way never gets an answer. */
  #failure: RestoreError | undefined;

  constructor(signal?: AbortSignal, threads: number = Math.min(MOST_THREADS, Math.max(2, availableParallelism()))) {
    this.#workers = Array.from({ length: threads }, () => this.#start());
    this.#signal = signal;
    if (signal?.aborted === true) this.#interrupt();
    else signal?.addEventListener("abort", this.#interrupt);
  }

  /**
   * Hashes every file of `items`, yielding each with its answer, in order. `pathOf` gives an absolute path.
   * @throws RestoreError INTERRUPTED as soon as the signal aborts, however large the file at hand is; LOCAL_IO
   */
  async *hashAll<T>(
    items: Iterable<T> | AsyncIterable<T>,
    pathOf: (item: T) => string,
  ): AsyncGenerator<[T, HashAnswer]> {
    const under: { items: T[]; answer: Promise<HashAnswer[]> }[] = [];
    let batch: T[] = [];
    let batchFiles = 1;
    const send = () => {
      if (batch.length === 0) return;
      const answer = this.#hash(batch.map(pathOf));
      // Awaited in its turn; until then a failure must not count as unhandled.
      answer.catch(() => undefined);
      under.push({ items: batch, answer });
      batch = [];
    };
    const settle = async (): Promise<[T, HashAnswer][]> => {
      const first = under.shift();
      const answers = (await first?.answer) ?? [];
      batchFiles = filesFor(answers);
      return (first?.items ?? []).map((item, i) => [item, answers[i] ?? { error: "no answer" }]);
    };
    for await (const item of items) {
      batch.push(item);
      if (batch.length < batchFiles) continue;
      send();
      if (under.length >= this.#workers.length * BATCHES_AHEAD) yield* await settle();
    }
    send();
    while (under.length > 0) yield* await settle();
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#interrupt);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #hash(paths: string[]): Promise<HashAnswer[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#workers[id % this.#workers.length]?.postMessage({ id, paths });
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./hash-worker.js", import.meta.url), { resourceLimits: THREAD_LIMITS });
    worker.on("message", ({ id, files }: { id: number; files: HashAnswer[] }) => {
      this.#pending.get(id)?.resolve(files);
      this.#pending.delete(id);
    });
    worker.on("error", (cause) => {
      this.#fail(new RestoreError("LOCAL_IO", `a hashing thread stopped: ${String(cause)}`, { retry: "fatal", cause }));
    });
    return worker;
  }

  readonly #interrupt = (): void => this.#fail(interrupted());

  #fail(error: RestoreError): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

/** How many files the next batch takes, if they are as large as those that were just hashed. */
function filesFor(answers: readonly HashAnswer[]): number {
  const bytes = answers.reduce((sum, answer) => sum + ("error" in answer ? 0 : answer.size), 0);
  return Math.min(BATCH_FILES, Math.max(1, Math.floor((BATCH_BYTES * answers.length) / (bytes + 1))));
}
