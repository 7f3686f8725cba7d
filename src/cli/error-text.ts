/** What went wrong, for people. */
import { RestoreError } from "../errors/restore-error.js";
import { lines } from "./text-parts.js";

/** Our own commands that need to know where jobs are, in a hint. */
const JOB_COMMAND = /`(elastickv-restore (?:resume|status|cancel|retry|jobs)\b[^`]*)`/g;

/** What was wrong, and what to do next. `where`: the option that commands in hints need to find the same jobs. */
export function errorText(error: unknown, where = ""): string {
  if (!(error instanceof RestoreError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return lines([`error: ${stack}`, "This is a bug in elastickv-restore: please report it with the text above."]);
  }
  const bug = error.code === "INTERNAL" ? ["This is a bug in elastickv-restore: please report it."] : [];
  return lines([
    `error: ${error.message}`,
    ...(error.hint === undefined
      ? []
      : [error.hint.replace(JOB_COMMAND, (_, command: string) => `\`${command}${where}\``)]),
    ...bug,
  ]);
}
