/** Files that are still there after a power loss: written aside, synced, renamed, and the folder synced as well. */
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../errors/restore-error.js";

/** Replaces a file as a whole: whoever reads it finds the old text or the new one. @throws the system's error */
export async function replaceFile(path: string, text: string): Promise<void> {
  const aside = `${path}.tmp`;
  try {
    const file = await open(aside, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes the folder's names durable, on systems where a folder can be opened and synced. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(systemCode(error) ?? "")) throw error;
  }
}

/** What systems say whose folders are no files. */
const NO_FOLDER_SYNC: ReadonlySet<string> = new Set(["EISDIR", "EINVAL", "EPERM", "ENOTSUP"]);
