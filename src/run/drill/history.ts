/**
 * What drills came to, a line each, in a file that is only ever added to. Every line holds the digest of its drill's
 * report and of the line before it, and a file beside it holds the digest of the last one, so that a line or a report that
 * is altered, left out, cut off or put in shows.
 *
 * It tells of changes by accident, or by somebody who does not write the rest anew: it is no signature.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile, syncDirectory } from "../../support/durable-files.js";
import { VERDICTS } from "./verdict.js";

const count = z.int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const historyLineSchema = z.strictObject({
  historyVersion: z.literal(1),
  drill: z.string(),
  startedAt: z.iso.datetime(),
  verdict: z.enum(VERDICTS),
  exitStatus: count,
  dump: z.string(),
  takenAt: z.string().exactOptional(),
  /** Equal for drills whose times can be compared: of the same folder of dumps, scopes and kind of target. */
  series: z.string(),
  restoreMs: count.exactOptional(),
  verifyMs: count.exactOptional(),
  records: count,
  bytes: count,
  recordsPerSecond: z.number().nonnegative().exactOptional(),
  report: z.string(),
  reportSha256: digest,
  /** SHA-256 of the line before, without its line break; 64 zeros in the first line. */
  previous: digest,
});

export type HistoryLine = z.infer<typeof historyLineSchema>;

export interface HistoryEntry {
  /** 1-based. */
  readonly line: number;
  /** Absent for a line that cannot be read. */
  readonly drill?: HistoryLine;
  /** What is wrong with it or with its report. */
  readonly problems: readonly string[];
}

export interface History {
  readonly entries: readonly HistoryEntry[];
}

const FIRST = "0".repeat(64);

/** Oldest first; none where there is no file. Also looks at every report. @throws RestoreError LOCAL_IO */
export async function readHistory(path: string): Promise<History> {
  const entries: HistoryEntry[] = [];
  const lines = await linesOf(path);
  let previous = FIRST;
  for (const [i, text] of lines.entries()) {
    const drill = parsed(text);
    const problems = drill === undefined ? ["the line cannot be read"] : await problemsOf(drill, previous);
    entries.push({ line: i + 1, problems, ...(drill === undefined ? {} : { drill }) });
    previous = sha256(text);
  }
  const [head, text, last] = [await headOf(path), lines.at(-1), entries.at(-1)];
  if (head === undefined) return { entries };
  if (text === undefined || last === undefined) {
    return { entries: [{ line: 1, problems: ["all lines are gone"] }] };
  }
  if (wasWrittenLast(text, head)) return { entries };
  const problems = [...last.problems, "it is not the line that was written last"];
  return { entries: [...entries.slice(0, -1), { ...last, problems }] };
}

/** Or may have been: a crash can cut a line off, and leave the digest of the line before where it came behind a line. */
function wasWrittenLast(text: string, head: string): boolean {
  if (sha256(text) === head) return true;
  const line = parsed(text);
  return line === undefined || line.previous === head;
}

/**
 * Adds a line behind whatever stands there; its digest is of what should stand there. Callers hold a lock.
 * @throws RestoreError LOCAL_IO
 */
export async function addToHistory(path: string, drill: Omit<HistoryLine, "previous">): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a+", 0o600);
    try {
      const text = await file.readFile("utf8");
      const last = splitLines(text).at(-1);
      const line = historyLineSchema.parse({ ...drill, previous: digestBefore(last, await headOf(path)) });
      const written = JSON.stringify(line);
      // A line that a crash cut off stays, and shows.
      const separator = text === "" || text.endsWith("\n") ? "" : "\n";
      await file.appendFile(`${separator}${written}\n`);
      await file.sync();
      await replaceFile(headPath(path), `${sha256(written)}\n`);
    } finally {
      await file.close();
    }
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw new RestoreError("LOCAL_IO", `cannot add to ${path}: ${messageOf(cause)}`, {
      hint: "Make room or name another place with --state-dir.",
      cause,
    });
  }
}

/** Of what should stand there: else what was done to the last line would be put right by the one behind it. */
function digestBefore(last: string | undefined, head: string | undefined): string {
  if (last === undefined) return head ?? FIRST;
  return head === undefined || wasWrittenLast(last, head) ? sha256(last) : head;
}

function headPath(path: string): string {
  return `${path}.head`;
}

async function headOf(path: string): Promise<string | undefined> {
  return (await linesOf(headPath(path)))[0];
}

async function problemsOf(drill: HistoryLine, previous: string): Promise<string[]> {
  const broken =
    drill.previous === previous ? [] : ["the line before it is not the one that stood there when it was written"];
  const report = await readFile(drill.report).catch((error: unknown) => error);
  if (!Buffer.isBuffer(report)) {
    return [...broken, `its report ${drill.report} ${isMissing(report) ? "is gone" : "cannot be read"}`];
  }
  return sha256(report) === drill.reportSha256 ? broken : [...broken, `its report ${drill.report} was altered`];
}

function isMissing(error: unknown): boolean {
  return systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR";
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    if (isMissing(cause)) return "";
    throw new RestoreError("LOCAL_IO", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
  return splitLines(text);
}

function splitLines(text: string): string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function parsed(text: string): HistoryLine | undefined {
  try {
    return historyLineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
