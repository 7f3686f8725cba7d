/** Jobs as text. Pure. */
import { escapeControls, escapeForDisplay } from "../model/display.js";
import { OUTCOMES } from "../model/outcome.js";
import type { Cancelled } from "../run/cancel.js";
import type { JobOverview, JobScope, JobState } from "../run/job/jobs.js";
import type { Totals } from "../run/tally.js";
import { formatCount, plural, table } from "./format.js";

const STATE: Record<JobState, string> = {
  running: "running",
  stopped: "stopped",
  finished: "finished",
  cancelled: "cancelled",
  damaged: "damaged",
};

/** `where`: the option that commands need to find the same jobs. */
export function jobsText(jobs: readonly JobOverview[], directory: string, where: string): string {
  if (jobs.length === 0) return `There are no jobs in ${escapeForDisplay(directory)}.\n`;
  const rows = jobs.map((job) => [
    job.id,
    stateText(job),
    began(job),
    job.mode ?? "",
    counts(job.totals),
    job.dump ?? job.problem ?? "",
  ]);
  const unfinished = jobs.filter(({ state }) => state === "stopped");
  const next =
    unfinished.length === 0
      ? []
      : [
          "",
          `Take up a stopped one: elastickv-restore resume ${unfinished.length === 1 ? unfinished[0]?.id : "<job>"}${where}`,
        ];
  return text([...table(["job", "state", "begun", "mode", "records", "dump"], rows, []), ...next]);
}

export function jobText(job: JobOverview, where: string): string {
  const scopes = job.scopes.map((scope) => scopeRow(scope, job.totals));
  const used = OUTCOMES.filter((kind) => job.totals[kind] > 0);
  return text([
    `Job      ${job.id}, ${stateText(job)}`,
    ...(job.problem === undefined ? [] : [`         ${job.problem}`]),
    ...(job.dump === undefined ? [] : [`Dump     ${job.dump}`]),
    ...(job.mode === undefined ? [] : [`Mode     ${job.mode}`]),
    ...(job.startedAt === undefined ? [] : [`Begun    ${began(job)}`]),
    ...(job.endedAt === undefined ? [] : [`Ended    ${shortTime(job.endedAt)}`]),
    `Records  ${counts(job.totals) || "none yet"}`,
    ...leftLines(job.left ?? []),
    "",
    ...(scopes.length === 0 ? [] : table(["scope", "phase", ...used, "under way"], scopes, [...used, "under way"])),
    ...nextSteps(job, where),
  ]);
}

/** One line for messages. */
export function jobLine(job: JobOverview): string {
  return [job.id, stateText(job), `begun ${began(job)}`, job.dump ?? ""].join("  ").trimEnd();
}

function stateText({ state, pid, exitStatus }: JobOverview): string {
  if (state === "running" && pid !== undefined) return `running (process ${pid})`;
  if (state === "finished" && exitStatus !== undefined) return `finished (status ${exitStatus})`;
  return STATE[state];
}

function scopeRow({ adapter, scope, target, phase, outcomes, underWay }: JobScope, totals: Totals): string[] {
  const label = target === scope ? `${adapter}:${scope}` : `${adapter}:${scope} → ${target}`;
  const used = OUTCOMES.filter((kind) => totals[kind] > 0);
  return [
    escapeForDisplay(label),
    phase ?? "waiting",
    ...used.map((kind) => formatCount(outcomes[kind])),
    underWay === 0 ? "" : formatCount(underWay),
  ];
}

function nextSteps({ id, state, pid, left = [], targetsReached }: JobOverview, where: string): string[] {
  if (left.length > 0 && targetsReached === false) {
    return ["", `Remove what is left: elastickv-restore cancel ${id}${where}`];
  }
  if (state === "stopped") {
    return [
      "",
      `Take it up: elastickv-restore resume ${id}${where}`,
      `Let go of it: elastickv-restore cancel ${id}${where}`,
    ];
  }
  if (state === "running")
    return ["", `Stop it: ${pid === undefined ? `elastickv-restore cancel ${id}${where}` : `kill ${pid}`}`];
  if (state === "damaged") return ["", `Let go of it: elastickv-restore cancel ${id} --forget${where}`];
  return [];
}

function counts(totals: Totals): string {
  const [first, ...rest] = OUTCOMES.filter((kind) => totals[kind] > 0).map(
    (kind) => `${formatCount(totals[kind])} ${kind}`,
  );
  return first === undefined ? "" : [first, ...rest].join(", ");
}

function began({ startedAt }: JobOverview): string {
  return startedAt === undefined ? "" : shortTime(startedAt);
}

function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}

/** What letting go of a job did. */
export function cancelledText(id: string, { underWay, left, targetsReached }: Cancelled, where: string): string {
  const inDoubt =
    underWay === 0
      ? []
      : [`${plural(underWay, "record")} had been under way: each may be there, a merge or an append of it in part.`];
  const again = [`The targets were not asked. Later: elastickv-restore cancel ${id}${where}`];
  return text([
    `Job ${id} is cancelled. What it restored stays.`,
    ...inDoubt,
    ...(targetsReached || left.length === 0 ? [] : again),
    ...leftLines(left),
  ]);
}

function leftLines(left: readonly string[]): string[] {
  return left.length === 0 ? [] : ["There may be left:", ...left.map((each) => `  ${each}`)];
}

function text(lines: readonly string[]): string {
  return `${escapeControls(lines.join("\n")).trimEnd()}\n`;
}
