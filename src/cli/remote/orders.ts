/** Orders for a daemon's job, given and come about. */
import { ENDED_STATES, type JobState, type JobView } from "../../daemon/schema/job.js";
import { EXIT } from "../../errors/codes.js";
import { json, print } from "../output.js";
import { lines, warningLines } from "../text-parts.js";
import { findRemoteJob } from "./find-job.js";
import { stateText } from "./jobs-text.js";
import type { Session } from "./session.js";
import { isAtRest, untilReached } from "./watch-job.js";

export interface OrderArguments {
  readonly job: string;
  readonly json?: boolean;
}

/** Waits until the job is in the state, or has ended. @returns the exit status: not 0 where it has ended otherwise */
export async function orderUntil(
  session: Session,
  { job: prefix, json: asJson }: OrderArguments,
  { order, state }: { readonly order: "cancel" | "pause"; readonly state: JobState },
): Promise<number> {
  const { client } = session;
  const { id } = await findRemoteJob(session.client, prefix);
  const ordered = await client.order(id, order);
  // One that failed on its way meanwhile is not paused any more; one that is to be cancelled may be held until it is.
  const isReached = (now: JobView) => now.state === state || (order === "pause" && isAtRest(now));
  const job =
    ordered.state === state
      ? ordered
      : ((await untilReached({ ...session, progress: "none" }, id, isReached, {
          message: `the daemon was told to ${order} job ${id}, and does so without this command`,
          hint: `Look: \`elastickv-restore status ${id}${client.server.option}\`.`,
        })) ?? ordered);
  await tell(session, job, {
    asJson,
    text: `Job ${id} ${job.state === state || !ENDED_STATES.has(job.state) ? "is" : "had ended before:"} ${stateText(job)}.${staysText(job)}`,
  });
  return job.state === state ? EXIT.ok : EXIT.stopped;
}

function staysText({ kind, state, attempts }: JobView): string {
  return kind === "apply" && state === "cancelled" && attempts > 0 ? " What it restored stays." : "";
}

/** What an order came to. */
export async function tell(
  { io }: Session,
  job: JobView,
  { asJson, text }: { readonly asJson: boolean | undefined; readonly text: string },
): Promise<void> {
  await print(io.stdout, asJson === true ? json(job) : lines([text, ...warningLines(job.warnings)]));
}
