/** Whether a drill runs: it holds a lock, which vanishes with its process. */

import type { Lock } from "../job/lock.js";
import { acquireLock } from "../job/locks.js";
import type { DrillTools } from "./tools.js";

/** @throws RestoreError JOB_HELD when another process has it */
export async function lockDrill({
  id,
  stateDirectory,
  tools,
}: {
  readonly id: string;
  readonly stateDirectory: string;
  readonly tools: Pick<DrillTools, "isAlive" | "pid">;
}): Promise<Lock> {
  const holder = { pid: tools.pid, job: id };
  return await acquireLock({ what: drillLock(id), holder, directory: stateDirectory, isAlive: tools.isAlive });
}

export function drillLock(id: string): string {
  return `drill ${id}`;
}
