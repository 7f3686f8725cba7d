/** Schedules over jobs that tests move, in a folder of their own, with a clock that stands still. */
import { Schedules, type SchedulesInit } from "../../src/daemon/schedules/schedules.js";
import type { Run } from "../../src/daemon/schema/schedule.js";
import { daemonSchema } from "../../src/daemon/settings.js";
import { type FakeJobs, fakeJobs } from "./fake-jobs.js";
import { type HeldClock, heldClock } from "./held-clock.js";

export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly fields: unknown;
  readonly text: string;
}

export interface Bench {
  readonly clock: HeldClock;
  readonly jobs: FakeJobs;
  readonly log: readonly LogLine[];
  /** As the file has them below `daemon`. Schedules are drills of `backups` unless they say otherwise. */
  open(settings: BenchSettings): Promise<Schedules>;
  /** Ends all that were opened. */
  close(): Promise<void>;
}

export interface BenchSettings {
  readonly schedules?: Readonly<Record<string, object>>;
  readonly webhooks?: Readonly<Record<string, { readonly url: string }>>;
  readonly random?: () => number;
}

export const SECRET = "a secret of some length";

export function schedulesBench(stateDirectory: string, now: number, more: Partial<SchedulesInit> = {}): Bench {
  const clock = heldClock(now);
  const jobs = fakeJobs();
  const lines: LogLine[] = [];
  const opened: Schedules[] = [];
  const write = (level: LogLine["level"]) => (fields: unknown, text?: string) => {
    lines.push({ level, fields, text: text ?? String(fields) });
  };
  return {
    clock,
    jobs,
    log: lines,
    open: async ({ schedules = {}, webhooks = {}, random = () => 0 }) => {
      const settings = daemonSchema.parse({
        roots: { backups: "/backups" },
        schedules: named(schedules, { kind: "drill", cron: "0 2 * * *", root: "backups" }),
        webhooks: named(webhooks, { env: "SECRET" }),
      });
      const secrets = Object.fromEntries(Object.keys(webhooks).map((name) => [name, SECRET]));
      const log = { info: write("info"), warn: write("warn"), error: write("error") };
      const init = { stateDirectory, settings, secrets, jobs, clock, log, host: "rescue-1", random };
      const made = await Schedules.open({ ...init, ...more });
      opened.push(made);
      return made;
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.stop()));
    },
  };
}

function named(given: Readonly<Record<string, object>>, defaults: object): Record<string, object> {
  return Object.fromEntries(Object.entries(given).map(([name, more]) => [name, { ...defaults, ...more }]));
}

/** Its runs, the latest first. */
export function runsOf(schedules: Schedules, name = "nightly"): readonly Run[] {
  return schedules.runs(name, { limit: 100 }).runs;
}
