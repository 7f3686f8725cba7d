/** By what a plan that was kept is known again. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** SHA-256 of the file, hexadecimal. @throws the system's error */
export async function planDigest(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
