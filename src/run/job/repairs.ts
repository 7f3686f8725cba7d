/** What repairs keep in the state directory: the report of what differed, and its list, which the job that mends reads. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { hasEnded } from "./job-end.js";
import { jobIds, readJob } from "./job-file.js";

/** Made where it is missing. @throws RestoreError LOCAL_IO */
export async function openRepairs(stateDirectory: string): Promise<string> {
  const directory = repairsDirectory(stateDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot make ${directory}: ${messageOf(cause)}`, {
      hint: "Make room or name another place with --state-dir.",
      cause,
    });
  });
  return directory;
}

/** Removes what was written before (Unix ms), but for what a job still needs that may be taken up. Repeatable. */
export async function removeRepairs(stateDirectory: string, before: number): Promise<void> {
  const directory = repairsDirectory(stateDirectory);
  const needed = await neededBy(stateDirectory);
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    const [id = name] = name.split(".");
    // By its name alone: the state directory may have been named in another way when the job began.
    if (needed.some((words) => words.includes(join("repairs", id)))) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.mtimeMs <= before) await rm(path, { force: true });
  }
}

function repairsDirectory(stateDirectory: string): string {
  return join(stateDirectory, "repairs");
}

/** The words of jobs that have not ended. */
async function neededBy(stateDirectory: string): Promise<string[]> {
  const words: string[] = [];
  for (const id of await jobIds(stateDirectory)) {
    if (await hasEnded(stateDirectory, id)) continue;
    const job = await readJob(stateDirectory, id).catch(() => undefined);
    words.push((job?.words ?? []).join("\n"));
  }
  return words;
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw new RestoreError("LOCAL_IO", `cannot read ${directory}: ${messageOf(error)}`, { cause: error });
  });
}
