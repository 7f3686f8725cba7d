/** What a client may ask of a daemon's job, and who decides all the rest. */
import type * as z from "zod";
import {
  applyOptionsSchema,
  drillOptionsSchema,
  planOptionsSchema,
  verifyOptionsSchema,
} from "../../daemon/schema/options.js";
import { RestoreError } from "../../errors/restore-error.js";
import { type CommandName, commandNamed } from "../commands.js";
import { SERVER_OPTIONS, TARGET_OPTIONS } from "../options.js";
import { camel } from "../words.js";

export type SubmittedCommand = "apply" | "drill" | "plan" | "verify";

export const SCHEMAS = {
  apply: applyOptionsSchema,
  drill: drillOptionsSchema,
  plan: planOptionsSchema,
  verify: verifyOptionsSchema,
} as const satisfies Record<SubmittedCommand, z.ZodObject>;

/** The command line's names for options that have another one in requests. */
const NAMES: Readonly<Record<string, string>> = { adapters: "adapter", scopes: "scope", databases: "drill-database" };

/** `maxRto`: `max-rto`. */
export function optionName(name: string): string {
  return NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What this side does itself, and what stands beside a job's options in a request. */
const BESIDE = {
  common: ["json", "progress", "rate-limit", "concurrency", "state-dir", "target", ...Object.keys(SERVER_OPTIONS)],
  apply: ["dry-run", "plan", "preserve-ttl", "report", "yes"],
  plan: ["preserve-ttl"],
  verify: ["preserve-ttl", "report", "yes"],
  drill: ["out", "pick"],
} as const;

/** Beside a plan that is carried out. */
const BESIDE_PLAN: ReadonlySet<string> = new Set([
  ...BESIDE.common.filter((name) => name !== "target"),
  "plan",
  "report",
  "yes",
]);

const WHERE_TARGETS_ARE = "The daemon's settings say where its targets are: name one of them with --target.";
const HERE_ALONE = "That is about this machine: say it without --server.";

const WHO_DECIDES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(TARGET_OPTIONS).map((name) => [name, WHERE_TARGETS_ARE])),
  transform: "A daemon runs no code of its clients: change records with a restore from the machine itself.",
  "transform-limit": "A daemon runs no code of its clients: change records with a restore from the machine itself.",
  "remap-dir": "The daemon keeps such files with the job.",
  resume: "The daemon takes its jobs up itself; one that is paused or held goes on by `elastickv-restore resume`.",
  clean: HERE_ALONE,
  history: HERE_ALONE,
};

/** @throws RestoreError USAGE naming the first option that no client can give */
export function assertGiveable(command: SubmittedCommand, args: object): void {
  const known = Object.keys(SCHEMAS[command].shape).map(optionName);
  const giveable = new Set<string>([...known, ...BESIDE.common, ...BESIDE[command]]);
  const stray = givenOptions(command, args).find((name) => !giveable.has(name));
  if (stray === undefined) return;
  if (command === "plan" && stray === "out") throw notKeptHere();
  throw new RestoreError("USAGE", `--${stray} cannot be given for a job of a daemon`, {
    hint: WHO_DECIDES[stray] ?? "The daemon takes no such option: leave it out.",
  });
}

function notKeptHere(): RestoreError {
  return new RestoreError("USAGE", "--out cannot be given for a plan of a daemon, which keeps it itself", {
    hint: "Leave it out: `elastickv-restore apply --plan <job>` with the same --server carries it out.",
  });
}

/** @throws RestoreError USAGE */
export function assertBesidePlan(args: object): void {
  const strays = givenOptions("apply", args).filter((name) => !BESIDE_PLAN.has(name));
  if (strays.length === 0) return;
  throw new RestoreError("USAGE", `${strays.map((name) => `--${name}`).join(", ")} cannot be said beside --plan`, {
    hint: "The plan says it. Beside one go limits, --report, --yes, --json and --progress.",
  });
}

/** Of an order for a job that there is. @throws RestoreError USAGE */
export function assertNothingBeside(command: "cancel" | "resume", args: object): void {
  const taken = new Set<string>(["json", "progress", "state-dir", ...Object.keys(SERVER_OPTIONS)]);
  const stray = givenOptions(command, args).find((name) => !taken.has(name));
  if (stray === undefined) return;
  const isLimit = stray === "rate-limit" || stray === "concurrency";
  throw new RestoreError("USAGE", `--${stray} cannot be given for a job of a daemon`, {
    hint: isLimit
      ? "Limits are changed by `elastickv-restore limits <job>`."
      : (WHO_DECIDES[stray] ?? "What the job does was said when it was asked for: leave it out."),
  });
}

function givenOptions(command: CommandName, args: object): string[] {
  const values = args as Readonly<Record<string, unknown>>;
  return Object.keys(commandNamed(command).options).filter((name) => {
    const value = values[camel(name)];
    return value !== undefined && value !== false;
  });
}
