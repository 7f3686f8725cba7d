/**
 * A job that has not ended, in memory: its record, what its process tells of it, and its events. Every change is on disk
 * before it is told to anybody, one after the other.
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
/** For an event that the disk does not take: whoever asks for the events of an ended job is told of its end all the same. */
const MOST_TRIES = 8;

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
    if (this.#view?.lastEvent !== lastEvent) this.#view = undefined;
    const live = present({ progress: this.#progress, waitsFor: this.#waitsFor, lastEvent });
    this.#view ??= viewOf({ ...this.#record, warnings: this.#warnings }, live);
    return this.#view;
  }

  /** Why it is not begun. It is told to whoever asks for the job, and to nobody else. */
  set waitsFor(why: string | undefined) {
    if (this.#waitsFor !== why) this.#view = undefined;
    this.#waitsFor = why;
  }

  /** @throws the system's error */
  async log(): Promise<EventLog> {
    this.#log ??= EventLog.open(this.files.events, this.#init.warn).catch((error: unknown) => {
      this.#log = undefined;
      throw error;
    });
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
      const lastEvent = (this.#openLog?.lastId ?? 0) + 1;
      const live = present({ progress: this.#progress, warnings: this.#warnings, lastEvent });
      const record = present({ ...this.#record, ...live, ...patch }) as JobRecord;
      await this.#init.store.write(record);
      this.#record = record;
      if (Object.keys(patch).some((name) => !INNER.has(name))) await this.#tell();
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

  /** For a job that is new. */
  async tellBegin(): Promise<void> {
    await this.#turns.run(() => this.#tell());
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

  async #tell(): Promise<void> {
    this.#view = undefined;
    const event = { type: "state", job: this.view } as const;
    let isKept = false;
    for (let failures = 0; !isKept && failures < MOST_TRIES; failures++) {
      try {
        await (await this.log()).add(event);
        isKept = true;
      } catch (error) {
        this.#init.warn(`an event of job ${this.id} cannot be kept: ${messageOf(error)}`);
        await this.#init.clock.sleep(backoffMs(failures));
      }
    }
    if (!isKept) await this.#openLog?.addUnkept(event);
    this.#init.onChange(this);
  }

  get hasEnded(): boolean {
    return hasEnded(this.#record);
  }
}
