/** The locks that keep two processes of one machine from writing into the same scopes of a target side by side. */
import type { JobIdentity } from "./identity.js";
import type { Lock, LockInit } from "./lock.js";
import { acquireLock } from "./locks.js";
import { endpointKey } from "./same-endpoint.js";

export interface ScopesToLock extends Pick<LockInit, "holder" | "isAlive">, Pick<JobIdentity, "endpoints"> {
  readonly targets: readonly Pick<JobIdentity["targets"][number], "adapter" | "target">[];
  readonly stateDirectory: string;
}

/** All of them or none. @throws RestoreError JOB_HELD when another process has one */
export async function lockScopes({ targets, endpoints, stateDirectory, ...init }: ScopesToLock): Promise<Lock> {
  const locks: Lock[] = [];
  const release = async () => {
    for (const lock of locks.splice(0)) await lock.release();
  };
  try {
    for (const { adapter, target } of targets) {
      const [scope, endpoint] = [`${adapter}:${target}`, endpoints[adapter] ?? ""];
      const what = { what: `${scope} on ${endpoint}`, thing: `${scope} on ${endpointKey(endpoint)}` };
      locks.push(await acquireLock({ ...init, ...what, directory: stateDirectory }));
    }
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}
