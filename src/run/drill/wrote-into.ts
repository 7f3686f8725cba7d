/** Whether a drill's restore began to write into a scope, by its journal. */
import { RestoreError } from "../../errors/restore-error.js";
import { jobIds } from "../job/job-file.js";
import { type JobsInit, overviewOf } from "../job/jobs.js";
import type { ScopeNote } from "./drill-folder.js";

/**
 * A job that wrote nothing leaves no folder when it ends by itself.
 * @throws RestoreError JOURNAL_INVALID when its journal cannot be read
 */
export async function wroteInto(
  { adapter, scope }: Pick<ScopeNote, "adapter" | "scope">,
  { job, ...init }: JobsInit & { readonly job: string },
): Promise<boolean> {
  if (!(await jobIds(init.stateDirectory)).includes(job)) return false;
  const { state, scopes, problem } = await overviewOf(init, job);
  if (state === "damaged") {
    throw new RestoreError(
      "JOURNAL_INVALID",
      `what the drill wrote is not known: ${problem ?? "its journal is damaged"}`,
    );
  }
  const phase = scopes.find((each) => each.adapter === adapter && each.scope === scope)?.phase;
  return phase !== undefined && phase !== "admitted";
}
