/** The engine's own job behind a job of the daemon: whether it is there, and how it ended. */
import { copyFile, readFile } from "node:fs/promises";
import { systemCode } from "../../errors/restore-error.js";
import { endReportPath, hasEnded, hasReport, readCancellation } from "../../run/job/job-end.js";
import { jobDirectory, jobIds, listedPath, readJob } from "../../run/job/job-file.js";
import { readFileJournal } from "../../run/journal/file-journal.js";
import { replaceFile } from "../../support/durable-files.js";
import type { JobFiles } from "./folder.js";

/** `absent`: never begun, or nothing of it is left. */
export type EngineState = "absent" | "cancelled" | "finished" | "unfinished";

export interface EnginePlace {
  readonly stateDirectory: string;
  readonly id: string;
}

/** One whose files cannot be read counts as unfinished: whoever takes it up is told. */
export async function engineState({ stateDirectory, id }: EnginePlace): Promise<EngineState> {
  if (await hasReport(stateDirectory, id)) return "finished";
  if (await hasEnded(stateDirectory, id)) return "cancelled";
  const job = await readJob(stateDirectory, id).catch(() => "damaged");
  return job === undefined ? "absent" : "unfinished";
}

/** Whether it came as far as its first scope. Until then it is begun anew, and its plan is judged again. */
export async function hasBegun({ stateDirectory, id }: EnginePlace): Promise<boolean> {
  return await readFileJournal(jobDirectory(stateDirectory, id)).then(
    (scopes) => scopes.size > 0,
    () => true,
  );
}

/** None where there is no such folder. */
export async function jobsIn(stateDirectory: string): Promise<EnginePlace[]> {
  return (await jobIds(stateDirectory)).map((id) => ({ stateDirectory, id }));
}

/** Jobs in a state directory that can be taken up. */
export async function unfinishedJobs(stateDirectory: string): Promise<EnginePlace[]> {
  const places = await jobsIn(stateDirectory);
  const states = await Promise.all(places.map(engineState));
  return places.filter((_, at) => states[at] === "unfinished");
}

/** What may be left on the targets of one that was let go of, a sentence each. */
export async function leftBehind({ stateDirectory, id }: EnginePlace): Promise<readonly string[]> {
  return (await readCancellation(stateDirectory, id).catch(() => undefined))?.left ?? [];
}

/** Whether one that was let go of has left nothing that could be removed. */
export async function isRid({ stateDirectory, id }: EnginePlace): Promise<boolean> {
  return (await readCancellation(stateDirectory, id).catch(() => undefined))?.targetsReached === true;
}

/** Of a finished job whose process did not come to writing its report: what the engine itself kept. */
export async function takeReport({ stateDirectory, id }: EnginePlace, files: JobFiles): Promise<void> {
  const [listed] = files.listed;
  if (listed !== undefined) {
    await copyFile(listedPath(stateDirectory, id), listed).catch((error: unknown) => {
      if (systemCode(error) !== "ENOENT") throw error;
    });
  }
  await replaceFile(files.report, await readFile(endReportPath(stateDirectory, id), "utf8"));
}
