/**
 * File handles that a run forgot. One that is still open is seen among this process's own (Linux only); one that the
 * garbage collector closed meanwhile is seen by the warning that it gives.
 */
import { existsSync, readdirSync, readlinkSync } from "node:fs";

const OWN_FILES = "/proc/self/fd";

export class ForgottenFiles {
  readonly #directory: string;
  readonly #warnings: string[] = [];
  readonly #listener = ({ message }: Error) => {
    if (/file ?descriptor|FileHandle/iu.test(message)) this.#warnings.push(message);
  };

  /** Watches from now on. `directory`: whose files count. */
  constructor(directory: string) {
    this.#directory = directory;
    process.on("warning", this.#listener);
  }

  /** What was forgotten so far. */
  async found(): Promise<string[]> {
    // Warnings are emitted with the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    return [...this.#warnings, ...openFilesBelow(this.#directory)];
  }

  stop(): void {
    process.off("warning", this.#listener);
  }
}

function openFilesBelow(directory: string): string[] {
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
