/**
 * A job that has not ended, in memory: its record, what its process tells of it, and its events. Every change is on disk
 * before it is told to anybody, one after the other, and nobody sees it before the event that tells of it.
 */
import { messageOf } from "../../errors/restore-error.js";
import { backoffMs, type Clock } from "../../support/clock.js";
import { InTurn } from "../../support/in-turn.js";
import { present } from "../../support/present.js";
import type { Limits, Order, Progress } from "../channel.js";
import type { JobView } from "../schema/job.js";
import { EventLog } from "./event-log.js";
import { filesOf, type JobFiles } from "./folder.js";
import { hasEnded, type JobRecord, viewOf } from "./record.js";
import type { Store } from "./store.js";

/** What a job's warnings are cut to: a dump may have one for each of its files. */
const MOST_WARNINGS = 100;
const MOST_CHARS = 2_000;

export interface LiveInit {
  readonly store: Store;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
  /** Told of every change, once it is on disk. */
  readonly onChange: (job: LiveJob) => void;
}

/** Members to be replaced; undefined ones to be removed. */
export type Patch = { readonly [K in keyof JobRecord]?: JobRecord[K] | undefined };

/** What no client sees: nobody is told when it changes. */
const INNER: ReadonlySet<string> = new Set<keyof JobRecord>(["crashes", "keptPlan", "order", "process"]);

/** A process that takes orders. */
export interface Steered {
  order(order: Order): void;
}

/** What a process answered to new limits; undefined where it ended before. */
export type LimitsAnswer = { readonly refused?: string } | undefined;

export class LiveJob {
  readonly files: JobFiles;
  readonly #init: LiveInit;
  readonly #turns = new InTurn();
  #record: JobRecord;
  /** As clients see it. */
  #shown: JobRecord;
  #progress: Progress | undefined;
  #warnings: readonly string[];
  #waitsFor: string | undefined;
  #view: JobView | undefined;
  #log: Promise<EventLog> | undefined;
  #openLog: EventLog | undefined;
  #answers: ((answer: LimitsAnswer) => void)[] = [];
  /** The process that works on it. */
  process: Steered | undefined;
  /** Why it is not begun before a time, in monotonic milliseconds. */
  holdUp: { readonly why: string; readonly until: number } | undefined;

  constructor(record: JobRecord, init: LiveInit) {
    this.#record = record;
    this.#shown = record;
    this.#warnings = record.warnings;
    this.#init = init;
    this.files = filesOf(init.store.folder, record);
  }

  get id(): string {
    return this.#record.id;
  }

  /** As it is on disk. */
  get record(): JobRecord {
    return this.#record;
  }

  get view(): JobView {
    const lastEvent = this.#openLog?.lastId ?? 0;
    // Its event is still to come.
    const isUntold = this.#openLog !== undefined && this.#record.lastEvent > lastEvent;
    if (!isUntold) this.#shown = this.#record;
    if (this.#view?.lastEvent !== lastEvent) this.#view = undefined;
    const live = present({ progress: this.#progress, waitsFor: this.#waitsFor, lastEvent });
    this.#view ??= viewOf({ ...this.#shown, warnings: this.#warnings }, live);
    return this.#view;
  }

  /** Why it is not begun. It is told to whoever asks for the job, and to nobody else. */
  set waitsFor(why: string | undefined) {
    if (this.#waitsFor !== why) this.#view = undefined;
    this.#waitsFor = why;
  }

  /** From the first time on, clients see which its last event is. @throws the system's error */
  async log(): Promise<EventLog> {
    const { clock, warn } = this.#init;
    this.#log ??= EventLog.open(this.files.events, { clock, warn, job: viewOf(this.#record) }).catch(
      (error: unknown) => {
        this.#log = undefined;
        throw error;
      },
    );
    this.#openLog = await this.#log;
    return this.#openLog;
  }

  /**
   * Changes the record as `change` says when its turn has come; undefined: not at all. Resolves once it is on disk and told.
   * @throws RestoreError LOCAL_IO; nothing was changed then
   */
  async change(change: (record: JobRecord) => Patch | undefined): Promise<void> {
    await this.#turns.run(async () => {
      const patch = change(this.#record);
      if (patch === undefined) return;
      if (Object.keys(patch).every((name) => INNER.has(name))) {
        await this.#keep(patch);
        return;
      }
      const log = await this.log().catch((error: unknown) => {
        this.#init.warn(`no event of job ${this.id} can be kept: ${messageOf(error)}`);
      });
      if (log === undefined) await this.#keep({ ...patch, lastEvent: this.#record.lastEvent + 1 });
      else await log.addChange((lastEvent) => this.#keep({ ...patch, lastEvent }));
      this.#init.onChange(this);
    });
  }

  /** As `change`, again and again until the disk takes it. Rejects with the signal's reason only. */
  async changeSurely(change: (record: JobRecord) => Patch | undefined, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.change(change);
      } catch (error) {
        this.#init.warn(`job ${this.id} cannot be kept, and is tried again: ${messageOf(error)}`);
        await this.#init.clock.sleep(backoffMs(failures), signal);
      }
    }
  }

  /** Resolves once the changes that were asked for so far are on disk, or were refused. */
  async idle(): Promise<void> {
    await this.#turns.run(async () => undefined);
  }

  take(progress: Progress): void {
    this.#progress = progress;
    this.#view = undefined;
    this.log().then(
      (log) => log.addProgress({ type: "progress", progress }),
      () => undefined,
    );
  }

  /** Each text once, and only so many. Kept with the next change. */
  warn(text: string): void {
    const short = text.slice(0, MOST_CHARS);
    const { length } = this.#warnings;
    if (length > MOST_WARNINGS || this.#warnings.includes(short)) return;
    const told = length === MOST_WARNINGS ? "There were more warnings." : short;
    this.#warnings = [...this.#warnings, told];
    this.#view = undefined;
    const added = this.log().then((log) => log.add({ type: "warning", text: told }));
    added.catch((error: unknown) => this.#init.warn(`a warning of job ${this.id} cannot be kept: ${messageOf(error)}`));
  }

  /** Gives new limits to its process. Resolves with what it answers. */
  async limit(limits: Limits): Promise<LimitsAnswer> {
    const { process } = this;
    if (process === undefined) return undefined;
    const answer = new Promise<LimitsAnswer>((resolve) => this.#answers.push(resolve));
    process.order({ type: "limits", limits });
    return await answer;
  }

  /** To the order for limits that waits longest. */
  answer(answer: LimitsAnswer): void {
    this.#answers.shift()?.(answer);
  }

  /** Its process has ended: nobody answers any more. */
  detach(): void {
    this.process = undefined;
    for (const resolve of this.#answers.splice(0)) resolve(undefined);
  }

  /** Resolves, once it is on disk, with how clients will see it. @throws RestoreError LOCAL_IO; nothing was changed then */
  async #keep(patch: Patch): Promise<JobView> {
    const live = present({ progress: this.#progress, warnings: this.#warnings });
    const record = present({ ...this.#record, ...live, ...patch }) as JobRecord;
    await this.#init.store.write(record);
    this.#record = record;
    this.#view = undefined;
    return viewOf(record, present({ waitsFor: this.#waitsFor }));
  }

  get hasEnded(): boolean {
    return hasEnded(this.#record);
  }
}
