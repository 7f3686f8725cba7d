/**
 * The words of the command line by which a job's process is begun. Pure. Every value stands behind `=` in one word with its
 * option, so that no value can be taken for an option.
 */
import type { Limits } from "../channel.js";
import type { JobFiles } from "./folder.js";
import type { JobRecord } from "./record.js";

export interface WordsInit {
  readonly record: JobRecord;
  readonly files: JobFiles;
  /** The dump's folder, absolute. */
  readonly dump: string;
  readonly stateDirectory: string;
  /** The configuration file, absolute. */
  readonly config: string;
  /** Files of assertions by name, absolute. */
  readonly assertions: Readonly<Record<string, string>>;
}

/** Options of a job by the command line's names for them, where it has others. */
const NAMES: Readonly<Record<string, string>> = { adapters: "adapter", scopes: "scope", databases: "drill-database" };

export function planWords(init: WordsInit): string[] {
  return ["plan", ...common(init), `--out=${init.files.plan}`, init.dump];
}

/** `confirmed`: what the plan deletes. `plan`: the file of the plan that is carried out; it has the dump and all options. */
export function applyWords(init: WordsInit, plan?: { readonly path: string; readonly isConfirmed: boolean }): string[] {
  const report = `--report=${init.files.report}`;
  if (plan === undefined) return ["apply", ...common(init), report, init.dump];
  const beside = ["--progress=none", `--state-dir=${init.stateDirectory}`, ...limitWords(init.record.limits)];
  return ["apply", `--plan=${plan.path}`, ...(plan.isConfirmed ? ["--yes"] : []), ...beside, report];
}

/** Takes up a restore that was begun; everything else it knows itself. */
export function resumeWords(
  id: string,
  { stateDirectory, limits, report }: { stateDirectory: string; limits: Limits; report?: string },
): string[] {
  const kept = report === undefined ? [] : [`--report=${report}`];
  return ["resume", `--state-dir=${stateDirectory}`, "--progress=none", ...limitWords(limits), ...kept, id];
}

/** `resumes`: a comparison that was stopped. Of a dump alone, standard output takes the report. */
export function verifyWords(init: WordsInit, resumes: boolean): string[] {
  const { record, files } = init;
  if (record.target === undefined) return ["verify", ...common(init), "--json", init.dump];
  const repairs = optionOf(record, "repair") === true;
  return [
    "verify",
    ...common(repairs ? { ...init, stateDirectory: files.state } : init),
    ...(repairs && optionOf(record, "mode") === "replace" ? ["--yes"] : []),
    ...(resumes ? ["--resume"] : []),
    `--report=${files.report}`,
    init.dump,
  ];
}

/** The comparison that an `apply --verify` did not come to. `startedAt`: of the restore, as its report says. */
export function comparisonWords(init: WordsInit, startedAt: string): string[] {
  const rebased = optionOf(init.record, "ttlPolicy") === "rebase" ? [`--rebase-from=${startedAt}`] : [];
  const { verify: _verify, ...options } = init.record.options as { readonly verify?: boolean };
  const compared = common({ ...init, record: { ...init.record, options } });
  return ["verify", ...compared, ...rebased, `--report=${init.files.comparison}`, init.dump];
}

export function drillWords(init: WordsInit): string[] {
  return ["drill", ...common(init), `--out=${init.files.evidence}`, init.dump];
}

/** Removes what killed drills left. */
export function cleanWords(stateDirectory: string): string[] {
  return ["drill", "--clean", `--state-dir=${stateDirectory}`, "--progress=none"];
}

/** Lets go of a restore. `forgets`: without reaching the targets. */
export function cancelWords(id: string, stateDirectory: string, forgets: boolean): string[] {
  const how = forgets ? ["--forget"] : [`--max-retry-time=${CANCEL_RETRY_TIME}`];
  return ["cancel", `--state-dir=${stateDirectory}`, "--progress=none", ...how, id];
}

/** Somebody waits for it, and what is left then is told. */
const CANCEL_RETRY_TIME = "1m";

function common({ record, files, stateDirectory, config, assertions }: WordsInit): string[] {
  const { target, options, limits } = record;
  return [
    `--state-dir=${stateDirectory}`,
    "--progress=none",
    // Without a target there is nothing in the file to be named.
    ...(target === undefined ? [] : [`--config=${config}`, `--target=${target}`]),
    ...Object.entries(options).flatMap(([name, value]) => optionWords(name, value, assertions)),
    ...(optionOf(record, "streamMergeStrategy") === "auto-id" ? [`--remap-dir=${files.remap}`] : []),
    ...limitWords(limits),
  ];
}

function optionWords(name: string, value: unknown, assertions: WordsInit["assertions"]): string[] {
  const option = `--${NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (name === "assertions") return [`${option}=${assertions[String(value)] ?? ""}`];
  if (typeof value === "boolean") return value ? [option] : [];
  return [value].flat().map((each) => `${option}=${String(each)}`);
}

function limitWords({ rateLimit, concurrency }: Limits): string[] {
  return [
    ...(rateLimit === undefined ? [] : [`--rate-limit=${rateLimit}`]),
    ...(concurrency === undefined ? [] : [`--concurrency=${concurrency}`]),
  ];
}

/** What was asked for under this name, of whatever kind the job is. */
export function optionOf({ options }: Pick<JobRecord, "options">, name: string): unknown {
  return (options as Readonly<Record<string, unknown>>)[name];
}
