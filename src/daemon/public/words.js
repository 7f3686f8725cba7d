/** Numbers, times and the daemon's words as people read them. Pure but for the time. */
import { now } from "./clock.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../schema/job.js").JobState} JobState
 * @typedef {import("../../model/outcome.js").OutcomeKind} OutcomeKind
 * @typedef {import("../schema/schedule.js").Run} Run
 * @typedef {"good" | "warn" | "bad" | "busy" | "calm"} Tone
 */

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const SECOND_MS = 1000;
const DAY_S = 86_400;

/**
 * A name or key from a dump, with what could reorder a line or hide in it written out.
 * @param {unknown} text
 */
export function printable(text) {
  return String(text).replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** @param {number} value */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * @param {number} value
 * @param {string} noun
 */
export function plural(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** @param {number} value in bytes */
export function bytes(value) {
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < BYTE_UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 9_950) return `${(Math.max(ms, 0) / SECOND_MS).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A rate of records. @param {number} value a second */
export function rate(value) {
  return `${value < 10 ? Number(value.toFixed(1)) : count(Math.round(value))}/s`;
}

/** `2026-11-25 19:33:07 UTC`: a call has people in several time zones. @param {string} iso */
export function instant(iso) {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** `19:33:07 UTC`. @param {number} ms since 1970 */
export function timeOfDay(ms) {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

/** `12 min ago`, `in 3 h`. @param {string} iso */
export function ago(iso) {
  const seconds = Math.round((now() - Date.parse(iso)) / SECOND_MS);
  const text = roughly(Math.abs(seconds));
  if (Math.abs(seconds) < 5) return "now";
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** @param {number} seconds */
function roughly(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * DAY_S) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / DAY_S)} days`;
}

/**
 * How long a job has been under way, or was.
 * @param {Pick<JobView, "startedAt" | "endedAt">} job
 * @returns {string | undefined}
 */
export function took({ startedAt, endedAt }) {
  if (startedAt === undefined) return undefined;
  return duration((endedAt === undefined ? now() : Date.parse(endedAt)) - Date.parse(startedAt));
}

/** @param {{ root: string, path: string }} dump */
export function dumpName({ root, path }) {
  return printable(path === "" ? root : `${root}/${path}`);
}

/** What a job does, in a line. @param {Pick<JobView, "kind" | "dump" | "target">} job */
export function jobTitle({ kind, dump, target }) {
  const name = dumpName(dump);
  const into = target === undefined ? "" : printable(target);
  if (kind === "plan") return `Plan: restore ${name} into ${into}`;
  if (kind === "apply") return `Restore ${name} into ${into}`;
  if (kind === "verify") return target === undefined ? `Check ${name}` : `Compare ${name} with ${into}`;
  return target === undefined ? `Drill with ${name}` : `Drill with ${name} in ${into}`;
}

/** @type {Readonly<Record<JobView["kind"], string>>} */
export const KIND_WORDS = { plan: "plan", apply: "restore", verify: "verify", drill: "drill" };

/** @type {Readonly<Record<JobState, string>>} */
export const STATE_WORDS = {
  queued: "waiting",
  running: "running",
  paused: "paused",
  held: "held",
  finished: "finished",
  failed: "failed",
  cancelled: "cancelled",
};

/** How a job ended, by its exit status: the command line's own. @type {Readonly<Record<number, string>>} */
const EXIT_WORDS = { 3: "finished, records left over", 6: "finished, differences found" };

/**
 * A job's state with how it ended, and what that means for whoever looks.
 * @param {Pick<JobView, "kind" | "state" | "result">} job
 * @returns {{ text: string, tone: Tone, mark: string }}
 */
export function standing({ kind, state, result }) {
  if (state === "finished") return endedAs(kind, result);
  const text = STATE_WORDS[state];
  if (state === "running") return { text, tone: "busy", mark: "▶" };
  if (state === "failed") return { text, tone: "bad", mark: "✕" };
  if (state === "cancelled") return { text, tone: "warn", mark: "■" };
  if (state === "held") return { text: "held: resume or cancel it", tone: "warn", mark: "‖" };
  return { text, tone: "calm", mark: state === "paused" ? "‖" : "…" };
}

/**
 * @param {JobView["kind"]} kind
 * @param {JobView["result"]} result
 * @returns {{ text: string, tone: Tone, mark: string }}
 */
function endedAs(kind, result) {
  const exit = result?.exitStatus ?? 0;
  if (kind === "drill" && exit !== 0)
    return { text: `drill failed: ${verdictWords(result?.verdict)}`, tone: "bad", mark: "✕" };
  if (kind === "drill") return { text: "drill passed", tone: "good", mark: "✓" };
  const text = EXIT_WORDS[exit];
  return text === undefined ? { text: "finished", tone: "good", mark: "✓" } : { text, tone: "warn", mark: "!" };
}

/** @param {string | undefined} verdict `objective-missed`, … */
function verdictWords(verdict) {
  if (verdict === undefined || verdict === "failed") return "see its report";
  return printable(verdict).replaceAll("-", " ");
}

/**
 * Every way in which a record can end, with what it means.
 * @type {readonly (readonly [kind: OutcomeKind, name: string, tone: Tone, meaning: string])[]}
 */
export const OUTCOMES = [
  ["restored", "restored", "good", "The target holds it as the dump has it."],
  ["skipped-existing", "skipped: exists", "calm", "Something stands there already, and the mode leaves it untouched."],
  ["skipped-expired", "skipped: expired", "calm", "Its time was past when it was to be written."],
  ["skipped-empty", "skipped: empty", "calm", "The dump has nothing in it that could be written."],
  [
    "rejected",
    "rejected",
    "warn",
    "This target refuses this record, and would again. The cause has to be mended first.",
  ],
  ["failed", "failed", "bad", "Given up after retries. Sending it again may work."],
  [
    "ambiguous",
    "in doubt",
    "warn",
    "The answer to its write was lost: it may be there or not. Look before sending it again.",
  ],
];

/** @param {Readonly<Partial<Record<OutcomeKind, number>>>} totals */
export function leftOver({ rejected = 0, failed = 0, ambiguous = 0 }) {
  return rejected + failed + ambiguous;
}

/** What stands on a path in words: `redis/db_0` as `redis: db_0`. @param {string} label */
export function scopeLabel(label) {
  const at = label.search(/[/:]/);
  return at < 0 ? printable(label) : `${label.slice(0, at)}: ${printable(label.slice(at + 1))}`;
}

/** @type {Readonly<Record<NonNullable<Run["outcome"]>, { text: string, tone: Tone, mark: string }>>} */
const RUN_OUTCOMES = {
  passed: { text: "passed", tone: "good", mark: "✓" },
  "objective-missed": { text: "objective missed", tone: "warn", mark: "!" },
  failed: { text: "failed", tone: "bad", mark: "✕" },
  refused: { text: "not begun", tone: "bad", mark: "✕" },
  cancelled: { text: "cancelled", tone: "warn", mark: "■" },
  skipped: { text: "skipped", tone: "calm", mark: "–" },
};

/** @param {Run} run @returns {{ text: string, tone: Tone, mark: string }} */
export function runStanding({ state, outcome }) {
  if (outcome !== undefined) return RUN_OUTCOMES[outcome];
  if (state === "waiting") return { text: "waiting", tone: "calm", mark: "…" };
  return { text: state === "starting" ? "starting" : "running", tone: "busy", mark: "▶" };
}
