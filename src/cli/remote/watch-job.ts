/** Shows a daemon's job to its end, as a run of this process shows itself. The job goes on whether it is watched or not. */
import { ENDED_STATES, type JobView } from "../../daemon/schema/job.js";
import { RestoreError } from "../../errors/restore-error.js";
import { escapeControls } from "../../model/display.js";
import { shownProgress } from "../progress.js";
import { follow } from "./follow.js";
import { RemoteProgress } from "./progress.js";
import { interruptedWith, type Session } from "./session.js";

/** Whether it goes on no more, or not before a person mends what it failed for. */
export function isAtRest({ state, error }: Pick<JobView, "error" | "state">): boolean {
  return ENDED_STATES.has(state) || (state === "held" && error !== undefined);
}

/** The job once it is at rest. @throws RestoreError CONNECTION, INTERRUPTED: the message says how to watch it again */
export async function watchJob(session: Session, id: string): Promise<JobView> {
  const { option } = session.client.server;
  const ended = await untilReached(session, id, isAtRest, {
    message: `job ${id} goes on without this command`,
    hint: `Watch it: \`elastickv-restore watch ${id}${option}\`. Let go of it: \`elastickv-restore cancel ${id}${option}\`.`,
  });
  if (ended !== undefined) return ended;
  throw new RestoreError("CONNECTION", `the daemon does not tell how job ${id} ended`);
}

/**
 * The job once it has come so far, or has ended; undefined where its events end before.
 * `interruption`: what is told when somebody interrupts the wait.
 * @throws RestoreError CONNECTION, INTERRUPTED
 */
export async function untilReached(
  session: Session,
  id: string,
  isReached: (job: JobView) => boolean,
  interruption: { readonly message: string; readonly hint: string },
): Promise<JobView | undefined> {
  const { client, io, clock } = session;
  const progress = new RemoteProgress(() => shownProgress(session.progress, io));
  const say = (line: string) => progress.say(escapeControls(line));
  let told = "";
  try {
    const onLost = (why: string) => {
      progress.rest();
      say(`${why}; trying again`);
    };
    const onBack = () => say(`connected again to ${client.server.name}`);
    const show = (job: JobView) => {
      if (job.progress !== undefined) progress.take(job.progress);
      if (job.state !== "running") progress.rest();
      const line = stateLine(job, client.server.option);
      if (line !== undefined && line !== told) say(line);
      told = line ?? told;
    };
    const isThere = (job: JobView) => ENDED_STATES.has(job.state) || isReached(job);
    const first = await client.job(id);
    show(first);
    if (isThere(first)) return first;
    const from = { after: first.lastEvent, clock, signal: io.signal };
    for await (const event of follow(client, id, { ...from, onLost, onBack })) {
      if (event.type === "progress") progress.take(event.progress);
      if (event.type !== "state") continue;
      show(event.job);
      if (isThere(event.job)) return event.job;
    }
    return undefined;
  } catch (error) {
    throw interruptedWith(error, session, interruption);
  } finally {
    progress.rest();
  }
}

/** What is told of a job on its way; its end, or why it is held, is told by its result. `option`: that commands need to find it. */
function stateLine({ id, kind, state, waitsFor, error }: JobView, option: string): string | undefined {
  switch (state) {
    case "queued":
      return waitsFor === undefined ? undefined : `job ${id} (${kind}) waits: ${waitsFor}`;
    case "running":
      return `job ${id} (${kind}) runs`;
    case "paused":
    case "held":
      if (error !== undefined) return undefined;
      return `job ${id} is ${state}; to go on: elastickv-restore resume ${id}${option}`;
    default:
      return undefined;
  }
}
