/** The code behind each command, loaded when it is run: help and mistakes in usage need none of it, and come at once. */
import type { CommandName } from "./commands.js";
import type { Io } from "./io.js";

/**
 * Runs a command and answers with an exit status. `args`: as the command's options say; `words`: what was typed behind
 * its name. Throws RestoreErrors, which `main` turns into a message and an exit status.
 */
export type Handler = (args: never, io: Io, words: readonly string[]) => Promise<number>;

export const HANDLERS: Readonly<Record<CommandName, () => Promise<{ readonly run: Handler }>>> = {
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
  reseal: () => import("./commands/reseal.js"),
};
