/**
 * A job's events, and those who follow them. Everyone is served from one copy: the latest events from memory, those before
 * from the file. Nothing is kept for a client that reads slowly: it is given what stands in the file when it asks.
 *
 * No number is given twice: one of progress or of a warning is told once it is on disk, and one of state stands in the job's
 * record before. Where a crash or a full disk kept an event of state from the file, the next log tells it under its number.
 */
import { messageOf } from "../../errors/restore-error.js";
import { backoffMs, type Clock } from "../../support/clock.js";
import { InTurn } from "../../support/in-turn.js";
import { ENDED_STATES, type JobEvent, type JobView } from "../schema/job.js";
import type { NumberedEvent } from "../services.js";
import { EventFile } from "./event-file.js";

/** In memory, of a job that lives. */
const LATEST = 32;
/** For an event of state that the disk does not take. */
const MOST_TRIES = 8;

type StateEvent = Extract<JobEvent, { type: "state" }>;

export interface EventLogInit {
  /** The job as its record has it, which bears the number of its last change. */
  readonly job: JobView;
  readonly clock: Clock;
  /** Told of events that cannot be kept. */
  readonly warn: (text: string) => void;
  readonly mostBytes?: number;
}

export class EventLog {
  readonly #file: EventFile;
  readonly #init: EventLogInit;
  readonly #turns = new InTurn();
  readonly #waiting = new Set<() => void>();
  #latest: NumberedEvent[] = [];
  #last: NumberedEvent | undefined;
  #unwritten: JobEvent | undefined;

  private constructor(file: EventFile, init: EventLogInit) {
    this.#file = file;
    this.#init = init;
    this.#last = file.last;
  }

  /** @throws the system's error */
  static async open(path: string, init: EventLogInit): Promise<EventLog> {
    const log = new EventLog(await EventFile.open(path, init.mostBytes), init);
    const { job } = init;
    const isKept = ENDED_STATES.has(job.state) ? log.isComplete : log.lastId >= job.lastEvent;
    if (!isKept) await log.#writeState(Math.max(log.lastId + 1, job.lastEvent), job, 1);
    return log;
  }

  /** The number of the last event; 0: there is none. */
  get lastId(): number {
    return this.#last?.id ?? 0;
  }

  /** Whether the last event says that the job has ended: none comes behind it. */
  get isComplete(): boolean {
    return this.#last !== undefined && isEnd(this.#last);
  }

  /** Resolves once it is on disk. @throws the system's error; the event is not told then */
  async add(event: Exclude<JobEvent, StateEvent>): Promise<void> {
    await this.#turns.run(() => this.#write(event));
  }

  /**
   * Tells of a change that `keep` puts on disk, with the number of its event, before. Resolves once the event is on disk as
   * well; one that the disk does not take is told to those who follow now, and to others once a log is opened anew.
   * @throws what `keep` throws; nothing is told then
   */
  async addChange(keep: (id: number) => Promise<JobView>): Promise<void> {
    await this.#turns.run(async () => {
      const id = this.lastId + 1;
      await this.#writeState(id, await keep(id), MOST_TRIES);
    });
  }

  /** Of several that come faster than they can be kept, the last counts. Never throws. */
  addProgress(event: JobEvent): void {
    const isWaiting = this.#unwritten !== undefined;
    this.#unwritten = event;
    if (isWaiting) return;
    const written = this.#turns.run(async () => {
      const latest = this.#unwritten;
      this.#unwritten = undefined;
      if (latest !== undefined) await this.#write(latest);
    });
    written.catch((error: unknown) => this.#init.warn(`progress cannot be kept: ${messageOf(error)}`));
  }

  /** Resolves once everything that was added so far is kept. */
  async idle(): Promise<void> {
    await this.#turns.run(async () => undefined);
  }

  /** Events behind number `after`, those that are kept and those to come; ends behind that of the job's end. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    // Beyond what there ever was: it is the number of another job, or of a file that is gone.
    let last = after > this.lastId ? 0 : after;
    while (!signal.aborted) {
      const next = this.#latest[last + 1 - (this.#latest[0]?.id ?? 0)];
      if (next?.id === last + 1) {
        last = next.id;
        yield next;
        if (isEnd(next)) return;
        continue;
      }
      if (last >= this.lastId) {
        if (this.isComplete) return;
        await this.#more(last, signal);
        continue;
      }
      const before = last;
      for await (const kept of this.#file.read(last)) {
        if (signal.aborted) return;
        last = kept.id;
        yield kept;
        if (isEnd(kept)) return;
      }
      // What is left was of progress, and is gone.
      if (last === before) last = (this.#latest[0]?.id ?? this.lastId + 1) - 1;
    }
  }

  async #write(event: JobEvent): Promise<void> {
    const numbered = { id: this.lastId + 1, event };
    await this.#file.add(numbered);
    this.#tell(numbered);
  }

  /** Nobody else's turn comes meanwhile: its number is in the record, and no other event's. */
  async #writeState(id: number, job: JobView, tries: number): Promise<void> {
    const { clock, warn } = this.#init;
    const numbered: NumberedEvent = { id, event: { type: "state", job: { ...job, lastEvent: id } } };
    for (let failures = 0; failures < tries; failures++) {
      if (failures > 0) await clock.sleep(backoffMs(failures - 1));
      try {
        await this.#file.add(numbered);
        break;
      } catch (error) {
        warn(`an event of job ${job.id} cannot be kept: ${messageOf(error)}`);
      }
    }
    this.#tell(numbered);
  }

  #tell(numbered: NumberedEvent): void {
    this.#last = numbered;
    this.#latest.push(numbered);
    if (this.#latest.length > LATEST) this.#latest.shift();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves when there is an event behind number `last`, or when aborted. */
  async #more(last: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      if (signal.aborted || last < this.lastId) return resolve();
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}

function isEnd({ event }: NumberedEvent): boolean {
  return event.type === "state" && ENDED_STATES.has(event.job.state);
}
