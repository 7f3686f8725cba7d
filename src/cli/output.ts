/** Writes to streams and files of the user's. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import { messageOf, RestoreError } from "../errors/restore-error.js";

/** Waits until a slow reader has taken it. A reader that went away is no error: there is nobody left to tell. */
export async function print(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return;
  if (!stream.write(text)) await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(() => undefined);
}

/** The result for machines; digits of big integers stay. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? String(each) : each), 2)}\n`;
}

/** @throws RestoreError LOCAL_IO */
export async function writeResult(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 }).catch((cause: unknown) => {
    throw new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
      hint: "Name a writable place with --report.",
      cause,
    });
  });
}
