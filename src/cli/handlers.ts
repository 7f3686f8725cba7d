/** The code behind each command, loaded when it is run: help and mistakes in usage need none of it, and come at once. */
import { RestoreError } from "../errors/restore-error.js";
import type { Command, CommandName } from "./commands.js";
import type { Io } from "./io.js";
import { LISTED_OPTIONS, SERVER_OPTIONS } from "./options.js";
import { camel } from "./words.js";

/**
 * Runs a command and answers with an exit status. `args`: as the command's options say; `words`: what was typed behind
 * its name. Throws RestoreErrors, which `main` turns into a message and an exit status.
 */
export type Handler = (args: never, io: Io, words: readonly string[]) => Promise<number>;

const HANDLERS: Readonly<Record<CommandName, () => Promise<{ readonly run: Handler }>>> = {
  apply: () => import("./commands/apply.js"),
  plan: () => import("./commands/plan.js"),
  verify: () => import("./commands/verify.js"),
  inspect: () => import("./commands/inspect.js"),
  drill: () => import("./commands/drill.js"),
  resume: () => import("./commands/resume.js"),
  status: () => import("./commands/status.js"),
  retry: () => import("./commands/retry.js"),
  cancel: () => import("./commands/cancel.js"),
  jobs: () => import("./commands/jobs.js"),
  limits: () => import("./remote/commands/limits.js"),
  pause: () => import("./remote/commands/pause.js"),
  serve: () => import("./commands/serve.js"),
  reseal: () => import("./commands/reseal.js"),
  watch: () => import("./remote/commands/watch.js"),
};

/** With `--server`, these speak to a daemon instead. */
const REMOTE_HANDLERS: Partial<typeof HANDLERS> = {
  apply: () => import("./remote/commands/apply.js"),
  plan: () => import("./remote/commands/plan.js"),
  verify: () => import("./remote/commands/verify.js"),
  drill: () => import("./remote/commands/drill.js"),
  resume: () => import("./remote/commands/resume.js"),
  status: () => import("./remote/commands/status.js"),
  cancel: () => import("./remote/commands/cancel.js"),
  jobs: () => import("./remote/commands/jobs.js"),
};

/** What is said of a daemon where none is named. */
const BESIDE_SERVER: readonly string[] = Object.keys({ ...SERVER_OPTIONS, ...LISTED_OPTIONS });

/** Nothing but `--server` turns a command of this machine into one of a daemon. @throws RestoreError USAGE */
export async function handlerFor(command: Command, args: object): Promise<Handler> {
  const values = args as Readonly<Record<string, unknown>>;
  const remote = REMOTE_HANDLERS[command.name];
  if (remote === undefined) return (await HANDLERS[command.name]()).run;
  if (values["server"] !== undefined) return (await remote()).run;
  const stray = BESIDE_SERVER.find((name) => values[camel(name)] !== undefined);
  if (stray === undefined) return (await HANDLERS[command.name]()).run;
  throw new RestoreError("USAGE", `--${stray} is for a daemon, and none is named`, {
    hint: "Name it with --server, or leave it out.",
  });
}
