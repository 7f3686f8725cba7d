/** Removes jobs that are kept no longer, with the engine's own job of the same id. */

import { messageOf } from "../../errors/restore-error.js";
import { removeJob } from "../../run/job/job-file.js";
import { processOf } from "../../run/job/jobs.js";
import { Alarm } from "../../support/alarm.js";
import type { Clock } from "../../support/clock.js";
import type { InTurn } from "../../support/in-turn.js";
import { durationMs } from "../duration.js";
import type { Log } from "../log.js";
import type { DaemonSettings } from "../settings.js";
import type { Catalog } from "./catalog.js";
import { outlived } from "./retention.js";
import type { Store } from "./store.js";

export interface RemovalInit {
  readonly stateDirectory: string;
  readonly settings: Pick<DaemonSettings["jobs"], "keep" | "keep_most">;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn">;
  readonly store: Store;
  readonly catalog: Catalog;
  /** Nothing is submitted meanwhile: a plan that goes is carried out by nobody. */
  readonly turns: InTurn;
}

/** So that much is not looked through at every end of many small jobs. */
const BETWEEN_LOOKS_MS = 1_000;
const HOUR_MS = 3_600_000;

export class Removal {
  readonly #init: RemovalInit;
  readonly #alarm: Alarm;
  readonly #ending = new AbortController();
  #isDue = true;
  #lastLook = 0;
  #loop: Promise<void> | undefined;

  constructor(init: RemovalInit) {
    this.#init = init;
    this.#alarm = new Alarm(init.clock);
  }

  start(): void {
    this.#loop ??= this.#keepLooking();
  }

  /** A job has ended. */
  look(): void {
    this.#isDue = true;
    this.#alarm.ring();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loop;
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#ending;
    const { clock, log, turns } = this.#init;
    while (!signal.aborted) {
      if (this.#isDue || clock.now() - this.#lastLook >= HOUR_MS) {
        this.#isDue = false;
        this.#lastLook = clock.now();
        await turns.run(() => this.#remove(signal)).catch((error: unknown) => log.warn(messageOf(error)));
        await clock.sleep(BETWEEN_LOOKS_MS, signal).catch(() => undefined);
      }
      if (!this.#isDue) await this.#alarm.wait(undefined, signal);
    }
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { catalog, settings, clock, store, stateDirectory, isAlive, log } = this.#init;
    const ids = outlived({
      ended: catalog.ended(),
      inUse: new Set(catalog.lives().flatMap(({ record }) => record.plan ?? [])),
      before: clock.now() - durationMs(settings.keep),
      most: settings.keep_most,
    });
    for (const id of ids) {
      if (signal.aborted) return;
      // Somebody took it up at the command line.
      if ((await processOf({ stateDirectory, isAlive }, id)) !== undefined) continue;
      catalog.remove(id);
      await removeJob(stateDirectory, id);
      await store.remove(id);
    }
    if (ids.length > 0) log.info({ jobs: ids.length }, "jobs that ended long ago were removed");
  }
}
