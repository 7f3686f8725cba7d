/**
 * How a process's records ended over time: points for a chart. Their number is bounded: when there are too many, every
 * other one is dropped and the step doubles. It counts records that end, also those that end again behind a rewind.
 */
import type { Clock } from "../support/clock.js";

/** Milliseconds since the process began, records and bytes restored up to then. */
export type TimelinePoint = readonly [ms: number, records: number, bytes: number];

const FIRST_STEP_MS = 100;
const MOST_POINTS = 240;

export class Timeline {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #startedAt: number;
  #stepMs = FIRST_STEP_MS;
  #points: TimelinePoint[] = [];
  #records = 0;
  #bytes = 0;

  /** Begins now. */
  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  add(records: number, bytes: number): void {
    const ms = this.#elapsed();
    const last = this.#points.at(-1);
    // What came before this step's end stands at its end, so that a pause is a level line.
    if (last === undefined || ms - last[0] >= this.#stepMs) this.#put(ms);
    this.#records += records;
    this.#bytes += bytes;
  }

  /** Ascending, from what was first seen to now. */
  points(): TimelinePoint[] {
    return [...this.#points, [this.#elapsed(), this.#records, this.#bytes]];
  }

  #put(ms: number): void {
    this.#points.push([ms, this.#records, this.#bytes]);
    if (this.#points.length < MOST_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#stepMs *= 2;
  }

  #elapsed(): number {
    return Math.round(this.#clock.monotonic() - this.#startedAt);
  }
}
