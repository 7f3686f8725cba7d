/** What is said of a drill, whatever the form it is said in. Pure. */
import { escapeForDisplay } from "../model/display.js";
import type { DrillReport } from "../run/drill/report.js";
import type { Verdict } from "../run/drill/verdict.js";
import { STANDINGS, type Standing } from "../run/verify/counts.js";
import { formatCount, formatDuration, plural } from "./format.js";

export type Tone = "bad" | "good" | "stop";

const SENTENCE: Record<Verdict, string> = {
  passed: "The drill passed",
  failed: "The drill failed",
  incomplete: "The drill failed: not every record could be restored",
  "bad-dump": "The drill failed: this dump cannot be restored from",
  "bad-target": "The drill could not be held",
  stopped: "The drill was stopped by an error",
  interrupted: "The drill was interrupted",
};

export const TONE: Record<Verdict, Tone> = {
  passed: "good",
  failed: "bad",
  incomplete: "bad",
  "bad-dump": "bad",
  "bad-target": "stop",
  stopped: "stop",
  interrupted: "stop",
};

/** The drill in a sentence. */
export function drillSentence(report: DrillReport): string {
  const { verdict, failures } = report;
  if (verdict === "passed") return `${SENTENCE.passed}: ${passedText(report)}.`;
  const why = verdict === "failed" && failures.length > 0 ? `: ${failures.slice(0, 2).join("; ")}` : "";
  const more = verdict === "failed" && failures.length > 2 ? `; and ${failures.length - 2} more` : "";
  return `${SENTENCE[verdict]}${why}${more}.`;
}

/** It says no more than was seen. */
function passedText({ restore, times, verification }: DrillReport): string {
  const restored = restore?.totals.restored ?? 0;
  const took = `${plural(restored, "record")} restored in ${formatDuration(times.restoreMs ?? 0)}`;
  const equal = verification?.standings.equal ?? 0;
  if (equal === restored) return `${took} and found as the dump has them`;
  return `${took}, ${formatCount(equal)} of them found as the dump has them and none otherwise`;
}

/** Why a drill is not what it could have been, beside the sentence. */
export function drillProblems({ error, failures, verdict }: DrillReport): readonly string[] {
  const said = verdict === "failed" ? [] : failures;
  if (error === undefined) return said;
  return [`${error.message}${error.hint === undefined ? "" : `\n${error.hint}`}`, ...said];
}

const HOW: Record<DrillReport["target"]["servers"][number]["how"], string> = {
  environment: "named by the environment",
  docker: "in Docker",
  native: "a process of this machine",
  "in-process": "a stand-in in this process: proves less than a real server",
  named: "named target",
};

export function serverText({ server, endpoint, how }: DrillReport["target"]["servers"][number]): string {
  return `${server === "" ? "" : `${server} at `}${endpoint} (${HOW[how]})`;
}

/** Times that were measured, in the order in which they pass. */
export function timeRows({ times }: DrillReport): [name: string, time: string][] {
  const { serversMs, firstRecordMs, restoreMs, verifyMs, assertionsMs } = times;
  const rows: [string, number | undefined][] = [
    ["until the servers answered", serversMs],
    ["until the first record", firstRecordMs],
    ["check and restore", restoreMs],
    ["comparison with the dump", verifyMs],
    ["assertions", assertionsMs],
  ];
  return rows.flatMap(([name, ms]) => (ms === undefined ? [] : [[name, formatDuration(ms)]]));
}

const HOUR_MS = 3_600_000;

/** Ages of dumps go into days. */
export function longDuration(ms: number): string {
  if (ms < 48 * HOUR_MS) return formatDuration(ms);
  const hours = Math.round(ms / HOUR_MS);
  const days = `${formatCount(Math.floor(hours / 24))} d`;
  return hours % 24 === 0 ? days : `${days} ${hours % 24} h`;
}

export interface ObjectiveRow {
  readonly name: string;
  readonly measured: string;
  readonly limit: string;
  readonly result: string;
  readonly isMissed: boolean;
}

export function objectiveRows({ objectives }: DrillReport): ObjectiveRow[] {
  const row = (name: string, { ms, maxMs, met }: DrillReport["objectives"]["recoveryTime"]): ObjectiveRow => ({
    name,
    measured: ms === undefined ? "not measured" : longDuration(ms),
    limit: maxMs === undefined ? "none set" : longDuration(maxMs),
    result: met === undefined ? (maxMs === undefined ? "" : "not measured") : met ? "met" : "missed",
    isMissed: met === false,
  });
  return [
    row("recovery time (RTO)", objectives.recoveryTime),
    row("recovery point: the dump's age (RPO)", objectives.recoveryPoint),
  ];
}

const STANDING_TEXT: Record<Standing, string> = {
  equal: "as in the dump",
  missing: "missing",
  differing: "differing",
  expired: "expired meanwhile",
  unproven: "not to be told",
  malformed: "malformed in the dump",
  "not-compared": "not restored, so not compared",
};

/** `118 as in the dump, 2 missing`. */
export function standingsText({ verification }: DrillReport): string | undefined {
  if (verification === undefined) return undefined;
  const { standings, extra } = verification;
  const parts = STANDINGS.filter((each) => standings[each] > 0).map(
    (each) => `${formatCount(standings[each])} ${STANDING_TEXT[each]}`,
  );
  const more = extra > 0 ? [`${formatCount(extra)} on the target that the dump lacks`] : [];
  return [...parts, ...more].join(", ") || "no records";
}

export function differenceText(difference: NonNullable<DrillReport["verification"]>["differences"][number]): string {
  const { adapter, scope, key, at, kind, detail } = difference;
  const place = at === undefined ? "" : `, ${at}`;
  const record = key === undefined ? "" : ` ${key}`;
  return `${escapeForDisplay(`${adapter}:${scope}`)}${record}${place}: ${kind}: ${detail}`;
}
