/** `cancel`: stops a job where it runs, removes what it left on the targets beside records, and lets go of it. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { type Cancelled, cancelOnTargets, forgetJob, untilFree } from "../../run/cancel.js";
import { endedJob } from "../../run/job/job.js";
import { readCancellation } from "../../run/job/job-end.js";
import { readJob } from "../../run/job/job-file.js";
import { findJob, type JobOverview, type JobsInit, overviewOf, processOf, worksOn } from "../../run/job/jobs.js";
import { systemClock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import { argumentsOf } from "../begun-job.js";
import type { Io } from "../io.js";
import { jobPlace } from "../job-place.js";
import { cancelledText } from "../jobs-text.js";
import { json, print } from "../output.js";
import { progressSink } from "../progress.js";
import { runOptions } from "../run-options.js";
import { stateDirectory, stateOption } from "../state-directory.js";
import { withSavedEndpoints } from "../words.js";
import type { ApplyArguments } from "./apply.js";

interface CancelArguments extends Partial<ApplyArguments> {
  readonly job: string;
  readonly forget?: boolean;
  readonly rebindTarget?: boolean;
}

export async function run(args: CancelArguments, io: Io): Promise<number> {
  const init = { stateDirectory: stateDirectory(args, io), isAlive: io.isAlive };
  const id = await findJob(init, args.job);
  await stop(init, id, io);
  const job = await overviewOf(init, id);
  const isRid = job.state === "cancelled" && (job.targetsReached === true || args.forget === true);
  if (job.state === "finished" || isRid) throw endedJob(id);
  const forgets = { ...init, pid: io.pid, clock: systemClock };
  const done = args.forget === true ? await forgetJob(forgets, job) : await clean(args, job, io);
  await print(
    io.stdout,
    args.json === true ? json({ job: id, ...done }) : cancelledText(id, done, stateOption(args, io)),
  );
  return EXIT.ok;
}

/** A process lets its writes end for 10 seconds, and closes its connections then. */
const STOP_MS = 30_000;

/**
 * Only a process that runs nothing but a restore is asked to end, and only where the kernel says that it is this one: an id
 * may have been given to another process since, or be that of another PID namespace.
 */
async function stop(init: JobsInit, id: string, io: Io): Promise<void> {
  const holder = await processOf(init, id);
  if (holder === undefined) return;
  if (holder === "unknown") throw stillRuns(id, "another process", "End it, then say the same again.");
  const { pid, mayBeEnded } = holder;
  if (mayBeEnded !== true || io.terminate === undefined || !(await worksOn(id, pid))) {
    const look = `Look whether process ${pid} is that restore and end it (\`kill ${pid}\`), then say the same again.`;
    throw stillRuns(id, `process ${pid}`, look);
  }
  io.stderr.write(`stopping process ${pid}, which lets its writes end\n`);
  io.terminate(pid);
  if (await untilFree({ ...init, clock: systemClock }, id, STOP_MS)) return;
  throw stillRuns(id, `process ${pid}`, `End it (\`kill -9 ${pid}\` costs nothing), then say the same again.`);
}

function stillRuns(id: string, who: string, hint: string): RestoreError {
  return new RestoreError("JOB_HELD", `${who} still works on job ${id}`, { hint });
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
  const job = { ...jobPlace(args, io), words: file.words, take };
  const options = await runOptions(taken, io, progressSink(args.progress ?? "auto", io));
  try {
    return await cancelOnTargets({ ...options, job });
  } catch (error) {
    const isCancelled = (await readCancellation(stateDirectoryPath, id).catch(() => undefined)) !== undefined;
    throw withHint(error, isCancelled ? AGAIN : FORGET);
  } finally {
    options.retry?.close();
  }
}

const FORGET = "--forget lets go of it without reaching the targets, and says what may stay there.";

/** From the first removal on, nobody may take it up. */
const AGAIN = "The job is cancelled; say the same again to remove what is left on the targets.";

/** Whatever was in the way, there is a way on. */
function withHint(error: unknown, way: string): unknown {
  if (!(error instanceof RestoreError) || (error.code === "INTERRUPTED" && way === FORGET)) return error;
  const { code, message, hint, where, retry } = error;
  return new RestoreError(code, message, { hint: [hint, way].join(" ").trim(), where, retry, cause: error });
}
