/** What drills left that were killed: found, and removed as far as that is asked for. Those that still run are left alone. */
import { RestoreError } from "../../errors/restore-error.js";
import { lockHolder } from "../job/locks.js";
import { type CleanUp, cleanUp } from "./clean-up.js";
import { DrillFolder, leftDrills } from "./drill-folder.js";
import { drillLock, lockDrill } from "./drill-lock.js";
import type { DrillTools } from "./tools.js";

export interface LeftoverInit {
  readonly stateDirectory: string;
  readonly tools: DrillTools;
  /** Also what stands on servers that stay. */
  readonly scopes: boolean;
}

export interface CleanedDrill extends CleanUp {
  readonly id: string;
  readonly state: "cleaned" | "damaged" | "running";
}

/** @throws RestoreError LOCAL_IO */
export async function cleanLeftovers({ stateDirectory, tools, scopes }: LeftoverInit): Promise<CleanedDrill[]> {
  const cleaned: CleanedDrill[] = [];
  for (const left of await leftDrills(stateDirectory)) {
    const { id } = left;
    if (await isRunning(id, stateDirectory, tools)) {
      cleaned.push({ id, state: "running", removed: [], left: [] });
    } else if ("problem" in left) {
      cleaned.push({ id, state: "damaged", removed: [], left: [left.problem] });
    } else {
      const end = await cleanOne(DrillFolder.of(stateDirectory, left.open), { stateDirectory, tools, scopes });
      cleaned.push({ id, ...end });
    }
  }
  return cleaned;
}

async function isRunning(id: string, directory: string, { isAlive }: DrillTools): Promise<boolean> {
  return (await lockHolder({ what: drillLock(id), directory, isAlive })) !== undefined;
}

async function cleanOne(
  folder: DrillFolder,
  { stateDirectory, tools, scopes }: LeftoverInit,
): Promise<Omit<CleanedDrill, "id">> {
  const lock = await lockDrill({ id: folder.open.id, stateDirectory, tools }).catch((error: unknown) => {
    // Somebody else began to clean it up just now.
    if (error instanceof RestoreError && error.code === "JOB_HELD") return undefined;
    throw error;
  });
  if (lock === undefined) return { state: "running", removed: [], left: [] };
  try {
    return { state: "cleaned", ...(await cleanUp({ folder, tools, servers: [], scopes })) };
  } finally {
    await lock.release();
  }
}
