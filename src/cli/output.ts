/** Writes to streams and files of the user's. */
import { writeFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { printableJson } from "../model/display.js";

/** The reader went away (`| head`), or there never was one: nobody is left to tell. */
const NO_READER: ReadonlySet<string | undefined> = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "EBADF"]);

/** Waits until a slow reader has taken it. @throws RestoreError LOCAL_IO when it cannot be kept, as on a full disk */
export async function print(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  const cause = await new Promise<unknown>((resolve) => stream.write(text, resolve));
  if (!(cause instanceof Error) || NO_READER.has(systemCode(cause))) return;
  throw new RestoreError("LOCAL_IO", `cannot write the result: ${messageOf(cause)}`, {
    hint: "Send standard output to a place with room.",
    cause,
  });
}

/** One of many results, on a line of its own. */
export function jsonLine(value: unknown): string {
  return `${printableJson(value)}\n`;
}

/** The result for machines; digits of big integers stay. */
export function json(value: unknown): string {
  return `${printableJson(value, 2)}\n`;
}

/** `option`: what names the file. @throws RestoreError LOCAL_IO */
export async function writeResult(path: string, text: string, option = "--report"): Promise<void> {
  await writeFile(path, text, { mode: 0o600 }).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
      hint: `Name a writable place with ${option}.`,
      cause,
    });
  });
}
