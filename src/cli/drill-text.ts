/** Drills as text for a terminal: what one came to, the history, what is left. Pure. */
import { OUTCOMES } from "../model/outcome.js";
import type { History } from "../run/drill/history.js";
import type { CleanedDrill } from "../run/drill/leftovers.js";
import type { DrillReport } from "../run/drill/report.js";
import {
  differenceText,
  drillProblems,
  drillSentence,
  objectiveRows,
  serverText,
  standingsText,
  timeRows,
} from "./drill-words.js";
import { formatBytes, formatCount, formatDuration, table } from "./format.js";
import { lines, shownPlace, warningLines } from "./text-parts.js";

const SHOWN = 20;

export function drillText(report: DrillReport): string {
  const { dump, target, cleanUp, trend, warnings } = report;
  return lines([
    `Dump     ${dump.path}`,
    ...(dump.takenAt === undefined ? [] : [`         taken ${dump.takenAt}`]),
    ...(dump.picked === undefined
      ? []
      : [`         the ${dump.picked.how} of ${dump.picked.from.length} under ${dump.picked.root}`]),
    ...target.servers.map(
      (server, i) => `${i === 0 ? "Target " : "       "}  ${server.adapter.padEnd(8)}  ${serverText(server)}`,
    ),
    "",
    ...paceTable(report),
    "",
    ...timeRows(report).map(([name, time]) => `${time.padStart(12)}  ${name}`),
    "",
    ...restoreLines(report),
    ...verificationLines(report),
    ...assertionLines(report),
    ...objectiveLines(report),
    ...(trend.medianMs === undefined
      ? []
      : [
          `Median of the drills before (${trend.drills.length}): ${formatDuration(trend.medianMs)}${trend.remark === undefined ? "" : `; ${trend.remark}`}`,
        ]),
    ...warningLines(warnings),
    ...(cleanUp.left.length === 0
      ? []
      : ["", "Left behind, since it could not be removed:", ...cleanUp.left.map((text) => `  ${text}`), ""]),
    "",
    `Drill ${report.drill}. ${drillSentence(report)}`,
    ...drillProblems(report),
  ]);
}

function paceTable({ adapters }: DrillReport): string[] {
  if (adapters.length === 0) return [];
  return table(
    ["adapter", "restored", "size", "time", "records/s", "bytes/s"],
    adapters.map(({ adapter, records, bytes, durationMs, recordsPerSecond, bytesPerSecond }) => [
      adapter,
      formatCount(records),
      formatBytes(bytes),
      formatDuration(durationMs),
      formatCount(Math.round(recordsPerSecond)),
      formatBytes(bytesPerSecond),
    ]),
    ["restored", "size", "time", "records/s", "bytes/s"],
  );
}

function restoreLines({ restore }: DrillReport): string[] {
  if (restore === undefined) return [];
  const outcomes = OUTCOMES.filter((kind) => restore.totals[kind] > 0)
    .map((kind) => `${formatCount(restore.totals[kind])} ${kind}`)
    .join(", ");
  const left = restore.totals.rejected + restore.totals.failed + restore.totals.ambiguous;
  const shown = restore.listed
    .slice(0, SHOWN)
    .map(({ outcome, path, line, key, reason }) => `  ${outcome}  ${shownPlace(path, line)}  ${key}: ${reason ?? ""}`);
  const more = left - shown.length;
  return [
    `Restored: ${outcomes || "no records"}${restore.notReached > 0 ? `, ${formatCount(restore.notReached)} not reached` : ""}`,
    ...shown,
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

function verificationLines(report: DrillReport): string[] {
  const { verification } = report;
  const standings = standingsText(report);
  if (verification === undefined || standings === undefined) return [];
  const shown = verification.differences.slice(0, SHOWN).map((difference) => `  ${differenceText(difference)}`);
  const more = verification.differenceCount - shown.length;
  return [`Compared: ${standings}`, ...shown, ...(more > 0 ? [`  and ${formatCount(more)} more differences`] : [])];
}

const MARK = { passed: "ok", failed: "FAILED", "not-checked": "not checked" } as const;

function assertionLines({ assertions }: DrillReport): string[] {
  if (assertions.length === 0) return [];
  const failed = assertions.filter(({ outcome }) => outcome === "failed").length;
  const unchecked = assertions.filter(({ outcome }) => outcome === "not-checked").length;
  const counts = [
    `${formatCount(assertions.length - failed - unchecked)} hold`,
    ...(failed > 0 ? [`${formatCount(failed)} do not`] : []),
    ...(unchecked > 0 ? [`${formatCount(unchecked)} were not checked`] : []),
  ].join(", ");
  const named = assertions
    .filter(({ outcome }) => outcome !== "passed")
    .slice(0, SHOWN)
    .flatMap(({ outcome, name, line, detail, output }) => [
      `  ${MARK[outcome]}  ${name} (line ${line})${detail === undefined ? "" : `: ${detail}`}`,
      ...(output === undefined || output.trim() === "" ? [] : lastLines(output).map((text) => `      ${text}`)),
    ]);
  return [`Asserted: ${counts}`, ...named];
}

function lastLines(output: string): string[] {
  return output.trimEnd().split("\n").slice(-5);
}

function objectiveLines(report: DrillReport): string[] {
  return objectiveRows(report)
    .filter(({ result }) => result !== "")
    .map(({ name, measured, limit, result }) => `${name}: ${measured} of ${limit}: ${result}`);
}

/** Oldest first. */
export function historyText({ entries }: History, path: string): string {
  const broken = entries.filter(({ problems }) => problems.length > 0);
  return lines([
    ...table(
      ["drill", "begun", "verdict", "status", "restored in", "records", "records/s", "dump"],
      entries.map(({ drill, line }) =>
        drill === undefined
          ? [`line ${line}`]
          : [
              drill.drill,
              drill.startedAt,
              drill.verdict,
              String(drill.exitStatus),
              drill.restoreMs === undefined ? "" : formatDuration(drill.restoreMs),
              formatCount(drill.records),
              drill.recordsPerSecond === undefined ? "" : formatCount(Math.round(drill.recordsPerSecond)),
              drill.dump,
            ],
      ),
      ["status", "restored in", "records", "records/s"],
    ),
    "",
    ...broken.flatMap(({ line, drill, problems }) =>
      problems.map((problem) => `line ${line}${drill === undefined ? "" : ` (drill ${drill.drill})`}: ${problem}`),
    ),
    entries.length === 0
      ? `No drill was held yet: ${path} is not there.`
      : broken.length === 0
        ? `${path}: every line and every report is as it was written.`
        : `${path}: the chain does not hold.`,
  ]);
}

/** What `--clean` found and did. */
export function leftText(cleaned: readonly CleanedDrill[]): string {
  if (cleaned.length === 0) return "No drill left anything behind.\n";
  return lines(
    cleaned.flatMap(({ id, state, removed, left }) => [
      `drill ${id}: ${STATE_TEXT[state]}`,
      ...removed.map((text) => `  removed  ${text}`),
      ...left.map((text) => `  LEFT     ${text}`),
    ]),
  );
}

const STATE_TEXT: Record<CleanedDrill["state"], string> = {
  running: "it runs, and is left alone",
  cleaned: "it had ended without removing what it made",
  damaged: "what it left is not known",
};
