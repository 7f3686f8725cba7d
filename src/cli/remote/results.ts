/** What a daemon's job came to: the same texts, files and exit status as of a run of this process. */
import { open } from "node:fs/promises";
import * as z from "zod";
import type { JobView } from "../../daemon/schema/job.js";
import { ERROR_CODES, EXIT } from "../../errors/codes.js";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { ADAPTERS } from "../../model/scope.js";
import { drillReportSchema } from "../../run/drill/report.js";
import { planSchema } from "../../run/plan/plan-schema.js";
import { reportSchema } from "../../run/report.js";
import { type Verification, verificationSchema } from "../../run/verify/report.js";
import type { DumpVerification } from "../../run/verify-dump.js";
import { present } from "../../support/present.js";
import { evidenceIn, writeEvidence } from "../drill-evidence.js";
import { drillText } from "../drill-text.js";
import { errorText } from "../error-text.js";
import { htmlComparison } from "../html/comparison.js";
import { htmlReport } from "../html/report.js";
import { json, jsonLine, print } from "../output.js";
import { planText } from "../plan-text.js";
import { keepReports, listPathOf, type ReportOf } from "../reports.js";
import { reportText, verificationText } from "../text.js";
import { comparisonText } from "../verification-text.js";
import type { Session } from "./session.js";

export interface ResultArguments {
  readonly json?: boolean;
  readonly report?: readonly string[];
  /** Folder for a drill's evidence, absolute. */
  readonly out?: string;
}

/** Prints what an ended job came to, and keeps its reports. @returns the exit status @throws RestoreError */
export async function showResult(session: Session, job: JobView, args: ResultArguments): Promise<number> {
  if (job.kind === "plan" ? job.has.plan : job.has.report) await SHOW[job.kind](session, job, args);
  else if (job.state === "finished") throw noResult(job, session);
  const { error, state } = job;
  if (state === "cancelled") {
    await print(session.io.stderr, `job ${job.id} was cancelled. What it restored stays.\n`);
    return EXIT.stopped;
  }
  // A plan says itself why it would be refused.
  if (error !== undefined && !(job.kind === "plan" && job.has.plan)) {
    await print(session.io.stderr, `${errorText(failureOf(job, error))}${goOnText(job, session)}`);
  }
  return statusOf(job);
}

type Show = (session: Session, job: JobView, args: ResultArguments) => Promise<void>;

const SHOW: Readonly<Record<JobView["kind"], Show>> = {
  plan: showPlan,
  apply: showRestore,
  verify: (session, job, args) => (job.target === undefined ? showDumpCheck : showComparison)(session, job, args),
  drill: showDrill,
};

async function showPlan({ client, io }: Session, { id }: JobView, args: ResultArguments): Promise<void> {
  const { plan: answer } = await client.plan(id);
  const plan = client.understood(answer, planSchema);
  const how = `Carry it out: elastickv-restore apply --plan ${id}${client.server.option}\n`;
  await print(io.stdout, args.json === true ? json(plan) : `${planText(plan)}${plan.refusal === undefined ? how : ""}`);
}

async function showRestore(session: Session, { id }: JobView, args: ResultArguments): Promise<void> {
  const { client, io } = session;
  const { rejectsFile: _theirs, verification, ...told } = await client.report(id, reportSchema);
  const rejectsFile = told.listedCount === 0 ? undefined : await keepList(session, id, args, "restore");
  const compared = verification === undefined ? undefined : withoutFile(verification);
  const report = { ...told, ...present({ rejectsFile, verification: compared }) };
  const more = compared === undefined ? "" : `\nCompared with the dump:\n\n${comparisonText(compared)}`;
  await print(io.stdout, args.json === true ? json(report) : `${reportText(report)}${more}`);
  await keepReports(args.report ?? [], { report, html: htmlReport }, quiet(session, args));
}

