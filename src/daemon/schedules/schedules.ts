/** All schedules of the settings: opened, kept going, and asked about. */
import { join } from "node:path";
import { messageOf } from "../../errors/restore-error.js";
import { Alarm } from "../../support/alarm.js";
import type { Clock } from "../../support/clock.js";
import { nearest } from "../../support/nearest.js";
import { Fault } from "../fault.js";
import type { Log } from "../log.js";
import { ENDED_STATES } from "../schema/job.js";
import type { Run, RunList, ScheduleView } from "../schema/schedule.js";
import type { Client, JobService, ScheduleService } from "../services.js";
import type { DaemonSettings, ScheduleSettings } from "../settings.js";
import { DueTimes } from "./due-times.js";
import { Outbox } from "./outbox.js";
import { RunHistory } from "./run-history.js";
import { lastDueOf, Schedule } from "./schedule.js";
import { type Webhook, Webhooks } from "./webhooks.js";

const NEXT_LISTED = 1;
const NEXT_SHOWN = 5;

export interface SchedulesInit {
  readonly stateDirectory: string;
  readonly settings: Pick<DaemonSettings, "schedules" | "webhooks">;
  /** The signing secret of each webhook. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly jobs: Pick<JobService, "submit" | "madeUnder" | "get" | "reportPath" | "changes">;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** The machine's name, for messages. */
  readonly host: string;
  /** From 0 to below 1: for jitter and for waits between attempts. */
  readonly random?: () => number;
}

interface Kept {
  readonly schedule: Schedule;
  readonly alarm: Alarm;
}

export class Schedules implements ScheduleService {
  readonly #init: SchedulesInit;
  readonly #kept: ReadonlyMap<string, Kept>;
  readonly #webhooks: Webhooks;
  readonly #ending = new AbortController();
  #loops: Promise<unknown> | undefined;

  private constructor(init: SchedulesInit, kept: ReadonlyMap<string, Kept>, webhooks: Webhooks) {
    this.#init = init;
    this.#kept = kept;
    this.#webhooks = webhooks;
  }

  /** Reads what is remembered; begins nothing. @throws RestoreError LOCAL_IO; Error for a pattern or webhook that is none */
  static async open(init: SchedulesInit): Promise<Schedules> {
    const { stateDirectory, settings, clock, log, random = Math.random } = init;
    const warn = (text: string) => log.warn(text);
    const outbox = await Outbox.open({ directory: join(stateDirectory, "daemon", "outbox"), warn });
    const webhooks = new Webhooks({ webhooks: withSecrets(init), outbox, clock, log, random });
    const kept = new Map<string, Kept>();
    for (const [name, own] of Object.entries(settings.schedules)) {
      const schedule = await openSchedule({ ...init, random }, { name, settings: own, webhooks });
      kept.set(name, { schedule, alarm: new Alarm(clock) });
    }
    return new Schedules(init, kept, webhooks);
  }

  /** Keeps them going until `stop`. Jobs have been taken up by then. */
  start(): void {
    const { signal } = this.#ending;
    this.#loops ??= Promise.all([
      ...[...this.#kept.values()].map((kept) => this.#keepLooking(kept, signal)),
      this.#followJobs(signal),
      this.#webhooks.run(signal),
    ]);
  }

  /** Begins nothing more. Resolves when nothing is under way; jobs go on. Repeatable. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loops;
    for (const { schedule } of this.#kept.values()) await schedule.idle();
  }

  list(): readonly ScheduleView[] {
    return [...this.#kept.values()].map(({ schedule }) => schedule.view(NEXT_LISTED));
  }

  get(name: string): ScheduleView {
    return this.#named(name).view(NEXT_SHOWN);
  }

  runs(name: string, query: { readonly limit: number; readonly cursor?: string }): RunList {
    return this.#named(name).runs(query);
  }

  async runNow(name: string, by: Client): Promise<Run> {
    const schedule = this.#named(name);
    const { signal } = this.#ending;
    if (this.#loops === undefined || signal.aborted) {
      throw new Fault("UNAVAILABLE", "schedules are not running: the daemon is about to begin or to end");
    }
    return await schedule.runNow(by, signal);
  }

  #named(name: string): Schedule {
    const found = this.#kept.get(name);
    if (found !== undefined) return found.schedule;
    const near = nearest(name, [...this.#kept.keys()]);
    const hint = near.length === 0 ? "Add it under `daemon.schedules`." : `There are: ${near.join(", ")}.`;
    throw new Fault("NOT_FOUND", `no schedule is called "${name}"`, { hint });
  }

  /** Each by itself: one whose dumps take long to be looked through holds up no other. */
  async #keepLooking({ schedule, alarm }: Kept, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await schedule.look(signal);
      await alarm.wait(schedule.lookAt, signal);
    }
  }

  /** So that the end of a job is seen at once; a look, each minute, sees it as well. */
  async #followJobs(signal: AbortSignal): Promise<void> {
    const { jobs, log } = this.#init;
    const between = new Alarm(this.#init.clock);
    while (!signal.aborted) {
      try {
        for await (const { state, schedule } of jobs.changes(signal)) {
          if (schedule !== undefined && ENDED_STATES.has(state)) this.#kept.get(schedule)?.alarm.ring();
        }
      } catch (error) {
        if (!signal.aborted)
          log.error({ why: messageOf(error) }, "schedules cannot follow jobs; they look each minute");
      }
      await between.wait(undefined, signal);
    }
  }
}

async function openSchedule(
  init: SchedulesInit & { readonly random: () => number },
  given: { readonly name: string; readonly settings: ScheduleSettings; readonly webhooks: Webhooks },
): Promise<Schedule> {
  const { jobs, clock, log, host, random } = init;
  const { name, settings } = given;
  const folder = join(init.stateDirectory, "daemon", "schedules");
  const warn = (text: string) => log.warn({ schedule: name }, text);
  const history = await RunHistory.open(join(folder, `${name}.runs.jsonl`), warn);
  const path = join(folder, `${name}.json`);
  const dueTimes = await DueTimes.open({ path, settings, random, warn }, clock.now(), lastDueOf(history, clock.now()));
  return new Schedule({ ...given, jobs, clock, log, host, dueTimes, history });
}

/** @throws Error for one without a secret: the settings were not checked */
function withSecrets({ settings, secrets }: SchedulesInit): Readonly<Record<string, Webhook>> {
  return Object.fromEntries(
    Object.entries(settings.webhooks).map(([name, { url }]) => {
      const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (secret === undefined) throw new Error(`the webhook ${name} has no secret`);
      return [name, { url, secret }];
    }),
  );
}
