/** The files of `--report`: that they can be written is found before hours of work, not after them. */
import { access, constants, lstat, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { rejectsPathFor } from "../run/rejects-path.js";
import type { Report } from "../run/report.js";
import { htmlReport } from "./html/report.js";
import type { Io } from "./io.js";
import { json, print, writeResult } from "./output.js";

/** Where what was not restored is listed: beside the first report. */
export function rejectsPathOf(paths: readonly string[]): string | undefined {
  const first = paths.find((path) => !isHtml(path)) ?? paths[0];
  return first === undefined ? undefined : rejectsPathFor(first);
}

/** Rejects of an earlier run beside the report are not this one's: they are removed. @throws RestoreError USAGE */
export async function makeRoomForReports(paths: readonly string[]): Promise<void> {
  for (const path of paths) await assertWritable(path);
  const rejects = rejectsPathOf(paths);
  if (rejects === undefined) return;
  const found = await lstat(rejects).catch(() => undefined);
  if (found?.isFile() === true) await rm(rejects, { force: true });
}

/** Writes the report to each of them, as its name asks for, and says so unless it is to be quiet. */
export async function keepReports(
  paths: readonly string[],
  report: Report,
  { stdout, isQuiet }: Pick<Io, "stdout"> & { readonly isQuiet: boolean },
): Promise<void> {
  for (const path of paths) await writeResult(path, isHtml(path) ? htmlReport(report) : json(report));
  if (!isQuiet && paths.length > 0) await print(stdout, `The report stands in ${paths.join(" and ")}.\n`);
}

function isHtml(path: string): boolean {
  return /\.html?$/i.test(path);
}

async function assertWritable(path: string): Promise<void> {
  if (path === "") throw unusable("--report names no file", "Name a .json or .html file.");
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) throw unusable(`--report: ${path} is a folder`, "Name a file in it.");
  // Whoever opens a pipe that nobody reads waits for ever, and a device keeps nothing.
  if (there?.isFile() === false) {
    throw unusable(`--report: ${path} is no regular file`, "Name a file; --json writes the report to standard output.");
  }
  const fail = (what: string, hint: string) => (cause: unknown) => {
    throw unusable(`--report: ${what} cannot be written to: ${messageOf(cause)}`, hint);
  };
  if (there !== undefined) await access(path, constants.W_OK).catch(fail(path, "Name another file."));
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch(fail(folder, "Name a file in a folder that exists."));
}

function unusable(message: string, hint: string): RestoreError {
  return new RestoreError("USAGE", message, { hint });
}
