/** The files of `--report`: that they can be written is found before hours of work, not after them. */
import { access, constants, lstat, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { Io } from "./io.js";
import { json, print, writeResult } from "./output.js";

/** What a report is a report of, which names the list beside it. */
export type ReportOf = "restore" | "comparison";

const LIST_SUFFIX: Readonly<Record<ReportOf, string>> = {
  restore: ".rejects.jsonl",
  comparison: ".differences.jsonl",
};

/** Where records are listed one by one: beside the first report. `report.json`: `report.rejects.jsonl`. */
export function listPathOf(paths: readonly string[], of: ReportOf): string | undefined {
  const first = paths.find((path) => !isHtml(path)) ?? paths[0];
  return first === undefined ? undefined : `${first.replace(/\.(json|html)$/i, "")}${LIST_SUFFIX[of]}`;
}

/** A list of an earlier run beside the report is not this one's: it is removed. @throws RestoreError USAGE */
export async function makeRoomForReports(paths: readonly string[], of: ReportOf): Promise<void> {
  for (const path of paths) await assertWritable(path, "--report");
  const list = listPathOf(paths, of);
  if (list === undefined) return;
  const found = await lstat(list).catch(() => undefined);
  if (found?.isFile() === true) await rm(list, { force: true });
}

/** Writes the report to each of them, as its name asks for, and says so unless it is to be quiet. */
export async function keepReports<R>(
  paths: readonly string[],
  { report, html }: { readonly report: R; readonly html: (report: R) => string },
  { stdout, isQuiet }: Pick<Io, "stdout"> & { readonly isQuiet: boolean },
): Promise<void> {
  for (const path of paths) await writeResult(path, isHtml(path) ? html(report) : json(report));
  if (!isQuiet && paths.length > 0) await print(stdout, `The report stands in ${paths.join(" and ")}.\n`);
}

function isHtml(path: string): boolean {
  return /\.html?$/i.test(path);
}

/** That a file can be written is found before the work whose result it takes. @throws RestoreError USAGE */
export async function assertWritable(path: string, option: string): Promise<void> {
  if (path === "") throw unusable(`${option} names no file`, "Name a file.");
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) throw unusable(`${option}: ${path} is a folder`, "Name a file in it.");
  // Whoever opens a pipe that nobody reads waits for ever, and a device keeps nothing.
  if (there?.isFile() === false) {
    throw unusable(`${option}: ${path} is no regular file`, "Name a file; --json writes to standard output.");
  }
  const fail = (what: string, hint: string) => (cause: unknown) => {
    throw unusable(`${option}: ${what} cannot be written to: ${messageOf(cause)}`, hint);
  };
  if (there !== undefined) await access(path, constants.W_OK).catch(fail(path, "Name another file."));
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch(fail(folder, "Name a file in a folder that exists."));
}

function unusable(message: string, hint: string): RestoreError {
  return new RestoreError("USAGE", message, { hint });
}
