/**
 * What Prometheus is told. Labels have few values by their nature: kinds, states, adapters, outcomes, routes and the
 * configuration's schedules; never a job, a scope or a key.
 *
 * Records and bytes are counted as the processes of jobs tell of them; how often they repeated or slowed down requests is
 * known from a restore's report, once it has ended.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import * as z from "zod";
import { ADAPTERS } from "../../model/scope.js";
import { readReport } from "../reports.js";
import { ENDED_STATES, JOB_KINDS, JOB_STATES, type JobView } from "../schema/job.js";
import type { JobService } from "../services.js";

type Jobs = Pick<JobService, "get" | "list" | "changes" | "reportPath">;

export interface MetricsInit {
  readonly jobs: Jobs;
  /** The configuration's. */
  readonly schedules: readonly string[];
  readonly eventClients: () => number;
}

const PREFIX = "elastickv_restore_";
const ACTIVE_STATES = JOB_STATES.filter((state) => !ENDED_STATES.has(state));
const PAGE = 1000;

export class Metrics {
  readonly #registry = new Registry();
  readonly #init: MetricsInit;
  /** Jobs that have not ended, and what of each was counted. */
  readonly #active = new Map<string, { job: JobView; readonly counted: Map<string, number> }>();
  readonly #records: Counter<"adapter" | "outcome">;
  readonly #bytes: Counter<"adapter">;
  readonly #calls: Readonly<Record<"requests" | "retries" | "throttled", Counter<"adapter">>>;
  readonly #ended: Counter<"kind" | "state">;
  readonly #recovery: Gauge<"schedule">;
  readonly #lastRun: Gauge<"schedule" | "state">;
  readonly #answers: Counter<"method" | "route" | "status">;
  readonly #refusals: Counter;

  constructor(init: MetricsInit) {
    this.#init = init;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
      new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
      new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers });
    this.#records = counter("records_total", "Records of restores that ended, by outcome.", ["adapter", "outcome"]);
    this.#bytes = counter("bytes_total", "Bytes of the records of all jobs.", ["adapter"]);
    this.#calls = {
      requests: counter("requests_total", "Requests of restores that have ended.", ["adapter"]),
      retries: counter("retries_total", "Requests that restores, which have ended, sent again.", ["adapter"]),
      throttled: counter("throttled_total", "Answers that asked restores, which have ended, to slow down.", [
        "adapter",
      ]),
    };
    this.#ended = counter("jobs_ended_total", "Jobs that ended since the daemon was started.", ["kind", "state"]);
    this.#recovery = gauge("drill_recovery_seconds", "How long the restore of the last drill took.", ["schedule"]);
    this.#lastRun = gauge("schedule_last_end_timestamp_seconds", "When a run last ended so.", ["schedule", "state"]);
    this.#answers = counter("http_answers_total", "Answers.", ["method", "route", "status"]);
    this.#refusals = counter("authentication_failures_total", "Requests with a token that is none.");
    const metrics = this;
    new Gauge({
      name: `${PREFIX}jobs`,
      help: "Jobs that have not ended; queued ones are the queue's length, running ones are in flight.",
      labelNames: ["kind", "state"],
      registers,
      collect() {
        for (const kind of JOB_KINDS) for (const state of ACTIVE_STATES) this.set({ kind, state }, 0);
        for (const { job } of metrics.#active.values()) this.inc({ kind: job.kind, state: job.state });
      },
    });
    new Gauge({
      name: `${PREFIX}event_clients`,
      help: "Clients that follow live events.",
      registers,
      collect() {
        this.set(init.eventClients());
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    for (const id of this.#active.keys()) this.#countProgress(this.#init.jobs.get(id));
    return await this.#registry.metrics();
  }

  noteAnswer({ method, route, status }: { method: string; route: string; status: number }): void {
    this.#answers.inc({ method: METHODS.has(method) ? method : "other", route, status: String(status) });
  }

  noteRefusal(): void {
    this.#refusals.inc();
  }

  /** Follows the jobs until aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const changes = this.#init.jobs.changes(signal)[Symbol.asyncIterator]();
    // Asked for before the jobs are counted: none is missed between the two.
    let next = changes.next();
    for (const job of allOf(this.#init.jobs)) this.#active.set(job.id, { job, counted: countsOf(job) });
    for (const schedule of this.#init.schedules) this.#seed(schedule);
    for (let result = await next; result.done !== true; result = await next) {
      await this.#note(result.value);
      next = changes.next();
    }
  }

  #seed(schedule: string): void {
    const [last] = this.#init.jobs.list({ schedule, states: ["finished"], limit: 1 }).jobs;
    if (last !== undefined) this.#noteRun(last);
  }

  async #note(job: JobView): Promise<void> {
    this.#countProgress(job);
    if (!ENDED_STATES.has(job.state)) return;
    if (!this.#active.delete(job.id)) return;
    this.#ended.inc({ kind: job.kind, state: job.state });
    this.#noteRun(job);
    if (job.kind === "apply" && job.has.report) await this.#countCalls(job.id);
  }

  #noteRun({ schedule, state, endedAt, result }: JobView): void {
    if (schedule === undefined || endedAt === undefined || !this.#init.schedules.includes(schedule)) return;
    this.#lastRun.set({ schedule, state }, Date.parse(endedAt) / 1000);
    if (result?.recoveryMs !== undefined) this.#recovery.set({ schedule }, result.recoveryMs / 1000);
  }

  #countProgress(job: JobView): void {
    const known = this.#active.get(job.id) ?? { job, counted: new Map<string, number>() };
    this.#active.set(job.id, known);
    known.job = job;
    for (const [key, count] of countsOf(job)) {
      const more = count - (known.counted.get(key) ?? 0);
      if (more <= 0) continue;
      known.counted.set(key, count);
      const [adapter = "", outcome] = key.split("/");
      if (outcome === undefined) this.#bytes.inc({ adapter }, more);
      else this.#records.inc({ adapter, outcome }, more);
    }
  }

  async #countCalls(id: string): Promise<void> {
    const report = await this.#init.jobs
      .reportPath(id)
      .then((path) => readReport(path, callsSchema))
      .catch(() => undefined);
    for (const { adapter, ...calls } of report?.targets ?? []) {
      for (const name of ["requests", "retries", "throttled"] as const) this.#calls[name].inc({ adapter }, calls[name]);
    }
  }
}

const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]);

function* allOf(jobs: Pick<Jobs, "list">): Generator<JobView> {
  let cursor: string | undefined;
  do {
    const page = jobs.list({ states: ACTIVE_STATES, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.jobs;
    cursor = page.next;
  } while (cursor !== undefined);
}

/** By `adapter/outcome`, and bytes by `adapter`. */
function countsOf({ progress }: JobView): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (key: string, count: number) => counts.set(key, (counts.get(key) ?? 0) + count);
  for (const { scope, bytes, outcomes } of progress?.scopes ?? []) {
    const adapter = ADAPTERS.find((each) => scope.startsWith(`${each}/`));
    if (adapter === undefined) continue;
    add(adapter, bytes);
    for (const [outcome, count] of Object.entries(outcomes)) add(`${adapter}/${outcome}`, count);
  }
  return counts;
}

const callsSchema = z.object({
  targets: z.array(
    z.object({ adapter: z.enum(ADAPTERS), requests: z.number(), retries: z.number(), throttled: z.number() }),
  ),
});
