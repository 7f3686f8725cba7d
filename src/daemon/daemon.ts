/** The daemon: its parts put together, begun in an order in which nothing is started before everything was found in order. */
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { RestoreError } from "../errors/restore-error.js";
import type { Clock } from "../support/clock.js";
import { type CheckedSettings, SettingsFault } from "./check-settings.js";
import { durationMs } from "./duration.js";
import type { Targets } from "./http/routes/lists.js";
import { type HttpServer, startHttp } from "./http/server.js";
import type { Log } from "./log.js";
import { Schedules } from "./schedules/schedules.js";
import type { JobService, ScheduleService } from "./services.js";
import type { DaemonSettings } from "./settings.js";
import { type DaemonState, openDaemonState } from "./state.js";

/** Jobs, and their beginning and end. */
export interface ManagedJobs extends JobService {
  /** Takes up the jobs of before, and begins those that wait. */
  start(): Promise<void>;
  /** Begins no more, stops those that run so that they can be taken up again. */
  stop(withinMs: number): Promise<void>;
}

/** What the parts are made of. */
export interface Surroundings {
  /** The daemon's own folder in the state directory. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DaemonInit {
  readonly settings: DaemonSettings;
  readonly checked: CheckedSettings;
  readonly stateDirectory: string;
  readonly targets: Targets;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly openJobs: (around: Surroundings) => Promise<ManagedJobs>;
}

export interface Daemon {
  readonly urls: readonly string[];
  /** Resolves once everything has ended; jobs that ran are taken up by the next daemon. Repeatable. */
  stop(): Promise<void>;
}

const PAGE = fileURLToPath(new URL("./public/", import.meta.url));
const MOST_EVENT_CLIENTS = 1_000;
/** For connections, once jobs have stopped. */
const LAST_ANSWERS_MS = 2_000;

/**
 * Resolves once jobs can be asked for.
 * @throws SettingsFault where it cannot listen, RestoreError JOB_HELD, LOCAL_IO; nothing is left running then
 */
export async function startDaemon(init: DaemonInit): Promise<Daemon> {
  const { clock, log } = init;
  const state = await openDaemonState(init);
  const begun: (() => Promise<void>)[] = [() => state.release()];
  const endAll = async () => {
    for (let end = begun.pop(); end !== undefined; end = begun.pop()) await end();
  };
  try {
    const around = { folder: state.folder, clock, log };
    const jobs = await init.openJobs(around);
    const { settings, stateDirectory } = init;
    const { secrets } = init.checked;
    const schedules = await Schedules.open({ stateDirectory, settings, secrets, jobs, clock, log, host: hostname() });
    const http = await listening({ ...init, jobs, schedules, state });
    begun.push(() => http.close(LAST_ANSWERS_MS));
    begun.push(() => jobs.stop(durationMs(settings.jobs.stop_within)));
    await jobs.start();
    begun.push(() => schedules.stop());
    schedules.start();
    http.open();
    let stopped: Promise<void> | undefined;
    return {
      urls: http.urls,
      stop: () => {
        http.shut();
        stopped ??= endAll();
        return stopped;
      },
    };
  } catch (error) {
    await endAll();
    throw error;
  }
}

interface Parts {
  readonly jobs: JobService;
  readonly schedules: ScheduleService;
  readonly state: DaemonState;
}

/** Before jobs are taken up: a port in use is found while nothing runs. */
async function listening({ state, ...init }: DaemonInit & Parts): Promise<HttpServer> {
  const obstacles = async () => {
    const unwritable = await state.obstacle();
    return unwritable === undefined ? [] : [unwritable];
  };
  try {
    return await startHttp({ ...init, obstacles, pageFolder: PAGE, mostEventClients: MOST_EVENT_CLIENTS });
  } catch (error) {
    if (!(error instanceof RestoreError) || error.code !== "CONFIG_INVALID") throw error;
    const path = error.where.endpoint === undefined ? ["socket"] : ["listen"];
    throw new SettingsFault([{ path, message: error.message }]);
  }
}
