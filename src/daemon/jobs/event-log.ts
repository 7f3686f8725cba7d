/**
 * A job's events, and those who follow them. Everyone is served from one copy: the latest events from memory, those before
 * from the file. Nothing is kept for a client that reads slowly: it is given what stands in the file when it asks.
 */
import { messageOf } from "../../errors/restore-error.js";
import { InTurn } from "../../support/in-turn.js";
import { ENDED_STATES, type JobEvent } from "../schema/job.js";
import type { NumberedEvent } from "../services.js";
import { EventFile } from "./event-file.js";

/** In memory, of a job that lives. */
const LATEST = 32;

export class EventLog {
  readonly #file: EventFile;
  readonly #warn: (text: string) => void;
  readonly #turns = new InTurn();
  readonly #waiting = new Set<() => void>();
  #latest: NumberedEvent[] = [];
  #last: NumberedEvent | undefined;
  #unwritten: JobEvent | undefined;

  private constructor(file: EventFile, warn: (text: string) => void) {
    this.#file = file;
    this.#warn = warn;
    this.#last = file.last;
  }

  /** `warn`: told of events of progress that cannot be kept. @throws the system's error */
  static async open(path: string, warn: (text: string) => void, mostBytes?: number): Promise<EventLog> {
    return new EventLog(await EventFile.open(path, mostBytes), warn);
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
  async add(event: JobEvent): Promise<void> {
    await this.#turns.run(() => this.#write(event, true));
  }

  /** For one that the disk does not take: it is told to those who follow now, and is not there for those who come later. */
  async addUnkept(event: JobEvent): Promise<void> {
    await this.#turns.run(async () => this.#tell(numberedAs(this.lastId + 1, event)));
  }

  /** Of several that come faster than they can be kept, the last counts. Never throws. */
  addProgress(event: JobEvent): void {
    const isWaiting = this.#unwritten !== undefined;
    this.#unwritten = event;
    if (isWaiting) return;
    const written = this.#turns.run(async () => {
      const latest = this.#unwritten;
      this.#unwritten = undefined;
      if (latest !== undefined) await this.#write(latest, false);
    });
    written.catch((error: unknown) => this.#warn(`progress cannot be kept: ${messageOf(error)}`));
  }

  /** Resolves once everything that was added so far is kept. */
  async idle(): Promise<void> {
    await this.#turns.run(async () => undefined);
  }

  /** Events behind number `after`, those that are kept and those to come; ends behind that of the job's end. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    // Beyond what there ever was: numbers that a crash took away are given again.
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

  async #write(event: JobEvent, isDurable: boolean): Promise<void> {
    const numbered = numberedAs(this.lastId + 1, event);
    await this.#file.add(numbered, isDurable);
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

/** A job that is told is as it is with this event. */
function numberedAs(id: number, event: JobEvent): NumberedEvent {
  return { id, event: event.type === "state" ? { ...event, job: { ...event.job, lastEvent: id } } : event };
}

function isEnd({ event }: NumberedEvent): boolean {
  return event.type === "state" && ENDED_STATES.has(event.job.state);
}
