/** What the daemon's parts ask of one another: HTTP and schedules know jobs by these alone. */
import type * as z from "zod";
import type { Limits } from "./channel.js";
import type {
  JobEvent,
  JobKind,
  JobRequest,
  JobState,
  JobView,
  planAnswerSchema,
  rejectsSchema,
} from "./schema/job.js";
import type { Run, RunList, ScheduleView } from "./schema/schedule.js";
import type { Role } from "./settings.js";

/** Who asks. */
export interface Client {
  /** The token's name; `socket` for whoever may open the Unix socket. */
  readonly name: string;
  readonly role: Role;
}

export interface Submission {
  readonly request: JobRequest;
  readonly by: Client;
  /** The same key and the same request again: the job that the first one made. Kept as long as the job. */
  readonly idempotencyKey?: string;
  /** The schedule that asks. */
  readonly schedule?: string;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly kinds?: readonly JobKind[];
  readonly schedule?: string;
  readonly limit: number;
  readonly cursor?: string;
}

export interface NumberedEvent {
  readonly id: number;
  readonly event: JobEvent;
}

/** Every method that names a job throws a Fault NOT_FOUND where there is none. */
export interface JobService {
  /**
   * Resolves once the job is kept on disk. `isNew` is false where the idempotency key has made it before.
   * @throws Fault FORBIDDEN for a role that may not ask for it, UNPROCESSABLE, CONFLICT, PLAN_OUTDATED, NOT_CONFIRMED,
   *   UNAVAILABLE
   */
  submit(submission: Submission): Promise<{ readonly job: JobView; readonly isNew: boolean }>;
  /** The job that was made under a client's idempotency key, whatever was asked for under it. */
  madeUnder(client: string, idempotencyKey: string): JobView | undefined;
  get(id: string): JobView;
  list(filter: JobFilter): { readonly jobs: readonly JobView[]; readonly next?: string };
  /** Each resolves once the order is kept and given on; the state follows as an event. @throws Fault CONFLICT */
  pause(id: string): Promise<JobView>;
  /** @throws Fault FORBIDDEN for a role that may not ask for what the job deletes, CONFLICT */
  resume(id: string, by: Client): Promise<JobView>;
  cancel(id: string): Promise<JobView>;
  /** Resolves once the limits hold. @throws Fault UNPROCESSABLE for words that are no limits, CONFLICT, UNAVAILABLE where its
   * process gives no answer */
  setLimits(id: string, limits: Limits): Promise<JobView>;
  /** @throws Fault NOT_FOUND while there is none */
  plan(id: string, by: Client): Promise<z.infer<typeof planAnswerSchema>>;
  /** The report's file: JSON. @throws Fault NOT_FOUND while there is none */
  reportPath(id: string): Promise<string>;
  /** Records that are not plainly restored. `search`: a part of key, place, reason or detail. */
  rejects(
    id: string,
    query: { readonly limit: number; readonly cursor?: string; readonly search?: string; readonly outcome?: string },
  ): Promise<z.infer<typeof rejectsSchema>>;
  /**
   * A job's events behind number `after`, from the first that is still kept, then those to come; ends behind the event
   * with the job's last state, or when aborted. A client that reads slowly misses events of progress that newer ones
   * replace, never one of state.
   */
  events(id: string, after: number, signal: AbortSignal): AsyncIterable<NumberedEvent>;
  /** Every job's `state` events from now on, until aborted. */
  changes(signal: AbortSignal): AsyncIterable<JobView>;
}

/** Every method that names a schedule throws a Fault NOT_FOUND where the settings have none of this name. */
export interface ScheduleService {
  /** With the next due time of each. */
  list(): readonly ScheduleView[];
  /** With the next five due times. */
  get(name: string): ScheduleView;
  /** The latest first. @throws Fault BAD_REQUEST for a cursor of no page */
  runs(name: string, query: { readonly limit: number; readonly cursor?: string }): RunList;
  /**
   * A run at once, beside those that are due. Resolves once it is kept on disk and has its job, or waits for the one that
   * is under way where the settings let runs wait.
   * @throws Fault FORBIDDEN for a role that may not do what the schedule does, CONFLICT while a run is under way,
   *   UNAVAILABLE before the schedules were started and after they were stopped, and what `JobService.submit` throws
   */
  runNow(name: string, by: Client): Promise<Run>;
}
