/** `serve`: the daemon. It runs until it is told to end. */
import { resolve } from "node:path";
import { checkSettings, SettingsFault } from "../../daemon/check-settings.js";
import { type Daemon, type DaemonInit, type ManagedJobs, startDaemon } from "../../daemon/daemon.js";
import type { Targets } from "../../daemon/http/routes/lists.js";
import { type JobsInit, openJobs } from "../../daemon/jobs/jobs.js";
import { createLog, type Log } from "../../daemon/log.js";
import type { DaemonSettings } from "../../daemon/settings.js";
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { ADAPTERS } from "../../model/scope.js";
import { splitSeeds } from "../../replayers/redis/target-url.js";
import { systemClock } from "../../support/clock.js";
import { type ConfigFile, defaultConfigPath, type NamedTarget, readConfig } from "../config.js";
import type { Io } from "../io.js";
import { assertLimits, changedLimits } from "../limits.js";
import { logLines } from "../log-lines.js";
import { print } from "../output.js";
import { stateDirectory } from "../state-directory.js";
import { SERVICE_VARIABLES, serviceManager } from "../systemd.js";
import { version } from "../version.js";

interface ServeArguments {
  readonly config?: string;
  readonly stateDir?: string;
  readonly check?: boolean;
}

type OpenJobs = (init: JobsInit) => Promise<ManagedJobs>;

export async function run(args: ServeArguments, io: Io): Promise<number> {
  return await serve(args, io, openJobs);
}

/** `open`: makes the jobs, which begin nothing yet. */
export async function serve(args: ServeArguments, io: Io, open: OpenJobs): Promise<number> {
  const configPath = resolve(io.cwd, args.config ?? defaultConfigPath(io));
  const config = await readConfig(configPath);
  const settings = settingsOf(config);
  const [state, targets] = [stateDirectory(args, io), targetsOf(config)];
  const { env, cwd } = io;
  const names = targets.map(({ name }) => name);
  const checked = await told(config, checkSettings({ settings, stateDirectory: state, targets: names, env, cwd }));
  if (args.check === true) {
    await print(io.stdout, `${configPath} is in order\n`);
    return EXIT.ok;
  }
  const log = createLog(io.isTty === true ? logLines(io.stderr) : io.stderr);
  const { pid, isAlive } = io;
  const init = { settings, checked, stateDirectory: state, targets, pid, isAlive, clock: systemClock, log };
  const jobs = {
    program: { ...programOf(io), env: environmentOfJobs(settings, env), cwd },
    config: configPath,
    targets: names,
    endpointsOf: (name: string) => endpointsOf(config.targets[name]),
    assertLimits,
    changedLimits,
  };
  const openAll: DaemonInit["openJobs"] = async (around) =>
    await open({ ...init, ...checked, ...jobs, ...around, settings: settings.jobs });
  const daemon = await told(config, startDaemon({ ...init, version: version(), openJobs: openAll }));
  await untilEnd(daemon, io, log);
  return EXIT.ok;
}

function targetsOf({ targets }: ConfigFile): Targets {
  return Object.entries(targets).map(([name, target]) => ({
    name,
    adapters: ADAPTERS.filter((adapter) => target[adapter] !== undefined),
  }));
}

function programOf({ program }: Io): NonNullable<Io["program"]> {
  if (program !== undefined) return program;
  throw new RestoreError("INTERNAL", "it is not known how this program is begun, and each job is a process of its own");
}

/** A text for each of a target's servers, without credentials, databases and paths. */
function endpointsOf(target: NamedTarget | undefined): string[] {
  const aws = (["dynamodb", "s3", "sqs"] as const).flatMap((adapter) => {
    const { endpoint, region = "" } = target?.[adapter] ?? {};
    return endpoint === undefined ? [] : [endpoint === "aws" ? `aws ${adapter} ${region}` : endpoint];
  });
  return [...aws, ...(target?.redis === undefined ? [] : serversOf(target.redis.url))];
}

function serversOf(url: string): string[] {
  const { first, others } = splitSeeds(url);
  if (!URL.canParse(first)) return [url];
  const { protocol, host, pathname } = new URL(first);
  // Of a Unix socket, the path is the server.
  return host === "" ? [`${protocol}${pathname}`] : [host, ...others].map((each) => `redis://${each}`);
}

/** Tokens of clients and the service manager's socket are no business of a job's. */
function environmentOfJobs({ tokens, webhooks }: DaemonSettings, env: Io["env"]): Record<string, string> {
  const secrets = [...tokens, ...Object.values(webhooks)].flatMap((each) => (each.env === undefined ? [] : [each.env]));
  const own = new Set<string>([...secrets, ...SERVICE_VARIABLES]);
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || own.has(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(given);
}

function settingsOf({ daemon, path }: ConfigFile): DaemonSettings {
  if (daemon !== undefined) return daemon;
  throw new RestoreError("CONFIG_INVALID", `configuration file ${path} has no section \`daemon:\``, {
    hint: "Add it, with `roots:` at least: folders with dumps, by name.",
    where: { path },
  });
}

/** With the lines on which the mistakes stand. */
async function told<T>(config: ConfigFile, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SettingsFault)) throw error;
    throw config.refused(error.mistakes.map(({ path, message }) => ({ path: ["daemon", ...path], message })));
  }
}

/** Ends the daemon once the process is told to end, and tells the service manager meanwhile. */
async function untilEnd(daemon: Daemon, io: Io, log: Log): Promise<void> {
  const manager = serviceManager(io.env, io.pid, (error) => log.warn({ err: error }, "systemd could not be told"));
  const where = `listening on ${daemon.urls.join(" and ")}`;
  const ended = new AbortController();
  try {
    await print(io.stdout, `${where}\n`);
    log.info({ version: version() }, where);
    await manager.ready(where);
    const watching = manager.watch(systemClock, ended.signal);
    await aborted(io.signal);
    log.info("told to end");
    await manager.stopping();
    await daemon.stop();
    ended.abort();
    await watching;
    log.info("ended");
  } finally {
    ended.abort();
    await daemon.stop();
  }
}

/** Never, where nobody can abort it. */
async function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}
