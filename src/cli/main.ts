/** From words to an exit status: parses the command line, runs one command, and turns what it throws into a message. */
import { EXIT } from "../errors/codes.js";
import { interruptionStatus } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import type { Command } from "./command.js";
import { apply } from "./commands/apply.js";
import { cancel } from "./commands/cancel.js";
import { drill } from "./commands/drill.js";
import { inspect } from "./commands/inspect.js";
import { jobs } from "./commands/jobs.js";
import { plan } from "./commands/plan.js";
import { reseal } from "./commands/reseal.js";
import { resume } from "./commands/resume.js";
import { retry } from "./commands/retry.js";
import { status } from "./commands/status.js";
import { verify } from "./commands/verify.js";
import type { Io } from "./io.js";
import { print } from "./output.js";
import { parse } from "./parse.js";
import { stateOption } from "./state-directory.js";
import { errorText } from "./text.js";

const COMMANDS: readonly Command[] = [apply, plan, verify, inspect, drill, resume, status, retry, cancel, jobs, reseal];

/** Runs one command. Never throws and never ends the process. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let where = "";
  try {
    const parsed = await parse(argv, COMMANDS);
    if ("output" in parsed) {
      await print(io.stdout, `${parsed.output}\n`);
      return EXIT.ok;
    }
    where = stateOption(parsed.args as { stateDir?: string }, io);
    return await parsed.command.run(parsed.args as never, io, argv.slice(1));
  } catch (error) {
    const thrown = interruption(error, io) ?? error;
    // Where messages cannot be written either, the exit status is all that is left.
    await print(io.stderr, errorText(thrown, where)).catch(() => undefined);
    if (!(thrown instanceof RestoreError)) return EXIT.stopped;
    return thrown.code === "INTERRUPTED" ? interruptionStatus(io.signal) : thrown.exitStatus;
  }
}

/** What an aborted signal made some library throw. */
function interruption(error: unknown, { signal }: Io): RestoreError | undefined {
  if (signal?.aborted !== true || error instanceof RestoreError) return undefined;
  return new RestoreError("INTERRUPTED", "interrupted", { cause: error });
}
