/** A schedule whose history a test gives. */
import { Fault } from "../../src/daemon/fault.js";
import type { Run, ScheduleView } from "../../src/daemon/schema/schedule.js";
import type { ScheduleService } from "../../src/daemon/services.js";

/** `runs`: the latest first. */
export function nightlySchedule(runs: readonly Run[]): ScheduleService {
  const times = runs.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const outcomes = (wanted: Run["outcome"]) => runs.filter(({ outcome }) => outcome === wanted).length;
  const [last] = runs;
  const view: ScheduleView = {
    name: "nightly-prod",
    kind: "drill",
    cron: "30 2 * * *",
    timezone: "Europe/Berlin",
    jitter: "10m",
    missed: "run-once",
    overlap: "skip",
    root: "backups",
    pick: "newest",
    notify: ["pager"],
    next: ["2030-01-01T01:30:00.000Z", "2030-01-02T01:30:00.000Z"],
    ...(last === undefined ? {} : { last }),
    lately: {
      runs: runs.length,
      passed: outcomes("passed"),
      missedObjectives: outcomes("objective-missed"),
      failed: outcomes("failed"),
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      fastestMs: times[0] ?? 0,
      slowestMs: times.at(-1) ?? 0,
    },
  };
  const known = (name: string): ScheduleView => {
    if (name !== view.name) throw new Fault("NOT_FOUND", `no schedule is called "${name}"`);
    return view;
  };
  return {
    list: () => [view],
    get: known,
    runs: (name, { limit }) => {
      known(name);
      return { runs: runs.slice(0, limit) };
    },
    runNow: async (name) => {
      known(name);
      throw new Fault("CONFLICT", "a run is under way");
    },
  };
}
