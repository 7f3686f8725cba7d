/** What a job was begun with, as arguments: for taking it up again, letting go of it, and restoring parts of it again. */
import { resolve } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import type { JobFile } from "../run/job/job-file.js";
import { present } from "../support/present.js";
import type { ApplyArguments } from "./commands/apply.js";
import { commandNamed } from "./commands.js";
import { parse } from "./parse.js";
import { changedConcurrency } from "./quantities.js";
import { withAbsolutePaths, wordsFor } from "./words.js";

/** The arguments by which the job was begun, with absolute paths. */
export async function argumentsOf({ words, dump, cwd }: JobFile): Promise<ApplyArguments> {
  const parsed = await parse(["apply", ...words], [commandNamed("apply")]);
  if (!("args" in parsed)) throw new RestoreError("INTERNAL", "the job's words are no apply");
  const args = withAbsolutePaths({ ...(parsed.args as ApplyArguments), dump }, cwd);
  return { ...args, ...present({ report: args.report?.map((path) => resolve(cwd, path)) }) };
}

/** The arguments by which a job is taken up: its own, but for those that are given anew. @throws RestoreError USAGE */
export function takenUpWith(begun: ApplyArguments, given: Partial<ApplyArguments>): ApplyArguments {
  const concurrency = changedConcurrency(begun.concurrency ?? [], given.concurrency ?? []);
  return { ...begun, ...present(given), ...(concurrency.length === 0 ? {} : { concurrency }) };
}

/** Words behind `apply` from which the same arguments are parsed. Paths have to be absolute. */
export function wordsOf(args: ApplyArguments): string[] {
  return wordsFor(commandNamed("apply").options, args);
}
