/** Who has a process, and whose turn it is: begins waiting jobs as there is room, and looks again when something changes. */
import type { Clock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import { claimOf, type EndpointsOf } from "./claims.js";
import type { LiveJob } from "./live-job.js";
import { type Keeping, nextTurn, type Waiting } from "./queue.js";

export interface SlotsInit {
  readonly atOnce: number;
  readonly endpointsOf: EndpointsOf;
  readonly clock: Clock;
  /** Jobs that have not ended. */
  readonly jobs: () => readonly LiveJob[];
  /** Resolves when nothing works on it any more. Never rejects. */
  readonly run: (job: LiveJob) => Promise<void>;
  /** Nothing works any more on a job that was told to go on meanwhile. Never throws. */
  readonly onToGoOn: (job: LiveJob) => void;
}

export class Slots {
  readonly #init: SlotsInit;
  readonly #running = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #isLooking = false;
  #alarm = new AbortController();

  constructor(init: SlotsInit) {
    this.#init = init;
  }

  /** Whether the job is worked on. */
  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Begins nothing more. */
  close(): void {
    this.#closing.abort();
    this.#alarm.abort();
  }

  /** Resolves when nothing is worked on. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Begins a job that waits for nobody: one that is to be let go of. */
  beginAtOnce(job: LiveJob): void {
    if (!this.has(job.id) && !this.#closing.signal.aborted) this.#begin(job);
  }

  /** Begins whose turn it is, soon. */
  turn(): void {
    if (this.#isLooking || this.#closing.signal.aborted) return;
    this.#isLooking = true;
    // Of many changes at once the last counts.
    queueMicrotask(() => {
      this.#isLooking = false;
      if (!this.#closing.signal.aborted) this.#look();
    });
  }

  #look(): void {
    const { atOnce, endpointsOf, clock } = this.#init;
    const jobs = this.#init.jobs();
    const now = clock.monotonic();
    const waiting: Waiting[] = [];
    const keeping: Keeping[] = [];
    for (const job of jobs) {
      const { record, holdUp } = job;
      const claim = claimOf(record, endpointsOf);
      const isRunning = this.has(job.id);
      if (!isRunning && record.state === "queued") {
        const why = holdUp !== undefined && holdUp.until > now ? holdUp.why : undefined;
        waiting.push({
          id: job.id,
          number: record.number,
          hasBegun: record.attempts > 0,
          ...present({ claim, holdUp: why }),
        });
      } else if (claim !== undefined && (isRunning || record.attempts > 0)) {
        keeping.push({ claim, isRunning });
      }
    }
    const free = Math.max(0, atOnce - this.#running.size);
    const { begin, waitsFor } = nextTurn({ waiting, keeping, free, atOnce });
    const byId = new Map(jobs.map((job) => [job.id, job]));
    for (const [id, why] of waitsFor) {
      const job = byId.get(id);
      if (job !== undefined) job.waitsFor = why;
    }
    for (const id of begin) {
      const job = byId.get(id);
      if (job !== undefined) this.#begin(job);
    }
    const held = jobs.flatMap(({ holdUp, record }) =>
      record.state === "queued" && holdUp !== undefined && holdUp.until > now ? [holdUp.until] : [],
    );
    this.#wakeAt(Math.min(...held) - now);
  }

  #begin(job: LiveJob): void {
    job.waitsFor = undefined;
    const work = this.#init.run(job).finally(() => {
      this.#running.delete(job.id);
      // An order that came while its last process ended.
      if (!job.hasEnded && job.record.order === "cancel" && job.holdUp === undefined) this.beginAtOnce(job);
      if (job.record.order === "resume") this.#init.onToGoOn(job);
      this.turn();
    });
    this.#running.set(job.id, work);
  }

  #wakeAt(ms: number): void {
    this.#alarm.abort();
    if (!Number.isFinite(ms)) return;
    const alarm = new AbortController();
    this.#alarm = alarm;
    this.#init.clock.sleep(ms, alarm.signal).then(
      () => this.turn(),
      () => undefined,
    );
  }
}
