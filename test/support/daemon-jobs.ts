/** The daemon's jobs with a folder of their own, and processes that are the test's or the real command line. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { changedLimits } from "../../src/cli/limits.js";
import { type Jobs, type JobsInit, openJobs } from "../../src/daemon/jobs/jobs.js";
import type { JobRequest, JobState, JobView } from "../../src/daemon/schema/job.js";
import type { Client, Submission } from "../../src/daemon/services.js";
import { daemonSchema } from "../../src/daemon/settings.js";
import { systemClock } from "../../src/support/clock.js";
import { commandIn } from "./built-command.js";
import { type DumpDescription, temporaryDump } from "./dump-builder.js";

export const OWNER: Client = { name: "owner", role: "destroy" };
export const OPERATOR: Client = { name: "operator", role: "restore" };

const FAKE = join(import.meta.dirname, "fake-job-process.js");

/** One that is begun: its words, and its number. */
export interface Begun {
  readonly words: readonly string[];
  readonly pid: number;
  readonly id: string;
}

export interface DaemonJobs {
  readonly folder: string;
  readonly stateDirectory: string;
  readonly backups: string;
  readonly jobs: Jobs;
  /** Lines of the daemon's log. */
  readonly log: readonly string[];
  /** What the test's own processes do, one after the other. */
  behave(...behaviours: readonly object[]): Promise<void>;
  /** Lets those end that wait. */
  go(): Promise<void>;
  begun(): Promise<Begun[]>;
  submit(request: JobRequest, more?: Partial<Submission>): Promise<JobView>;
  until(id: string, ...states: JobState[]): Promise<JobView>;
  /** A daemon that was killed leaves everything as it is; another one follows. */
  restart(settings?: object): Promise<void>;
  /** Another daemon beside the one before, which is not stopped: as if that one had been killed. */
  succeed(settings?: object): Promise<void>;
  remove(): Promise<void>;
}

export interface DaemonJobsInit extends Partial<Omit<JobsInit, "settings">> {
  readonly settings?: object;
  /** Text of the configuration file. Given, the processes are the real command line. */
  readonly config?: string;
  /** The one that stands below the root `backups`, as `one`. */
  readonly dump?: DumpDescription;
  readonly isStarted?: boolean;
}

const DUMP: JobRequest & { kind: "verify" } = { kind: "verify", dump: { root: "backups", path: "one" } };

/** A check of the one dump that is there, alone. */
export const CHECK: JobRequest = DUMP;

/** What a daemon's jobs are made of, in a folder of the test. `module`: what their processes run. */
function jobsIn(folder: string, { settings = {}, module }: { settings?: object; module: string }): JobsInit {
  const stateDirectory = join(folder, "state");
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    TMPDIR: process.env["TMPDIR"],
    FAKE_JOBS: join(folder, "fakes"),
  };
  return {
    folder: join(stateDirectory, "daemon"),
    ...{ stateDirectory, config: join(folder, "config.yaml"), clock: systemClock, assertions: {} },
    roots: { backups: join(folder, "backups") },
    targets: ["here", "there"],
    settings: daemonSchema.parse({ jobs: settings }).jobs,
    endpointsOf: (target) => [`redis://${target}`],
    assertLimits: () => undefined,
    changedLimits,
    program: { module, nodeArguments: [], env, cwd: folder },
    isAlive,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as JobsInit["log"],
  };
}

export async function daemonJobs(init: DaemonJobsInit = {}): Promise<DaemonJobs> {
  const { config, settings = {}, dump, isStarted = true, ...more } = init;
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-daemon-jobs-"));
  const [stateDirectory, backups, fakes] = [join(folder, "state"), join(folder, "backups"), join(folder, "fakes")];
  await mkdir(join(stateDirectory, "daemon"), { recursive: true, mode: 0o700 });
  await mkdir(fakes);
  await placeDump(join(backups, "one"), dump);
  await writeFile(join(fakes, "behaviour.json"), "[{}]");
  await writeFile(join(folder, "config.yaml"), config ?? "");
  const module = config === undefined ? FAKE : await commandIn(folder);
  const log: string[] = [];
  const note = (...what: unknown[]) => void log.push(JSON.stringify(what));
  const started: Jobs[] = [];
  const open = async (given: object) => {
    const made = jobsIn(folder, { settings: given, module });
    const jobs = await openJobs({ ...made, log: { ...made.log, warn: note, error: note }, ...more });
    started.push(jobs);
    if (isStarted) await jobs.start();
    return jobs;
  };
  let jobs = await open(settings);
  return {
    ...{ folder, stateDirectory, backups, log },
    get jobs() {
      return jobs;
    },
    behave: (...behaviours) => writeFile(join(fakes, "behaviour.json"), JSON.stringify(behaviours)),
    go: () => writeFile(join(fakes, "go"), ""),
    begun: async () => {
      const lines = await readFile(join(fakes, "begun.jsonl"), "utf8").catch(() => "");
      return lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Begun);
    },
    submit: async (request, rest = {}) => (await jobs.submit({ request, by: OWNER, ...rest })).job,
    until: async (id, ...states) => {
      const state = () => jobs.get(id).state;
      await expect
        .poll(state, { timeout: 40_000, interval: 10, message: `${id} of ${JSON.stringify(jobs.list({ limit: 10 }))}` })
        .toSatisfy((now: JobState) => states.includes(now));
      return jobs.get(id);
    },
    restart: async (given = settings) => {
      await jobs.stop(10_000);
      jobs = await open(given);
    },
    succeed: async (given = settings) => {
      jobs = await open(given);
    },
    remove: async () => {
      await Promise.all(started.map((each) => each.stop(0)));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Puts a dump there. */
export async function placeDump(path: string, description: DumpDescription = {}): Promise<void> {
  const dump = await temporaryDump(description);
  try {
    await cp(dump.path, path, { recursive: true });
  } finally {
    await dump.remove();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
