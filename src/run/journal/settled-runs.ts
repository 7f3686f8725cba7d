/**
 * Records that are settled beyond a scope's position, as runs of numbers: few, however many records end while one before
 * them takes long.
 */
import type { Position } from "../../model/position.js";
import { partitionPoint } from "../../support/partition-point.js";
import type { Range } from "./ranges.js";

interface Run {
  readonly first: number;
  readonly last: number;
  /** Where the last one ends. Absent: an earlier process settled them, and they were not read again yet. */
  readonly after: Position | undefined;
}

export class SettledRuns {
  /** Ascending; neighbours that could be one are one. */
  #runs: Run[] = [];

  /** How many records. */
  get size(): number {
    return this.#runs.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  /** The highest number; -1 when there is none. */
  get highest(): number {
    return this.#runs.at(-1)?.last ?? -1;
  }

  has(sequence: number): boolean {
    const run = this.#runs[this.#indexOf(sequence)];
    return run !== undefined && run.first <= sequence;
  }

  /** Adds records none of which is there, without their ends. */
  add(first: number, last: number): void {
    const at = this.#indexOf(first);
    const from = Math.max(0, at - 1);
    const around = [...this.#runs.slice(from, at), { first, last, after: undefined }, ...this.#runs.slice(at, at + 1)];
    this.#runs.splice(from, at + 1 - from, ...joined(around));
  }

  /** Adds a record, or tells where one ends that is there. */
  put(sequence: number, after: Position | undefined): void {
    const at = this.#indexOf(sequence);
    const run = this.#runs[at];
    const holder = run !== undefined && run.first <= sequence ? run : undefined;
    const parts: Run[] = [{ first: sequence, last: sequence, after }];
    if (holder !== undefined && holder.first < sequence) parts.unshift({ ...holder, last: sequence - 1 });
    if (holder !== undefined && holder.last > sequence) parts.push({ ...holder, first: sequence + 1 });
    const from = Math.max(0, at - 1);
    const to = at + (holder === undefined ? 1 : 2);
    const around = [...this.#runs.slice(from, at), ...parts, ...this.#runs.slice(to - 1, to)];
    this.#runs.splice(from, to - from, ...joined(around));
  }

  /** Where the records end that stand in a row from that one on; undefined where it is missing or its end unknown. */
  rowFrom(sequence: number): { readonly next: number; readonly after: Position } | undefined {
    const run = this.#runs[this.#indexOf(sequence)];
    if (run === undefined || run.first > sequence || run.after === undefined) return undefined;
    return { next: run.last + 1, after: run.after };
  }

  /** The first number from there on that is missing. */
  gapFrom(sequence: number): number {
    let gap = sequence;
    for (const { first, last } of this.#runs.slice(this.#indexOf(sequence))) {
      if (first > gap) break;
      gap = last + 1;
    }
    return gap;
  }

  /** Takes the records below that number out. */
  dropBelow(sequence: number): void {
    this.#runs = this.#runs.flatMap((run) => {
      if (run.last < sequence) return [];
      return run.first >= sequence ? [run] : [{ ...run, first: sequence }];
    });
  }

  clear(): void {
    this.#runs = [];
  }

  ranges(): Range[] {
    return joined(this.#runs.map(({ first, last }) => ({ first, last, after: undefined }))).map(
      ({ first, last }): Range => [first, last],
    );
  }

  /** Index of the first run that does not end below. */
  #indexOf(sequence: number): number {
    return partitionPoint(this.#runs, ({ last }) => last < sequence);
  }
}

function joined(runs: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const run of runs) {
    const last = all.at(-1);
    const isNext = last !== undefined && last.last + 1 === run.first;
    if (isNext && (last.after === undefined) === (run.after === undefined)) {
      all[all.length - 1] = { ...run, first: last.first };
    } else all.push(run);
  }
  return all;
}
