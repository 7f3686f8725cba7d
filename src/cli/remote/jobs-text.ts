/** A daemon's jobs as text. Pure. */
import type { JobView } from "../../daemon/schema/job.js";
import { escapeForDisplay } from "../../model/display.js";
import { OUTCOMES } from "../../model/outcome.js";
import type { Totals } from "../../run/tally.js";
import { formatBytes, formatCount, formatDuration, table } from "../format.js";
import { lines, warningLines } from "../text-parts.js";

/** `server`: its name for people. `hasMore`: further jobs match. */
export function jobsText(jobs: readonly JobView[], server: string, hasMore: boolean): string {
  if (jobs.length === 0) return lines([`There are no such jobs at ${server}.`]);
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    stateText(job),
    shortTime(job.createdAt),
    recordsText(job),
    dumpText(job),
    job.target ?? "",
  ]);
  return lines([
    ...table(["job", "kind", "state", "asked for", "records", "dump", "target"], rows, ["records"]),
    ...(hasMore ? ["", "There are more: --limit shows so many, --state and --kind only those that are meant."] : []),
  ]);
}

/** `option`: what commands need to find the same daemon. */
export function jobText(job: JobView, option: string): string {
  const { id, kind, target, limits, by, schedule, plan, attempts, result, error, progress } = job;
  const { rateLimit, concurrency } = limits;
  const kept = [...(rateLimit === undefined ? [] : [rateLimit]), ...(concurrency === undefined ? [] : [concurrency])];
  return lines([
    `Job      ${id}, ${kind}, ${stateText(job)}`,
    ...(job.waitsFor === undefined ? [] : [`         ${job.waitsFor}`]),
    `Dump     ${dumpText(job)}`,
    ...(target === undefined ? [] : [`Target   ${target}`]),
    ...optionLines(job),
    ...(kept.length === 0 ? [] : [`Limits   ${kept.join("; ")}`]),
    ...(plan === undefined ? [] : [`Plan     ${plan}`]),
    `Asked    ${shortTime(job.createdAt)} by ${escapeForDisplay(schedule === undefined ? by : `the schedule ${schedule}`)}`,
    ...(job.startedAt === undefined ? [] : [`Begun    ${shortTime(job.startedAt)}${triesText(attempts)}`]),
    ...(job.endedAt === undefined ? [] : [`Ended    ${shortTime(job.endedAt)}`]),
    ...(result === undefined ? [] : [`Result   ${result.verdict}`]),
    "",
    ...scopeLines(progress?.scopes ?? []),
    ...warningLines(job.warnings),
    ...(error === undefined ? [] : ["", `Error    ${error.message}`, ...hintLines(error.hint)]),
    ...nextLines(job, option),
  ]);
}

function hintLines(hint: string | undefined): string[] {
  return hint === undefined ? [] : [`         ${hint}`];
}

function optionLines({ options }: JobView): string[] {
  const told = Object.entries(options).map(([name, value]) => `${name} ${escapeForDisplay(valueText(value))}`);
  return told.length === 0 ? [] : [`Options  ${told.join(", ")}`];
}

function valueText(value: unknown): string {
  return value === true ? "yes" : [value].flat().map(String).join(" ");
}

function triesText(attempts: number): string {
  return attempts > 1 ? `; ${formatCount(attempts)} processes so far` : "";
}

type Scopes = NonNullable<JobView["progress"]>["scopes"];

function scopeLines(scopes: Scopes): string[] {
  if (scopes.length === 0) return [];
  const used = OUTCOMES.filter((kind) => scopes.some(({ outcomes }) => outcomes[kind] > 0));
  const differ = scopes.some(({ differing }) => differing > 0);
  const columns = ["records", ...used, ...(differ ? ["differing"] : []), "size", "records/s", "left"];
  const rows = scopes.map((scope) => [
    escapeForDisplay(scope.scope),
    scope.isComparison ? "compared" : "restored",
    formatCount(scope.records),
    ...used.map((kind) => (scope.outcomes[kind] === 0 ? "" : formatCount(scope.outcomes[kind]))),
    ...(differ ? [scope.differing === 0 ? "" : formatCount(scope.differing)] : []),
    formatBytes(scope.bytes),
    formatCount(Math.round(scope.perSecond)),
    scope.isFinished ? "done" : scope.secondsLeft === undefined ? "" : formatDuration(scope.secondsLeft * 1000),
  ]);
  return table(["scope", "what", ...columns], rows, columns);
}

function nextLines({ id, state, has }: JobView, option: string): string[] {
  const command = (verb: string, more = "") => `elastickv-restore ${verb} ${id}${more}${option}`;
  switch (state) {
    case "queued":
    case "running":
      return ["", `Watch it: ${command("watch")}`, `Let go of it: ${command("cancel")}`];
    case "paused":
    case "held":
      return ["", `Go on with it: ${command("resume")}`, `Let go of it: ${command("cancel")}`];
    default:
      return has.report || has.plan ? ["", `What it came to: ${command("watch")}`] : [];
  }
}

export function stateText({ state, result }: Pick<JobView, "result" | "state">): string {
  return state === "finished" && result !== undefined ? `finished (status ${result.exitStatus})` : state;
}

function dumpText({ dump: { root, path } }: JobView): string {
  return escapeForDisplay(path === "" ? root : `${root}/${path}`);
}

/** Of all scopes, as far as they are. */
function recordsText({ result, progress }: JobView): string {
  if (result?.totals !== undefined) return formatCount(sum(result.totals));
  const records = (progress?.scopes ?? []).reduce((total, scope) => total + scope.records, 0);
  return records === 0 ? "" : formatCount(records);
}

function sum(totals: Totals): number {
  return OUTCOMES.reduce((total, kind) => total + totals[kind], 0);
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}
