/**
 * When a cron pattern is due: five fields, or six with seconds in front, or `@daily` and the like, in a time zone.
 *
 * Where clocks are put forward, a fixed time that does not exist is due at the first moment behind the gap; where they are
 * put back, a fixed time that exists twice is due the first time only. Patterns with `*` or a step in seconds, minutes or
 * hours are intervals: they leave out what does not exist, and are due each time that something exists.
 */
import { Cron } from "croner";
import { messageOf } from "../../errors/restore-error.js";

/** All in Unix milliseconds, whole seconds. */
export interface CronTimes {
  /** The first one behind `after`; undefined where the pattern is never due again. */
  next(after: number): number | undefined;
  /** The last one at or before `at`. */
  latest(at: number): number | undefined;
}

/** @throws Error whose message, lower case, says what is wrong with the pattern or the time zone */
export function cronTimes(pattern: string, timezone: string): CronTimes {
  if (!isTimeZone(timezone))
    throw new Error(`"${timezone}" is no time zone: it takes UTC or a name such as Europe/Berlin`);
  const cron = parsed(pattern, timezone);
  return {
    next: (after) => cron.nextRun(new Date(after))?.getTime(),
    // The library looks before a reference, in which a run of the same second counts.
    latest: (at) => cron.previousRuns(1, new Date(at + 1))[0]?.getTime(),
  };
}

function parsed(pattern: string, timezone: string): Cron {
  // The library also takes a date, for a job that is due once.
  if (/^\s*\d{4}-/.test(pattern)) throw new Error("it is a date, not a pattern of five or six fields: 30 2 * * *");
  try {
    return new Cron(pattern, { timezone, paused: true, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" });
  } catch (error) {
    throw new Error(`it is no pattern of five or six fields: ${messageOf(error).replace(/^CronPattern: /, "")}`);
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
