/** `cancel`: stops a job where it runs, removes what it left on the targets beside records, and lets go of it. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { type Cancelled, cancelOnTargets, forgetJob, untilFree } from "../../run/cancel.js";
import { endedJob } from "../../run/job/job.js";
import { readJob } from "../../run/job/job-file.js";
import { findJob, type JobOverview, type JobsInit, overviewOf, processOf } from "../../run/job/jobs.js";
import { systemClock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import { argumentsOf, withSavedEndpoints } from "../begun-job.js";
import type { Command } from "../command.js";
import type { Io } from "../io.js";
import { cancelledText } from "../jobs-text.js";
import { OUTPUT_OPTIONS, RESUME_OPTIONS, STATE_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { progressSink } from "../progress.js";
import { runOptions } from "../run-options.js";
import { stateDirectory } from "../state-directory.js";
import type { ApplyArguments } from "./apply.js";

interface CancelArguments extends Partial<ApplyArguments> {
  readonly job: string;
  readonly forget?: boolean;
  readonly rebindTarget?: boolean;
}

export const cancel: Command<CancelArguments> = {
  usage: "cancel <job>",
  summary: "let go of a restore: stop it, and remove what it left half-written",
  options: {
    forget: { type: "boolean", group: "Jobs:", describe: "do not reach the targets; says what may stay there" },
    ...RESUME_OPTIONS,
    ...STATE_OPTIONS,
    ...OUTPUT_OPTIONS,
  },
  positionals: { job: "the job's id or how it begins" },
  examples: [["$0 cancel 8f14e45f", "what it restored stays; nothing is left beside it"]],
  run: async (args, io) => {
    const init = { stateDirectory: stateDirectory(args, io), isAlive: io.isAlive };
    const id = await findJob(init, args.job);
    await stop(init, id, io);
    const job = await overviewOf(init, id);
    if (job.state === "finished" || job.state === "cancelled") throw endedJob(id);
    const forgets = { ...init, pid: io.pid, clock: systemClock };
    const done = args.forget === true ? await forgetJob(forgets, job) : await clean(args, job, io);
    await print(io.stdout, args.json === true ? json({ job: id, ...done }) : cancelledText(id, done));
    return EXIT.ok;
  },
};

/** A process lets its writes end for 10 seconds, and closes its connections then. */
const STOP_MS = 30_000;

async function stop(init: JobsInit, id: string, io: Io): Promise<void> {
  const pid = await processOf(init, id);
  if (pid === undefined) return;
  if (pid === "unknown" || io.terminate === undefined) throw stillRuns(id, "another process");
  io.stderr.write(`stopping process ${pid}, which lets its writes end\n`);
  io.terminate(pid);
  if (!(await untilFree({ ...init, clock: systemClock }, id, STOP_MS))) throw stillRuns(id, `process ${pid}`);
}

function stillRuns(id: string, who: string): RestoreError {
  return new RestoreError("JOB_HELD", `${who} still works on job ${id}`, {
    hint: "End it, then say the same again.",
  });
}

async function clean(args: CancelArguments, { id, state }: JobOverview, io: Io): Promise<Cancelled> {
  const stateDirectoryPath = stateDirectory(args, io);
  const file = state === "damaged" ? undefined : await readJob(stateDirectoryPath, id);
  if (file === undefined) {
    throw new RestoreError(
      "JOURNAL_INVALID",
      `what job ${id} left on the targets is not known: its files are damaged`,
      {
        hint: FORGET,
      },
    );
  }
  const begun = await argumentsOf(file);
  const taken = withSavedEndpoints({ ...begun, ...present(args), dump: file.dump }, file, io);
  const take = { id, rebindTarget: args.rebindTarget === true };
  const job = {
    stateDirectory: stateDirectoryPath,
    pid: io.pid,
    isAlive: io.isAlive,
    cwd: io.cwd,
    words: file.words,
    take,
  };
  const options = await runOptions(taken, io, progressSink(args.progress ?? "auto", io));
  try {
    return await cancelOnTargets({ ...options, job });
  } catch (error) {
    throw withForget(error);
  } finally {
    options.retry?.close();
  }
}

const FORGET = "--forget lets go of it without reaching the targets, and says what may stay there.";

/** Whatever was in the way, one may still let go of it. */
function withForget(error: unknown): unknown {
  if (!(error instanceof RestoreError) || error.code === "INTERRUPTED") return error;
  const { code, message, hint, where, retry } = error;
  return new RestoreError(code, message, { hint: [hint, FORGET].join(" ").trim(), where, retry, cause: error });
}
