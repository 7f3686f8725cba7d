/** Records of jobs, with what a test gives them. */
import type { JobRecord } from "../../src/daemon/jobs/record.js";
import { viewOf } from "../../src/daemon/jobs/record.js";
import type { JobView } from "../../src/daemon/schema/job.js";

export function jobRecord(more: Partial<JobRecord> = {}): JobRecord {
  return {
    ...{ recordVersion: 1, id: "00112233aabbccdd", number: 1, kind: "apply", state: "queued" },
    ...{ dump: { root: "backups", path: "one" }, options: {}, limits: {}, by: "owner", createdAt: 1_700_000_000_000 },
    ...{ attempts: 0, crashes: 0, warnings: [], lastEvent: 0, has: { plan: false, report: false, rejects: false } },
    ...more,
  };
}

export function jobView(more: Partial<JobRecord> = {}): JobView {
  return viewOf(jobRecord(more));
}