async function showComparison(session: Session, { id }: JobView, args: ResultArguments): Promise<void> {
  const told = withoutFile(await session.client.report(id, verificationSchema));
  const differencesFile = told.differenceCount === 0 ? undefined : await keepList(session, id, args, "comparison");
  const report = { ...told, ...present({ differencesFile }) };
  await print(session.io.stdout, args.json === true ? json(report) : comparisonText(report));
  await keepReports(args.report ?? [], { report, html: htmlComparison }, quiet(session, args));
}

/** It names a place on the daemon's machine. */
function withoutFile({ differencesFile: _theirs, ...verification }: Verification): Verification {
  return verification;
}

const count = z.number().nonnegative();

const dumpCheckSchema: z.ZodType<DumpVerification> = z.object({
  dump: z.string(),
  takenAt: z.string(),
  phase: z.string(),
  files: count,
  bytes: count,
  scopes: z.array(
    z.object({
      adapter: z.enum(ADAPTERS),
      scope: z.string(),
      files: count,
      bytes: count,
      records: count.exactOptional(),
      malformed: count.exactOptional(),
      warnings: z.array(z.string()),
    }),
  ),
  malformedCount: count,
  malformed: z.array(
    z.object({
      scope: z.string(),
      path: z.string(),
      line: count.exactOptional(),
      key: z.string(),
      reason: z.string(),
      detail: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});

async function showDumpCheck({ client, io }: Session, { id }: JobView, args: ResultArguments): Promise<void> {
  const result = await client.report(id, dumpCheckSchema);
  await print(io.stdout, args.json === true ? json(result) : verificationText(result));
}

async function showDrill({ client, io }: Session, { id }: JobView, args: ResultArguments): Promise<void> {
  const report = await client.report(id, drillReportSchema);
  await print(io.stdout, args.json === true ? json(report) : drillText(report));
  if (args.out === undefined) return;
  await writeEvidence(report, evidenceIn(args.out));
  if (args.json === true) return;
  await print(io.stdout, `The evidence stands in ${args.out}: drill.html, drill.md, drill.json.\n`);
}

function quiet({ io }: Session, args: ResultArguments) {
  return { stdout: io.stdout, isQuiet: args.json === true };
}

/** The records one by one, beside the first report as JSON lines. @returns the file, if there is a report to stand beside */
async function keepList(
  { client }: Session,
  id: string,
  { report = [] }: ResultArguments,
  of: ReportOf,
): Promise<string | undefined> {
  const path = listPathOf(report, of);
  if (path === undefined) return undefined;
  const file = await open(path, "w", 0o600).catch((cause: unknown) => {
    throw notKept(path, cause);
  });
  try {
    for await (const record of client.rejects(id)) {
      await file.appendFile(jsonLine(record)).catch((cause: unknown) => {
        throw notKept(path, cause);
      });
    }
  } finally {
    await file.close();
  }
  return path;
}

function notKept(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
    hint: "Name a writable place with --report. The daemon keeps the list: `elastickv-restore watch` fetches it again.",
    cause,
  });
}

function noResult({ id }: JobView, { client }: Session): RestoreError {
  return new RestoreError("CONNECTION", `the daemon at ${client.server.name} has no report of job ${id}`, {
    hint: "Its log may tell more.",
  });
}

function failureOf({ id, kind }: JobView, { code, message, hint, where }: NonNullable<JobView["error"]>): RestoreError {
  return new RestoreError(code, `job ${id} (${kind}): ${message}`, present({ hint, where }));
}

function goOnText({ id, state }: JobView, { client }: Session): string {
  if (state !== "held") return "";
  const { option } = client.server;
  return `To go on where it was: elastickv-restore resume ${id}${option}\nTo let go of it: elastickv-restore cancel ${id}${option}\n`;
}

/** As the run itself would have ended: 130 and 143 would say that this command was interrupted. */
function statusOf({ state, result, error }: JobView): number {
  const told = result === undefined || (result.exitStatus === EXIT.ok && error !== undefined) ? undefined : result;
  const status = told?.exitStatus ?? (error === undefined ? EXIT.stopped : ERROR_CODES[error.code]);
  const isStopped = status === EXIT.interrupted || status === EXIT.terminated;
  return isStopped || (state !== "finished" && status === EXIT.ok) ? EXIT.stopped : status;
}
