/** From words to an exit status: parses the command line, runs one command, and turns what it throws into a message. */
import { EXIT } from "../errors/codes.js";
import { interruptionStatus } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import { COMMANDS } from "./commands.js";
import { errorText } from "./error-text.js";
import { handlerFor } from "./handlers.js";
import type { Io } from "./io.js";
import { print } from "./output.js";
import { parse } from "./parse.js";
import { stateOption } from "./state-directory.js";

/** Runs one command. Never throws and never ends the process. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let where = "";
  try {
    const parsed = await parse(argv, COMMANDS);
    if ("output" in parsed) {
      await print(io.stdout, `${parsed.output}\n`);
      return EXIT.ok;
    }
    const args = parsed.args as { readonly server?: string; readonly stateDir?: string };
    // What is said of a daemon's jobs names the daemon itself.
    where = args.server === undefined ? stateOption(args, io) : "";
    const run = await handlerFor(parsed.command, args);
    return await run(parsed.args as never, io, argv.slice(1));
  } catch (error) {
    const thrown = interruption(error, io) ?? error;
    io.supervisor?.failed(thrown);
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
