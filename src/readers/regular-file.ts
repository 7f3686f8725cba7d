/** Opens a file of the dump's root that is read before the tree was walked: never a link, a FIFO or a device. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../errors/restore-error.js";
import { treeFault, unreadable } from "./tree-fault.js";

/** A FIFO without a writer must not hang the reader, a link must not lead out of the dump. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Undefined when there is none. @throws RestoreError TREE_INVALID for anything but a regular file, DUMP_UNREADABLE */
export async function openRegular(root: string, name: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(join(root, name), FLAGS);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "ELOOP") throw treeFault(name, "is a symbolic link");
    if (systemCode(error) === "ENXIO") throw treeFault(name, "is a socket");
    throw unreadable(name, error);
  }
  try {
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  throw treeFault(name, "is no regular file");
}
