/**
 * Sorts any number of things: in memory while they are few, else in sorted runs on disk that are merged. Things are
 * what JSON can carry.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { partitionPoint } from "../support/partition-point.js";
import { WorkFile } from "../support/work-file.js";

export interface SorterInit<T> {
  /** Takes the runs. */
  readonly directory: string;
  /** How many things are held in memory. */
  readonly itemsARun: number;
  readonly compare: (a: T, b: T) => number;
}

/** Runs that are merged at once: each is an open file and a block of it in memory. */
const MOST_RUNS = 32;
const BLOCK = 64 * 1024;
const LINE_FEED = 10;

export class Sorter<T> {
  readonly #directory: string;
  readonly #itemsARun: number;
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  /** Runs of one level are of about one size; when a level is full, they become one run of the next. */
  readonly #levels: WorkFile[][] = [];

  constructor({ directory, itemsARun, compare }: SorterInit<T>) {
    this.#directory = directory;
    this.#itemsARun = itemsARun;
    this.#compare = compare;
  }

  /** @throws RestoreError LOCAL_IO */
  add(item: T): void {
    if (this.#items.length >= this.#itemsARun) this.#spill();
    this.#items.push(item);
  }

  /** All that was added, in order; once. Removes the files when the iteration ends. @throws RestoreError LOCAL_IO */
  *sorted(): Generator<T> {
    try {
      // With runs on disk nothing need stay in memory while they are merged.
      if (this.#levels.length > 0) this.#spill();
      if (this.#levels.length > 0) yield* this.#merge(this.#levels.flat());
      else yield* this.#items.sort(this.#compare);
    } finally {
      this.close();
    }
  }

  /** Gives up. Repeatable. */
  close(): void {
    this.#items = [];
    for (const run of this.#levels.flat()) run.remove();
    this.#levels.length = 0;
  }

  #spill(): void {
    this.#keep(this.#write(this.#items.sort(this.#compare)), 0);
    this.#items = [];
  }

  #keep(run: WorkFile, level: number): void {
    const runs = [...(this.#levels[level] ?? []), run];
    this.#levels[level] = runs;
    if (runs.length < MOST_RUNS) return;
    this.#levels[level] = [];
    this.#keep(this.#write(this.#merge(runs)), level + 1);
    for (const merged of runs) merged.remove();
  }

  #write(items: Iterable<T>): WorkFile {
    const file = new WorkFile(join(this.#directory, `run-${randomBytes(8).toString("hex")}.jsonl`));
    let [text, position] = ["", 0];
    const flush = () => {
      const bytes = Buffer.from(text);
      file.write(bytes, position);
      [text, position] = ["", position + bytes.length];
    };
    for (const item of items) {
      text += `${JSON.stringify(item)}\n`;
      if (text.length >= BLOCK) flush();
    }
    flush();
    return file;
  }

  *#merge(runs: readonly WorkFile[]): Generator<T> {
    const heads: Head<T>[] = [];
    for (const run of runs) this.#insert(heads, readRun<T>(run));
    for (let [least] = heads; least !== undefined; [least] = heads) {
      yield least.item;
      heads.shift();
      this.#insert(heads, least.rest);
    }
  }

  /** Puts a run's next item in its place among the others', which are in order. */
  #insert(heads: Head<T>[], rest: Generator<T>): void {
    const next = rest.next();
    if (next.done === true) return;
    const place = partitionPoint(heads, ({ item }) => this.#compare(item, next.value) <= 0);
    heads.splice(place, 0, { item: next.value, rest });
  }
}

interface Head<T> {
  readonly item: T;
  readonly rest: Generator<T>;
}

function* readRun<T>(file: WorkFile): Generator<T> {
  let left = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const block = Buffer.allocUnsafe(BLOCK);
    const length = file.readUpTo(block, position);
    if (length === 0) return;
    position += length;
    const bytes = Buffer.concat([left, block.subarray(0, length)]);
    let at = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, at)) {
      yield JSON.parse(bytes.toString("utf8", at, end)) as T;
      at = end + 1;
    }
    left = bytes.subarray(at);
  }
}
