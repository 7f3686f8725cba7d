/**
 * One schedule: its due times, the run that is under way, and those before.
 *
 * A due time becomes a run, kept on disk as `starting` before anything else; then it is handled, which is kept as well; then
 * its job is asked for, under a key made of the run's id, so that asking again after a crash gives the same job; then the
 * run is `running`. When the job has ended, webhooks' messages are put into the outbox, and then the run has `ended`. A
 * process that is killed between any two of these is followed by one that goes on there: a message may be sent twice under
 * one id, a run is never made twice and never lost.
 */
import { randomBytes } from "node:crypto";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { Clock } from "../../support/clock.js";
import { InTurn } from "../../support/in-turn.js";
import { present } from "../../support/present.js";
import { Fault } from "../fault.js";
import { mayDo } from "../http/tokens.js";
import type { Log } from "../log.js";
import { ENDED_STATES, type JobRequest, type JobView } from "../schema/job.js";
import type { Run, RunList, ScheduleView } from "../schema/schedule.js";
import type { Client, JobService } from "../services.js";
import type { Role, ScheduleSettings } from "../settings.js";
import { comparisonOf, isDecisive, latelyOf } from "./compare.js";
import type { Due, DueTimes } from "./due-times.js";
import { type Settlement, settlementOf } from "./job-figures.js";
import type { RunHistory } from "./run-history.js";
import { messagesOf } from "./telling.js";
import type { Webhooks } from "./webhooks.js";

/** As `--trend-last` has it. */
const COMPARED = 10;
/** What a schedule's job takes: none deletes what it did not write. */
const ROLE: Role = "restore";
/** After something went wrong that no run can be blamed for, such as a full disk. */
const TRY_AGAIN_MS = 30_000;

export interface ScheduleInit {
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly jobs: Pick<JobService, "submit" | "madeUnder" | "get" | "reportPath">;
  readonly webhooks: Pick<Webhooks, "send">;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** The machine's name, for messages. */
  readonly host: string;
  readonly dueTimes: DueTimes;
  readonly history: RunHistory;
}

export class Schedule {
  readonly #init: ScheduleInit;
  readonly #turns = new InTurn();
  #tryAgainAt: number | undefined;

  constructor(init: ScheduleInit) {
    this.#init = init;
  }

  /** When to look again, in Unix milliseconds. */
  get lookAt(): number | undefined {
    return this.#tryAgainAt ?? this.#init.dueTimes.startAt;
  }

