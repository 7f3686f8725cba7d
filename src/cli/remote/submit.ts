/** Hands jobs to a daemon and shows them to their end. */
import type { JobRequest, JobView } from "../../daemon/schema/job.js";
import { interruptedWith, type Session, say } from "./session.js";
import { watchJob } from "./watch-job.js";

/** The job as it ended. @throws RestoreError: what the daemon refuses, CONNECTION, INTERRUPTED */
export async function submitAndWatch(session: Session, request: JobRequest): Promise<JobView> {
  const { client } = session;
  const { id, kind } = await client.submit(request).catch((error: unknown) => {
    throw interruptedWith(error, session, {
      message: "interrupted while the job was handed over: the daemon may have it",
      hint: `Look: \`elastickv-restore jobs${client.server.option}\`.`,
    });
  });
  say(session, `job ${id} (${kind}) is with the daemon at ${client.server.name}`);
  return await watchJob(session, id);
}
