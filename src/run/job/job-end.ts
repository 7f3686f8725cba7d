/** How a job ended, in its folder: `report.json` of one that came to its end, `cancelled.json` of one that was let go of. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile } from "../../support/durable-files.js";
import { jobDirectory } from "./job-file.js";

const REPORT = "report.json";
const CANCELLED = "cancelled.json";

const cancellationSchema = z.strictObject({
  cancelledVersion: z.literal(1),
  /** Unix milliseconds. */
  cancelledAt: z.int().nonnegative(),
  /** What may stand on the targets beside records, in a sentence each. */
  left: z.array(z.string()),
});

export type Cancellation = z.infer<typeof cancellationSchema>;

/** The report's path, whether it is there or not. */
export function endReportPath(stateDirectory: string, id: string): string {
  return join(jobDirectory(stateDirectory, id), REPORT);
}

/** The report of a job that came to its end, as text. @throws RestoreError LOCAL_IO when it is there and cannot be read */
export async function readEnd(stateDirectory: string, id: string): Promise<string | undefined> {
  return await readIfThere(endReportPath(stateDirectory, id));
}

/** Undefined for a job that nobody let go of. */
export async function readCancellation(stateDirectory: string, id: string): Promise<Cancellation | undefined> {
  const text = await readIfThere(join(jobDirectory(stateDirectory, id), CANCELLED));
  return text === undefined ? undefined : cancellationSchema.parse(JSON.parse(text));
}

/** Whether the job is not to be taken up any more. */
export async function hasEnded(stateDirectory: string, id: string): Promise<boolean> {
  if ((await readEnd(stateDirectory, id)) !== undefined) return true;
  return (await readIfThere(join(jobDirectory(stateDirectory, id), CANCELLED))) !== undefined;
}

/** Lets go of a job for ever. @throws the system's error */
export async function writeCancellation(
  stateDirectory: string,
  id: string,
  { at, left }: { readonly at: number; readonly left: readonly string[] },
): Promise<void> {
  const cancellation: Cancellation = { cancelledVersion: 1, cancelledAt: at, left: [...left] };
  await replaceFile(
    join(jobDirectory(stateDirectory, id), CANCELLED),
    `${JSON.stringify(cancellation, undefined, 2)}\n`,
  );
}

/** Keeps how a job ended. @throws the system's error */
export async function writeEnd(directory: string, report: string): Promise<void> {
  await replaceFile(join(directory, REPORT), report);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw new RestoreError("LOCAL_IO", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
}
