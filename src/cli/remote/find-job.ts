/** A job by how its id begins, as jobs of this machine are named. */
import { JOB_ID, type JobView } from "../../daemon/schema/job.js";
import { RestoreError } from "../../errors/restore-error.js";
import type { Client } from "./client.js";

/** @throws RestoreError JOB_UNKNOWN when there is none, USAGE when there are several */
export async function findRemoteJob(client: Client, prefix: string): Promise<JobView> {
  if (JOB_ID.test(prefix)) return await client.job(prefix);
  const found: JobView[] = [];
  if (prefix !== "") for await (const job of client.jobs()) if (job.id.startsWith(prefix)) found.push(job);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only !== undefined) {
    throw new RestoreError("USAGE", `several jobs begin with ${prefix}: ${found.map(({ id }) => id).join(", ")}`, {
      hint: "Give more of its id.",
    });
  }
  throw new RestoreError("JOB_UNKNOWN", `the daemon at ${client.server.name} has no job ${prefix}`, {
    hint: `\`elastickv-restore jobs${client.server.option}\` lists those that there are.`,
  });
}
