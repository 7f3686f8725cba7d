/**
 * Which due time comes next, and whether one that has come was missed. Durable: what was answered once holds after a
 * restart, the jitter that was drawn included.
 */
import { durationMs } from "../duration.js";
import type { ScheduleSettings } from "../settings.js";
import { type CronTimes, cronTimes } from "./cron-times.js";
import { type DueState, readDueState, writeDueState } from "./due-file.js";

/** Later than that, and nobody was there to begin the run. A restart takes less. */
const LATE_MS = 120_000;
/** A clock that is set back by less: due times that come a second time stay handled. */
const SET_BACK_MS = 3_600_000;

export interface DueTimesInit {
  readonly path: string;
  readonly settings: Pick<ScheduleSettings, "cron" | "timezone" | "jitter">;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** A due time that has come, in Unix milliseconds. */
export interface Due {
  readonly at: number;
  /** Nobody could begin it in time; it stands for all from `since` to `at`. */
  readonly isMissed: boolean;
  readonly since: number;
}

export class DueTimes {
  readonly #init: DueTimesInit;
  readonly #times: CronTimes;
  readonly #jitterMs: number;
  #state: DueState;

  private constructor(init: DueTimesInit, times: CronTimes, state: DueState) {
    this.#init = init;
    this.#times = times;
    this.#jitterMs = init.settings.jitter === undefined ? 0 : durationMs(init.settings.jitter);
    this.#state = state;
  }

  /**
   * A schedule that is new, or whose pattern is another than before, begins now. `handled`: a due time of which a run is
   * known.
   * @throws RestoreError LOCAL_IO; Error for a pattern that is none
   */
  static async open(init: DueTimesInit, now: number, handled = 0): Promise<DueTimes> {
    const { cron, timezone } = init.settings;
    const times = cronTimes(cron, timezone);
    const known = await readDueState(init.path, init.warn);
    const isSame = known?.cron === cron && known.timezone === timezone;
    const opened = new DueTimes(init, times, isSame ? known : { cron, timezone, handled: now });
    if (!isSame) await opened.handle(now);
    else if (handled > known.handled) await opened.handle(handled);
    return opened;
  }

  /** When to look for what is due, in Unix milliseconds. */
  get startAt(): number | undefined {
    return this.#state.next?.startAt;
  }

  /** What has come, if anything has. It comes again until it is handled. @throws RestoreError LOCAL_IO */
  async due(now: number): Promise<Due | undefined> {
    if (this.#state.handled > now + SET_BACK_MS) {
      this.#init.warn("the clock was set back by over an hour: due times count from now on");
      await this.handle(now);
    }
    const { next } = this.#state;
    if (next === undefined || next.startAt > now) return undefined;
    if (now - next.startAt <= LATE_MS) return { at: next.due, since: next.due, isMissed: false };
    return { at: Math.max(next.due, this.#times.latest(now) ?? 0), since: next.due, isMissed: true };
  }

  /** Everything that was due at or before `at` is seen to. Resolves once that is on disk. @throws RestoreError LOCAL_IO */
  async handle(at: number): Promise<void> {
    const { cron, timezone } = this.#init.settings;
    const next = this.#draw(at);
    const state = { cron, timezone, handled: at, ...(next === undefined ? {} : { next }) };
    await writeDueState(this.#init.path, state);
    this.#state = state;
  }

  /** The next due times that are not seen to yet, in Unix milliseconds. */
  upcoming(most: number): number[] {
    const found: number[] = [];
    let last: number | undefined = this.#state.handled;
    while (found.length < most) {
      last = this.#times.next(last);
      if (last === undefined) break;
      found.push(last);
    }
    return found;
  }

  /** Jitter never reaches the due time behind. */
  #draw(after: number): DueState["next"] {
    const due = this.#times.next(after);
    if (due === undefined) return undefined;
    const gap = (this.#times.next(due) ?? Number.POSITIVE_INFINITY) - due;
    return { due, startAt: due + Math.floor(this.#init.random() * Math.min(this.#jitterMs, gap)) };
  }
}
