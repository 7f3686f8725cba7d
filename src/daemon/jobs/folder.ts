/** The files in a job's folder. */
import { join } from "node:path";
import type { JobRecord } from "./record.js";

export interface JobFiles {
  readonly folder: string;
  readonly record: string;
  readonly events: string;
  /** The end of what its processes said on standard error. */
  readonly output: string;
  /** Of a plan. */
  readonly plan: string;
  /** Of a drill: the folder of its evidence. */
  readonly evidence: string;
  /** The report, by the kind of job. */
  readonly report: string;
  /** Records that are not plainly restored, or differ: one or the other is there, or none. */
  readonly listed: readonly string[];
  /** The comparison after a restore, where it is made by a process of its own. */
  readonly comparison: string;
  /** New ids of stream entries. */
  readonly remap: string;
  /** A state directory of the job's own, for what a comparison that repairs begins. */
  readonly state: string;
}

/** `jobs`: the folder of all jobs. */
export function filesOf(jobs: string, { id, kind }: Pick<JobRecord, "id" | "kind">): JobFiles {
  const folder = join(jobs, id);
  const evidence = join(folder, "evidence");
  const isDrill = kind === "drill";
  const [reports, stem] = isDrill ? [evidence, "drill"] : [folder, "report"];
  return {
    folder,
    record: join(folder, "job.json"),
    events: join(folder, "events.jsonl"),
    output: join(folder, "output.log"),
    plan: join(folder, "plan.json"),
    evidence,
    report: join(reports, `${stem}.json`),
    listed: [join(reports, `${stem}.rejects.jsonl`), join(reports, `${stem}.differences.jsonl`)],
    comparison: join(folder, "comparison.json"),
    remap: join(folder, "remap"),
    state: join(folder, "state"),
  };
}
