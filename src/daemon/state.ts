/** The daemon's folder in the state directory: one daemon at a time, and whether anything can be kept there. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { openStateDirectory } from "../run/job/job-file.js";
import { acquireLock, lockHolder } from "../run/job/locks.js";
import type { Clock } from "../support/clock.js";
import { replaceFile } from "../support/durable-files.js";

export interface StateInit {
  readonly stateDirectory: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Pick<Clock, "monotonic">;
}

export interface DaemonState {
  /** `daemon` below the state directory. */
  readonly folder: string;
  /** Why nothing can be kept there now; undefined where it can. */
  obstacle(): Promise<string | undefined>;
  release(): Promise<void>;
}

/** Anybody may ask whether the daemon is ready, and each look writes to the disk. */
const LOOK_AGAIN_MS = 5_000;

/** @throws RestoreError JOB_HELD where another daemon has the state directory, LOCAL_IO */
export async function openDaemonState({ stateDirectory, clock, ...holder }: StateInit): Promise<DaemonState> {
  await openStateDirectory(stateDirectory);
  const lock = await lockState({ stateDirectory, ...holder });
  const folder = join(stateDirectory, "daemon");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    await lock.release();
    throw new RestoreError("LOCAL_IO", `cannot make ${folder}: ${messageOf(cause)}`, { cause });
  }
  let looked: { readonly at: number; readonly found: Promise<string | undefined> } | undefined;
  return {
    folder,
    obstacle: async () => {
      if (looked === undefined || clock.monotonic() - looked.at >= LOOK_AGAIN_MS) {
        looked = { at: clock.monotonic(), found: write(join(folder, "writable")) };
      }
      return await looked.found;
    },
    release: () => lock.release(),
  };
}

async function lockState({ stateDirectory, pid, isAlive }: Omit<StateInit, "clock">) {
  const what = `daemon of ${stateDirectory}`;
  const place = { what, directory: stateDirectory, isAlive };
  try {
    return await acquireLock({ ...place, holder: { pid, job: "daemon" } });
  } catch (error) {
    if (!(error instanceof RestoreError) || error.code !== "JOB_HELD") throw error;
    const holder = await lockHolder(place);
    const who = holder === undefined || holder === "unnamed" ? "another process" : `process ${holder.pid}`;
    throw new RestoreError("JOB_HELD", `a daemon has the state directory ${stateDirectory} already (${who})`, {
      hint: "End it first, or name another place with --state-dir.",
      cause: error,
    });
  }
}

async function write(path: string): Promise<string | undefined> {
  return await replaceFile(path, "").then(
    () => undefined,
    (error: unknown) => `the state directory cannot be written: ${messageOf(error)}`,
  );
}