  /**
   * Goes on with runs that are under way, and begins what is due. Never rejects: what went wrong is logged, and tried again
   * later. `signal`: the daemon ends, and a refusal of a job says nothing.
   */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, log, name } = this.#init;
    const waitsMs = (this.#tryAgainAt ?? 0) - clock.now();
    // One that waits longer than it was put off was put off before the clock was set back.
    if (waitsMs > 0 && waitsMs <= TRY_AGAIN_MS) return;
    await this.#turns.run(async () => {
      try {
        await this.#goOn(signal);
        await this.#beginDue(signal);
        this.#tryAgainAt = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#tryAgainAt = clock.now() + TRY_AGAIN_MS;
        log.error({ schedule: name, err: error }, "a schedule cannot go on; it is tried again");
      }
    });
  }

  /**
   * A run at once. @throws Fault FORBIDDEN, CONFLICT, and what submitting the job throws; RestoreError LOCAL_IO
   */
  async runNow(by: Client, signal: AbortSignal): Promise<Run> {
    const { settings, name, clock } = this.#init;
    if (!mayDo(by, ROLE)) throw new Fault("FORBIDDEN", `running the schedule "${name}" takes the role ${ROLE}`);
    return await this.#turns.run(async () => {
      await this.#goOn(signal);
      const current = this.#current();
      if (current !== undefined && (settings.overlap === "skip" || this.#waiting() !== undefined)) {
        throw new Fault("CONFLICT", `a run of the schedule "${name}" is under way`, {
          hint:
            current.job === undefined
              ? "Ask again when it has ended."
              : `Wait for the job ${current.job}, or cancel it.`,
        });
      }
      const run = { ...this.#newRun("asked", clock.now()), by: by.name };
      if (current !== undefined) return await this.#keep({ ...run, state: "waiting" });
      return await this.#submit(await this.#keep(run), signal, (error) => {
        throw error;
      });
    });
  }

  /** Resolves when what was asked of it so far has come to its end. */
  async idle(): Promise<void> {
    await this.#turns.run(async () => undefined);
  }

  /** `next`: how many due times. */
  view(next: number): ScheduleView {
    const { name, settings, dueTimes, history } = this.#init;
    const { kind, cron, timezone, jitter, missed, overlap, root, pick, target, notify } = settings;
    const runs = history.list();
    const { startAt } = dueTimes;
    return {
      ...{ name, kind, cron, timezone, missed, overlap, root, pick, notify },
      next: dueTimes.upcoming(next).map(iso),
      lately: latelyOf(runs, comparedOf(settings)),
      ...present({
        jitter,
        target,
        startsAt: startAt === undefined ? undefined : iso(startAt),
        current: this.#current(),
        waiting: this.#waiting(),
        last: runs.find(isDecisive),
      }),
    };
  }

  /** @throws Fault BAD_REQUEST */
  runs({ limit, cursor }: { readonly limit: number; readonly cursor?: string }): RunList {
    const all = this.#init.history.list();
    const before = cursor === undefined ? -1 : all.findIndex(({ id }) => id === cursor);
    if (cursor !== undefined && before < 0) {
      throw new Fault("BAD_REQUEST", "the cursor is of no page of these runs", {
        hint: "Begin again without a cursor.",
      });
    }
    const runs = all.slice(before + 1, before + 1 + limit);
    const isLast = before + 1 + limit >= all.length;
    return { runs, ...present({ next: isLast ? undefined : runs.at(-1)?.id }) };
  }

  #current(): Run | undefined {
    return this.#init.history.unended().find(({ state }) => state !== "waiting");
  }

  #waiting(): Run | undefined {
    return this.#init.history.unended().find(({ state }) => state === "waiting");
  }

  async #goOn(signal: AbortSignal): Promise<void> {
    const current = this.#current();
    if (current?.state === "starting") await this.#submit(current, signal);
    else if (current !== undefined) await this.#settle(current);
    const waiting = this.#waiting();
    if (waiting === undefined || this.#current() !== undefined || signal.aborted) return;
    await this.#submit(await this.#keep({ ...waiting, state: "starting" }), signal);
  }

  async #beginDue(signal: AbortSignal): Promise<void> {
    const { dueTimes, clock } = this.#init;
    for (let due = await dueTimes.due(clock.now()); due !== undefined; due = await dueTimes.due(clock.now())) {
      if (signal.aborted) return;
      const run = this.#isKnown(due) ? undefined : this.#dueRun(due);
      if (run?.outcome === "skipped") await this.#tell(run);
      if (run !== undefined) await this.#keep(run);
      await dueTimes.handle(due.at);
      if (run?.state === "starting") await this.#submit(run, signal);
    }
  }

  /** After a due time became a run, it could not be kept that it did. */
  #isKnown({ at }: Due): boolean {
    return this.#init.history.list().some(({ trigger, due }) => trigger !== "asked" && Date.parse(due) === at);
  }

  #dueRun({ at, since, isMissed }: Due): Run {
    const { settings } = this.#init;
    const run = {
      ...this.#newRun(isMissed ? "missed" : "due", at),
      ...present({ since: since === at ? undefined : iso(since) }),
    };
    if (isMissed && settings.missed === "skip")
      return this.#skipped(run, "the daemon was not running, or the machine slept");
    if (this.#current() === undefined) return run;
    if (settings.overlap === "skip") return this.#skipped(run, "the run before was under way");
    if (this.#waiting() !== undefined) return this.#skipped(run, "another run was waiting already");
    return { ...run, state: "waiting" };
  }

  /** One for the same reason as the last is told with it: else a long run would push all others out of the history. */
  #skipped(run: Run, reason: string): Run {
    const [last] = this.#init.history.list();
    const same = last?.outcome === "skipped" && last.reason === reason ? last : undefined;
    const since = same?.since ?? same?.due ?? run.since;
    const endedAt = iso(this.#init.clock.now());
    return {
      ...run,
      ...present({ since, id: same?.id ?? run.id }),
      state: "ended",
      outcome: "skipped",
      reason,
      endedAt,
    };
  }

  #newRun(trigger: Run["trigger"], due: number): Run {
    const { name } = this.#init;
    const id = randomBytes(8).toString("hex");
    return { id, schedule: name, trigger, by: `schedule:${name}`, due: iso(due), state: "starting" };
  }

  async #keep(run: Run): Promise<Run> {
    await this.#init.history.put(run);
    return run;
  }

  /** `refused`: what else is done where no job is made of it, once that is kept. */
  async #submit(run: Run, signal: AbortSignal, refused: (error: unknown) => void = () => undefined): Promise<Run> {
    const { jobs, name, settings, log } = this.#init;
    const idempotencyKey = `schedule:${run.id}`;
    const by = { name: run.by, role: ROLE };
    // Made by a daemon that was killed before it noted it; by now the settings may ask for something else.
    const made = jobs.madeUnder(by.name, idempotencyKey);
    const answer =
      made === undefined
        ? await jobs
            .submit({ request: requestOf(settings), by, idempotencyKey, schedule: name })
            .catch((error: unknown) => ({ error }))
        : { job: made };
    if ("error" in answer) {
      // It stays as it is, and is submitted again by the daemon that comes next.
      if (signal.aborted) throw answer.error;
      log.warn({ schedule: name, run: run.id, why: messageOf(answer.error) }, "no job was made of a scheduled run");
      const ended = await this.#end(run, { outcome: "refused", error: refusalOf(answer.error) });
      refused(answer.error);
      return ended;
    }
    const { id: job, dump } = answer.job;
    log.info({ schedule: name, run: run.id, job }, "a scheduled run has begun");
    return await this.#settle(await this.#keep({ ...run, state: "running", job, dump }));
  }

  /** Ends the run if its job has. */
  async #settle(run: Run): Promise<Run> {
    const { jobs, log, name } = this.#init;
    const job = jobOf(jobs, run.job ?? "");
    if (job === undefined) {
      const error = { code: "NOT_FOUND", message: `nothing is known of its job ${run.job} any more` };
      return await this.#end(run, { outcome: "failed", error });
    }
    if (!ENDED_STATES.has(job.state)) return run;
    const settlement = await settlementOf(job, jobs, (error) =>
      log.warn({ schedule: name, job: job.id, why: messageOf(error) }, "the report of a scheduled run cannot be read"),
    );
    return await this.#end(run, settlement);
  }

  async #end(run: Run, settlement: Partial<Settlement>): Promise<Run> {
    const { name, settings, clock, log } = this.#init;
    const comparison = comparisonOf(settlement.recoveryMs, this.#before(run), comparedOf(settings));
    const ended: Run = {
      ...run,
      endedAt: iso(clock.now()),
      ...settlement,
      state: "ended",
      ...present({ comparison }),
    };
    await this.#tell(ended);
    await this.#keep(ended);
    log.info({ schedule: name, run: run.id, job: ended.job, outcome: ended.outcome }, "a scheduled run has ended");
    return ended;
  }

  #before({ id }: Run): Run[] {
    return this.#init.history.list().filter((each) => each.id !== id);
  }

  /** Before the run is kept as it is now: so that nobody is left untold, whenever the process is killed. */
  async #tell(run: Run): Promise<void> {
    const { name, settings, host, webhooks, history } = this.#init;
    // One line of the history stands for all that were left out in a row, and was told with the first.
    if (run.outcome === "skipped" && history.list().some(({ id }) => id === run.id)) return;
    for (const message of messagesOf({ name, settings, host, run, before: this.#before(run) })) {
      await webhooks.send(message);
    }
  }
}

/** The latest due time up to now that became a run, in Unix milliseconds; 0 where none did. */
export function lastDueOf(history: RunHistory, now: number): number {
  const runs = history.list().filter(({ trigger }) => trigger !== "asked");
  return Math.max(0, ...runs.map(({ due }) => Date.parse(due)).filter((due) => due <= now));
}

function requestOf(settings: ScheduleSettings): JobRequest {
  const { kind, root, pick, options } = settings;
  const rest = present({ target: settings.target, limits: settings.limits });
  const dump = { root, pick };
  return kind === "drill" ? { kind, dump, options, ...rest } : { kind, dump, options: settings.options, ...rest };
}

function comparedOf({ options }: ScheduleSettings): number {
  return ("trendLast" in options ? options.trendLast : undefined) ?? COMPARED;
}

function jobOf(jobs: Pick<JobService, "get">, id: string): JobView | undefined {
  try {
    return jobs.get(id);
  } catch (error) {
    if (error instanceof Fault && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

function refusalOf(error: unknown): NonNullable<Run["error"]> {
  const known = error instanceof Fault || error instanceof RestoreError;
  const { code, hint } = known ? error : { code: "INTERNAL", hint: undefined };
  return { code, message: messageOf(error), ...present({ hint }) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
