/** What a schedule remembers of time: up to when its due times were seen to, and which comes next. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { replaceFile } from "../../support/durable-files.js";

const unixMs = z.int().nonnegative();

const dueFileSchema = z.strictObject({
  dueVersion: z.literal(1),
  /** The pattern and time zone that all this is about. */
  cron: z.string(),
  timezone: z.string(),
  /** Every due time up to here became a run, or was left out for good. */
  handled: unixMs,
  /** Absent where the pattern is never due again. */
  next: z.strictObject({ due: unixMs, startAt: unixMs }).exactOptional(),
});

/** All times in Unix milliseconds. */
export type DueState = Omit<z.infer<typeof dueFileSchema>, "dueVersion">;

/** Undefined where there is none, or none that can be read: then `damaged` is told why. @throws RestoreError LOCAL_IO */
export async function readDueState(path: string, damaged: (text: string) => void): Promise<DueState | undefined> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new RestoreError("LOCAL_IO", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    const { dueVersion: _version, ...state } = dueFileSchema.parse(JSON.parse(text));
    return state;
  } catch {
    damaged(`${path} cannot be read: the schedule begins anew, and nothing that was due before now is run`);
    return undefined;
  }
}

/** Resolves once it is on disk. @throws RestoreError LOCAL_IO */
export async function writeDueState(path: string, state: DueState): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ dueVersion: 1, ...state })}\n`).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
      hint: "Make room, or name another place with --state-dir.",
      cause,
    });
  });
}
