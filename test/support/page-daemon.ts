/** The daemon's page, its real web server, and jobs that a test moves; over a relay, so that connections can be cut. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../src/daemon/fault.js";
import type { Targets } from "../../src/daemon/http/routes/lists.js";
import type { JobRequest, JobView } from "../../src/daemon/schema/job.js";
import type { ScheduleService } from "../../src/daemon/services.js";
import type { Plan } from "../../src/run/plan/plan-schema.js";
import { MANIFEST, temporaryDump } from "./dump-builder.js";
import { type FakeJobs, fakeJobs } from "./fake-jobs.js";
import { startHttpDaemon } from "./http-daemon.js";
import { startRelay } from "./relay.js";

export interface PreparedPlan {
  readonly plan: Plan;
  readonly deletes: readonly string[];
}

export interface PageJobs extends FakeJobs {
  /** What plan jobs found, by their ids. */
  readonly plans: Map<string, PreparedPlan>;
  /** What jobs list beside plainly restored records, by their ids. */
  readonly listed: Map<string, readonly Readonly<Record<string, unknown>>[]>;
}

export interface PageDaemon {
  readonly url: string;
  readonly jobs: PageJobs;
  /** Keeps it as the job's report. */
  keepReport(id: string, report: unknown): Promise<void>;
  /** A job in the state that `more` gives it. */
  add(request: JobRequest, more?: Partial<JobView>): Promise<string>;
  /** Breaks every connection off, and takes no more. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  stop(): Promise<void>;
}

const PAGE = fileURLToPath(new URL("../../src/daemon/public", import.meta.url));
/** What `PageJobs` wants to hear before it deletes. */
const CONFIRMATION = "confirmation-of-the-plan";

export interface PageInit {
  readonly targets: Targets;
  /** Dumps of Redis and DynamoDB below the root `backups`, with the times at which they were taken. */
  readonly dumps: readonly (readonly [path: string, takenAt: string])[];
  readonly schedules?: ScheduleService;
}

export async function startPageDaemon({ targets, dumps, schedules }: PageInit): Promise<PageDaemon> {
  const jobs = pageJobs();
  const port = await freePort();
  const daemon = await startHttpDaemon(
    { jobs, targets, pageFolder: PAGE, ...(schedules === undefined ? {} : { schedules }) },
    { hosts: [`127.0.0.1:${port}`] },
  );
  for (const [path, takenAt] of dumps) await placeDump(join(daemon.folder, path), takenAt);
  let relay = await startRelay(daemon.url.href, port);
  return {
    url: relay.endpoint,
    jobs,
    keepReport: async (id, report) => {
      const path = join(daemon.folder, `${id}.json`);
      await writeFile(path, JSON.stringify(report));
      jobs.reports.set(id, path);
    },
    add: async (request, more = {}) => {
      const { job } = await jobs.submit({ request, by: { name: "oncall", role: "destroy" } });
      if (more.state !== undefined) jobs.move(job.id, more.state, more);
      return job.id;
    },
    cut: () => relay.stop(),
    mend: async () => {
      relay = await startRelay(daemon.url.href, port);
    },
    stop: async () => {
      await relay.stop();
      await daemon.stop();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A dump of two records. */
async function placeDump(folder: string, takenAt: string): Promise<void> {
  const { path } = await temporaryDump({
    manifest: { ...MANIFEST, wall_time_iso: takenAt },
    adapters: { redis: {}, dynamodb: {} },
    files: { "redis/db_0/strings/greeting.bin": "hello", "redis/db_0/sets/s.json": { members: ["a", "b"] } },
  });
  await mkdir(dirname(folder), { recursive: true });
  await rename(path, folder);
}

function pageJobs(): PageJobs {
  const jobs = fakeJobs();
  const plans = new Map<string, PreparedPlan>();
  const listed = new Map<string, readonly Readonly<Record<string, unknown>>[]>();
  return Object.assign(jobs, {
    plans,
    listed,
    submit: submitPlans(jobs, plans),
    plan: async (id: string, by: { readonly role: string }) => {
      const found = plans.get(id);
      if (found === undefined) throw new Fault("NOT_FOUND", `job ${id} has no plan`);
      return { ...found, ...(by.role === "destroy" ? { confirm: CONFIRMATION } : {}) };
    },
    rejects: async (id: string, { limit, cursor, search = "", outcome }: Parameters<FakeJobs["rejects"]>[1]) => {
      const like = (listed.get(id) ?? []).filter(
        (row) => (outcome === undefined || row["outcome"] === outcome) && JSON.stringify(row).includes(search),
      );
      const from = Number(cursor ?? 0);
      const next = from + limit < like.length ? { next: String(from + limit) } : {};
      return { rejects: like.slice(from, from + limit), ...next };
    },
  });
}

/** A plan that is carried out gives the job its dump, target and options, and wants to be confirmed where it deletes. */
function submitPlans(jobs: FakeJobs, plans: ReadonlyMap<string, PreparedPlan>): FakeJobs["submit"] {
  const submit = jobs.submit.bind(jobs);
  return async (submission) => {
    const { request } = submission;
    if (request.kind !== "apply" || !("plan" in request)) return await submit(submission);
    const planned = jobs.get(request.plan);
    const deletes = plans.get(request.plan)?.deletes ?? [];
    if (deletes.length > 0 && request.confirm !== CONFIRMATION) {
      throw new Fault("NOT_CONFIRMED", "the plan deletes, and was not confirmed");
    }
    const answer = await submit(submission);
    if (!answer.isNew) return answer;
    const { dump, target, options } = planned;
    const more = { dump, options, plan: planned.id, ...(target === undefined ? {} : { target }) };
    jobs.move(answer.job.id, "queued", more);
    return { job: jobs.get(answer.job.id), isNew: true };
  };
}
