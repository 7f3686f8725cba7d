/** Where a drill restores to, by what was typed: a sandbox, or a target that is named on the command line and nowhere else. */
import { resolve } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import type { TargetNote } from "../run/drill/drill-folder.js";
import type { DrillTools, OptionsInit } from "../run/drill/tools.js";
import type { RunOptions } from "../run/prepare.js";
import type { TargetSettings } from "../run/targets.js";
import { present } from "../support/present.js";
import { runCommand } from "./drill-command.js";
import { endServer, isShared, startServer } from "./drill-sandbox.js";
import type { Io } from "./io.js";
import { type RunArguments, runOptions } from "./run-options.js";

/** What was typed that concerns targets and writing. */
export type DrillRunArguments = Omit<RunArguments, "dump">;

const ENDPOINTS = ["dynamodbEndpoint", "s3Endpoint", "sqsEndpoint", "redisUrl"] as const;
const BESIDE = ["dynamodbProfile", "s3Profile", "sqsProfile", "region", "config"] as const;

/** Requests to a server on this machine that are not answered by then are not going to be. */
const SANDBOX_RETRY_TIME = "1m";

/** @throws RestoreError USAGE for a sandbox with endpoints */
export function targetNote(args: DrillRunArguments, { cwd }: Pick<Io, "cwd">): TargetNote {
  const { target } = args;
  const endpoints = ENDPOINTS.filter((name) => args[name] !== undefined);
  const beside = BESIDE.filter((name) => args[name] !== undefined);
  if (target === "sandbox" || (target === undefined && endpoints.length === 0)) {
    if (endpoints.length + beside.length === 0) return { kind: "sandbox" };
    const named = [...endpoints, ...beside].map(optionName).join(", ");
    throw new RestoreError("USAGE", `a sandbox brings its own servers, and ${named} speaks of others`, {
      hint: "Leave it out, or name a target with --target or with endpoints.",
    });
  }
  const config = args.config === undefined ? {} : { config: resolve(cwd, args.config) };
  const given = [...endpoints, ...beside, "target" as const].map((name) => [name, args[name]]);
  const options = { ...Object.fromEntries(given), ...config } as Record<string, string | undefined>;
  return { kind: "named", options: present(options) as Record<string, string> };
}

function optionName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function drillTools(args: DrillRunArguments, io: Io): DrillTools {
  return {
    pid: io.pid,
    cwd: io.cwd,
    env: io.env,
    isAlive: io.isAlive,
    isShared,
    startServer,
    endServer,
    optionsFor: async (target, init) =>
      target.kind === "sandbox"
        ? await sandboxOptions(args, io, init)
        : await namedOptions(target.options, { args, io, init }),
    runCommand: async (order) => await runCommand(order, io),
  };
}

/** Nothing of the environment may choose a target: a leftover variable could name production. */
const CHOOSING = /^(?:AWS_ENDPOINT_URL.*|REDIS_URL|ELASTICKV_RESTORE_TARGET)$/;
/** Whose credentials are no business of a sandbox's. */
const ACCESS =
  /^(?:AWS_(?:PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|REGION|DEFAULT_REGION)|REDIS_PASSWORD)$/;

function without(env: Io["env"], ...patterns: readonly RegExp[]): Io["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !patterns.some((pattern) => pattern.test(name))));
}

async function namedOptions(
  options: Readonly<Record<string, string>>,
  { args, io, init }: { readonly args: DrillRunArguments; readonly io: Io; readonly init: OptionsInit },
): Promise<RunOptions> {
  const given = { ...withoutTarget(args), ...options, dump: init.dump };
  return await runOptions(given, { ...io, env: without(io.env, CHOOSING) }, init.progress);
}

async function sandboxOptions(args: DrillRunArguments, io: Io, init: OptionsInit): Promise<RunOptions> {
  const { dump, servers, progress } = init;
  const aws = servers.filter(({ adapter }) => adapter !== "redis");
  const endpoints = Object.fromEntries(aws.map(({ adapter, endpoint }) => [`${adapter}Endpoint`, endpoint]));
  // Of a server that the environment names, the URL may hold a password.
  const redis = { REDIS_URL: servers.find(({ adapter }) => adapter === "redis")?.endpoint };
  const given = { maxRetryTime: SANDBOX_RETRY_TIME, ...withoutTarget(args), ...endpoints, region: "us-east-1", dump };
  const options = await runOptions(given, { ...io, env: { ...without(io.env, CHOOSING, ACCESS), ...redis } }, progress);
  return { ...options, targets: withServers(options.targets, servers) };
}

/** Each server has credentials of its own. */
function withServers(targets: TargetSettings, servers: OptionsInit["servers"]): TargetSettings {
  const settled = servers.flatMap(({ adapter, credentials, how }) => {
    const target = targets[adapter];
    if (target === undefined) return [];
    const origin = how === "environment" ? "sandbox, named by the environment" : "sandbox";
    return [[adapter, { ...target, origin, ...(adapter === "redis" ? {} : present({ credentials })) }] as const];
  });
  return { ...targets, ...Object.fromEntries(settled) };
}

function withoutTarget(args: DrillRunArguments): DrillRunArguments {
  const named: readonly string[] = [...ENDPOINTS, ...BESIDE, "target"];
  return Object.fromEntries(Object.entries(args).filter(([name]) => !named.includes(name))) as DrillRunArguments;
}
