/**
 * A job's folder: `<state>/jobs/<id>` with `job.json` (what the job is, written once before anything else), its journal,
 * and at the end `report.json`. Readable by its owner alone.
 */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile, syncDirectory } from "../../support/durable-files.js";
import { identitySchema } from "./identity.js";

export const jobFileSchema = z.strictObject({
  jobVersion: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Unix milliseconds. */
  startedAt: z.int().nonnegative(),
  /** The dump's directory, absolute. */
  dump: z.string(),
  /** The words by which the job was begun, for taking it up again. They hold no secrets. */
  words: z.array(z.string()),
  cwd: z.string(),
  identity: identitySchema,
});

export type JobFile = z.infer<typeof jobFileSchema>;

/** Where jobs of a state directory stand. */
function jobsDirectory(stateDirectory: string): string {
  return join(stateDirectory, "jobs");
}

export function jobDirectory(stateDirectory: string, id: string): string {
  return join(jobsDirectory(stateDirectory), id);
}

/** Where a job's records are listed that are not plainly restored. */
export function listedPath(stateDirectory: string, id: string): string {
  return join(jobDirectory(stateDirectory, id), "listed.jsonl");
}

/**
 * Makes the state directory where it is missing.
 * @throws RestoreError LOCAL_IO when it cannot be used, or others could read or write it
 */
export async function openStateDirectory(path: string): Promise<void> {
  const fail = (cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot use the state directory ${path}: ${messageOf(cause)}`, {
      hint: "Name another place with --state-dir.",
      cause,
    });
  };
  await makeDurable(jobsDirectory(path)).catch(fail);
  const { uid, mode } = (await stat(path).catch(fail)) as Awaited<ReturnType<typeof stat>>;
  const own = userInfo().uid;
  if (own >= 0 && Number(uid) !== own) fail(new Error("it belongs to another user"));
  if (own >= 0 && (Number(mode) & 0o022) !== 0) fail(new Error("others may write into it"));
}

/** Makes a folder, and whatever is missing above it, so that a power loss does not take them away again. */
async function makeDurable(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

/** Makes a job's folder and file; one that is there is begun anew. @throws RestoreError LOCAL_IO */
export async function createJob(stateDirectory: string, job: JobFile): Promise<string> {
  const directory = jobDirectory(stateDirectory, job.id);
  try {
    // Not `recursive`: that tells of a folder that is missing where the file system is read-only.
    await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    await writeJob(stateDirectory, job);
    await syncDirectory(jobsDirectory(stateDirectory));
    return directory;
  } catch (cause) {
    throw new RestoreError("LOCAL_IO", `cannot begin a job in ${directory}: ${messageOf(cause)}`, {
      hint: "Make room or name another place with --state-dir.",
      cause,
    });
  }
}

/** Replaces the job's file. @throws the system's error */
export async function writeJob(stateDirectory: string, job: JobFile): Promise<void> {
  await replaceFile(join(jobDirectory(stateDirectory, job.id), "job.json"), `${JSON.stringify(job, undefined, 2)}\n`);
}

/** Undefined when there is no such job. @throws RestoreError JOURNAL_INVALID when its file cannot be read */
export async function readJob(stateDirectory: string, id: string): Promise<JobFile | undefined> {
  const path = join(jobDirectory(stateDirectory, id), "job.json");
  try {
    return jobFileSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw new RestoreError("JOURNAL_INVALID", `${path} cannot be read: it is damaged or of another version`, {
      hint: "`elastickv-restore cancel` lets go of the job; then restore with --mode merge or replace.",
      cause,
    });
  }
}

/** Ids of all jobs, in their order. None where there is no state directory. */
export async function jobIds(stateDirectory: string): Promise<string[]> {
  const names = await readdir(jobsDirectory(stateDirectory)).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw new RestoreError("LOCAL_IO", `cannot read ${jobsDirectory(stateDirectory)}: ${messageOf(error)}`);
  });
  const ids: string[] = [];
  for (const name of names.sort()) {
    if (/^[0-9a-f]{16}$/.test(name) && (await holdsJob(jobDirectory(stateDirectory, name)))) ids.push(name);
  }
  return ids;
}

/** A folder whose process was killed before it wrote down what the job is, and with that before anything else, is none. */
async function holdsJob(directory: string): Promise<boolean> {
  const files = await readdir(directory).catch(() => ["unreadable"]);
  return files.some((file) => file !== "job.json.tmp");
}

/** Removes a job's folder. Repeatable. */
export async function removeJob(stateDirectory: string, id: string): Promise<void> {
  await rm(jobDirectory(stateDirectory, id), { recursive: true, force: true });
}

/** `id`: or how it begins. */
export function unknownJob(id: string, stateDirectory: string): RestoreError {
  return new RestoreError("JOB_UNKNOWN", `there is no job ${id} in ${stateDirectory}`, {
    hint: "`elastickv-restore status` lists the jobs; --state-dir says where they are.",
  });
}
