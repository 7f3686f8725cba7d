/** How a job ended, in its folder: `report.json` of one that came to its end, `cancelled.json` of one that was let go of. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
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
  /** Whether the targets were rid of what can be removed. */
  targetsReached: z.boolean(),
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
  return (await hasReport(stateDirectory, id)) || (await isThere(join(jobDirectory(stateDirectory, id), CANCELLED)));
}

/** Whether the job came to its end. */
export async function hasReport(stateDirectory: string, id: string): Promise<boolean> {
  return await isThere(endReportPath(stateDirectory, id));
}

/** Lets go of a job for ever, or says more of one that was let go of. @throws the system's error */
export async function writeCancellation(
  stateDirectory: string,
  id: string,
  {
    at,
    left,
    targetsReached,
  }: { readonly at: number } & Pick<Cancellation, "targetsReached"> & {
      readonly left: readonly string[];
    },
): Promise<void> {
  const cancellation: Cancellation = { cancelledVersion: 1, cancelledAt: at, left: [...left], targetsReached };
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
  return await ifThere(path, () => readFile(path, "utf8"));
}

async function isThere(path: string): Promise<boolean> {
  return (await ifThere(path, () => stat(path))) !== undefined;
}

async function ifThere<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  return await read().catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw new RestoreError("LOCAL_IO", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
}
