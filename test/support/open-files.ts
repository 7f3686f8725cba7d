/** Files of a dump that this process still holds open: a restore that ended holds none. Linux only; else none are seen. */
import { existsSync, readdirSync, readlinkSync } from "node:fs";

const OWN_FILES = "/proc/self/fd";

export function openFilesBelow(directory: string): string[] {
  if (!existsSync(OWN_FILES)) return [];
  return readdirSync(OWN_FILES).flatMap((descriptor) => {
    const path = linkOf(`${OWN_FILES}/${descriptor}`);
    return path?.startsWith(`${directory}/`) === true ? [path] : [];
  });
}

/** Undefined for a descriptor that was closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
