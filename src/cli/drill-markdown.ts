/** A drill as Markdown, for a ticket or a wiki. Pure. */
import { escapeControls } from "../model/display.js";
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
import { formatBytes, formatCount, formatDuration } from "./format.js";

const SHOWN = 100;

export function drillMarkdown(report: DrillReport): string {
  const { dump, target, drill, startedAt, cleanUp, trend } = report;
  const sections = [
    `# Disaster-recovery drill ${text(drill)}`,
    `**${text(drillSentence(report))}**`,
    ...drillProblems(report).map(text),
    rows(
      ["", ""],
      [
        ["held", `${startedAt} to ${report.endedAt}`],
        ["dump", dump.path],
        ...(dump.takenAt === undefined ? [] : [["taken", dump.takenAt]]),
        ...(dump.digest === undefined ? [] : [["digest", dump.digest]]),
        ...(dump.picked === undefined
          ? []
          : [["chosen", `the ${dump.picked.how} of ${dump.picked.from.length} under ${dump.picked.root}`]]),
        ...target.servers.map((server) => [server.adapter, serverText(server)]),
        ...timeRows(report),
      ],
    ),
    section(
      "Objectives",
      rows(
        ["objective", "measured", "allowed", "result"],
        objectiveRows(report).map(({ name, measured, limit, result }) => [name, measured, limit, result]),
      ),
    ),
    section("Restored", restored(report)),
    section("Compared with the dump", compared(report)),
    section("Assertions", asserted(report)),
    section("The last drills", trended(trend)),
    section("Warnings", list(report.warnings)),
    section("What no public endpoint can restore", list(report.notRestorable)),
    section("Removed afterwards", list(cleanUp.removed)),
    section("Left behind", list(cleanUp.left)),
  ];
  return `${sections.filter((part) => part !== "").join("\n\n")}\n`;
}

function restored({ adapters, restore }: DrillReport): string {
  if (restore === undefined) return "";
  const { listed, totals } = restore;
  const left = totals.rejected + totals.failed + totals.ambiguous;
  return [
    rows(
      ["adapter", "records", "size", "time", "records/s", "bytes/s"],
      adapters.map(({ adapter, records, bytes, durationMs, recordsPerSecond, bytesPerSecond }) => [
        adapter,
        formatCount(records),
        formatBytes(bytes),
        formatDuration(durationMs),
        formatCount(Math.round(recordsPerSecond)),
        formatBytes(bytesPerSecond),
      ]),
    ),
    left === 0 ? "" : `${formatCount(left)} records were not restored:`,
    list(
      listed.slice(0, SHOWN).map(({ outcome, key, path, reason }) => `${outcome}: ${key} (${path}): ${reason ?? ""}`),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function compared(report: DrillReport): string {
  const { verification } = report;
  const standings = standingsText(report);
  if (verification === undefined || standings === undefined) return "";
  return [
    `${standings}.`,
    list(verification.differences.slice(0, SHOWN).map(differenceText)),
    list(verification.unproven),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function asserted({ assertions }: DrillReport): string {
  if (assertions.length === 0) return "";
  return rows(
    ["assertion", "kind", "line", "result", ""],
    assertions.map(({ name, kind, line, outcome, detail = "" }) => [name, kind, String(line), outcome, detail]),
  );
}

function trended({ drills, medianMs, remark }: DrillReport["trend"]): string {
  if (medianMs === undefined) return "";
  return [
    rows(
      ["drill", "begun", "verdict", "restored in", "records"],
      drills.map(({ drill, startedAt, verdict, restoreMs, records }) => [
        drill,
        startedAt,
        verdict,
        restoreMs === undefined ? "" : formatDuration(restoreMs),
        formatCount(records),
      ]),
    ),
    `Median: ${formatDuration(medianMs)}.${remark === undefined ? "" : ` ${text(remark)}.`}`,
  ].join("\n\n");
}

function section(title: string, body: string): string {
  return body === "" ? "" : `## ${title}\n\n${body}`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${text(item)}`).join("\n");
}

function rows(header: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(" | ")} |`;
  return [line(header), `| ${header.map(() => "---").join(" | ")} |`, ...body.map(line)].join("\n");
}

/** What a dump or a server said is text, never markup. */
function text(value: string): string {
  return escapeControls(value)
    .replaceAll("\n", " ")
    .replace(/[\\`*_[\]<>|#]/g, (char) => `\\${char}`);
}
