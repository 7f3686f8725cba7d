/**
 * Which processes the target's servers are, by the run id that each tells on every new connection. When it is another
 * one, the server was restarted or replaced, and what it held in memory may be gone.
 */
import type { Redis } from "ioredis";

import { isReplyError } from "./classify-error.js";
import { parseInfo } from "./probe.js";

export class ServerIdentity {
  readonly #runIds = new Map<string, string>();
  #generation = 0;

  /** How often something turned out to be another process than before. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * The processes that were met, in a word that changes when another one answers. Comes up again in another process of
   * the job, unless something was replaced.
   */
  toString(): string {
    const runIds = [...this.#runIds.values()].sort();
    return [...runIds, ...(this.#generation === 0 ? [] : [`${this.#generation} replaced`])].join(" ");
  }

  /** `server`: an address that always leads to the same server. */
  met(server: string, runId: string | undefined): void {
    const known = this.#runIds.get(server);
    if (known !== undefined && runId !== known) this.#generation++;
    if (runId !== undefined) this.#runIds.set(server, runId);
  }

  /** Another server has taken the place of one, and perhaps not all that it had acknowledged. */
  replaced(): void {
    this.#generation++;
  }
}

/** Undefined where the server does not tell, as elastickv, which keeps on disk what it acknowledges. */
export async function runIdOf(client: Redis): Promise<string | undefined> {
  try {
    return parseInfo(String(await client.call("INFO", "server"))).get("run_id");
  } catch (error) {
    if (isReplyError(error)) return undefined;
    throw error;
  }
}
