/** Threads that open, read and hash files: what `hash-worker.js` does, for whoever asks. */
import { availableParallelism } from "node:os";
import { type TransferListItem, Worker } from "node:worker_threads";
import { RestoreError } from "../errors/restore-error.js";

/** Each costs ten megabytes, however many the machine could run. */
const MOST_THREADS = 4;
/** The thread has next to nothing in its heap; without a limit garbage would grow to tens of megabytes in each. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };
/** One that a thread works on, and one to go on with. */
const JOBS_A_THREAD = 2;

interface Thread {
  readonly worker: Worker;
  /** Jobs that it has and has not answered. */
  load: number;
}

interface Pending {
  readonly load: number;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export function closedDump(): RestoreError {
  return new RestoreError("INTERNAL", "a file was asked for after its dump was closed");
}

export class FileThreads {
  readonly #threads: Thread[];
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  /** What is under way never gets an answer. */
  #failure: Error | undefined;

  constructor() {
    const threads = Math.min(MOST_THREADS, Math.max(2, availableParallelism()));
    this.#threads = Array.from({ length: threads }, () => this.#start());
  }

  /** Every thread has as much to do as keeps it busy. */
  get isBusy(): boolean {
    return this.#threads.every(({ load }) => load >= JOBS_A_THREAD);
  }

  /** Another thread, if there are few: those that are there wait for the disk rather than work. */
  addOne(): void {
    if (this.#failure === undefined && this.#threads.length < MOST_THREADS) this.#threads.push(this.#start());
  }

  /** As `ask`, for a job that takes long: none is to wait behind it. */
  askAlone<T>(job: object): Promise<T> {
    return this.#ask(job, [], JOBS_A_THREAD);
  }

  /** Gives a job to the thread with least to do; it answers with what `hash-worker.js` says. Rejects once stopped. */
  ask<T>(job: object, transfer: readonly TransferListItem[] = []): Promise<T> {
    return this.#ask(job, transfer, 1);
  }

  #ask<T>(job: object, transfer: readonly TransferListItem[], load: number): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const thread = this.#threads.reduce((best, other) => (other.load < best.load ? other : best));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { load, resolve: resolve as (answer: unknown) => void, reject });
      // A thread keeps the process alive while somebody waits for it.
      if (thread.load === 0) thread.worker.ref();
      thread.load += load;
      thread.worker.postMessage({ ...job, id }, transfer);
    });
  }

  /** Rejects all that is under way, and what is asked from now on. */
  stop(error: Error): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
  }

  /** Repeatable. */
  async close(): Promise<void> {
    this.stop(closedDump());
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #start(): Thread {
    const worker = new Worker(new URL("./hash-worker.js", import.meta.url), { resourceLimits: THREAD_LIMITS });
    const thread: Thread = { worker, load: 0 };
    worker.unref();
    worker.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      thread.load -= pending?.load ?? 0;
      if (thread.load === 0) worker.unref();
      pending?.resolve(answer);
    });
    worker.on("error", (cause) => {
      this.stop(new RestoreError("LOCAL_IO", `a hashing thread stopped: ${String(cause)}`, { retry: "fatal", cause }));
    });
    return thread;
  }
}
