/** Jobs that do nothing by themselves: tests move them. Events are kept, numbered and followed as real ones are. */
import { EventEmitter, on } from "node:events";
import { Fault } from "../../src/daemon/fault.js";
import {
  ENDED_STATES,
  type JobEvent,
  type JobRequest,
  type JobState,
  type JobView,
} from "../../src/daemon/schema/job.js";
import type { Run, ScheduleView } from "../../src/daemon/schema/schedule.js";
import type { JobFilter, JobService, NumberedEvent, ScheduleService, Submission } from "../../src/daemon/services.js";
import { present } from "../../src/support/present.js";

interface Kept {
  view: JobView;
  readonly events: NumberedEvent[];
  readonly key: string | undefined;
  readonly request: string;
}

/** Undefined ones are removed. */
type More = { readonly [K in keyof JobView]?: JobView[K] | undefined };

export interface FakeJobs extends JobService {
  /** Moves a job on and tells everybody who follows. */
  move(id: string, state: JobState, more?: More): void;
  emit(id: string, event: JobEvent): void;
  /** What `reportPath` answers. */
  reports: Map<string, string>;
  /** Makes the next calls fail. */
  failure: Error | undefined;
  readonly submissions: readonly Submission[];
}

export function fakeJobs(): FakeJobs {
  const jobs = new Map<string, Kept>();
  const bus = new EventEmitter().setMaxListeners(0);
  const submissions: Submission[] = [];
  const found = (id: string): Kept => {
    const kept = jobs.get(id);
    if (kept === undefined) throw new Fault("NOT_FOUND", `there is no job ${id}`);
    return kept;
  };
  const emit = (id: string, event: JobEvent) => {
    const kept = found(id);
    const lastEvent = kept.events.length + 1;
    kept.view = { ...kept.view, lastEvent };
    const told = event.type === "state" ? { ...event, job: { ...event.job, lastEvent } } : event;
    kept.events.push({ id: lastEvent, event: told });
    bus.emit(`job ${id}`);
    if (told.type === "state") bus.emit("change", told.job);
  };
  const move = (id: string, state: JobState, more: More = {}) => {
    const kept = found(id);
    kept.view = present({ ...kept.view, ...more, state }) as JobView;
    emit(id, { type: "state", job: kept.view });
  };
  const order = (id: string, from: readonly JobState[], to: JobState): JobView => {
    const { view } = found(id);
    if (!from.includes(view.state)) throw new Fault("CONFLICT", `job ${id} is ${view.state}`);
    move(id, to, { error: undefined });
    return found(id).view;
  };
  const service: FakeJobs = {
    reports: new Map(),
    failure: undefined,
    submissions,
    move,
    emit,
    submit: async (submission) => {
      if (service.failure !== undefined) throw service.failure;
      const { request, by, idempotencyKey } = submission;
      const key = idempotencyKey === undefined ? undefined : `${by.name} ${idempotencyKey}`;
      const same = [...jobs.values()].find((kept) => key !== undefined && kept.key === key);
      if (same !== undefined) {
        if (same.request === JSON.stringify(request)) return { job: same.view, isNew: false };
        throw new Fault("CONFLICT", `something else was asked for under this idempotency key: job ${same.view.id}`);
      }
      submissions.push(submission);
      const view = viewOf(submission, jobs.size);
      jobs.set(view.id, { view, events: [], key, request: JSON.stringify(request) });
      emit(view.id, { type: "state", job: view });
      return { job: found(view.id).view, isNew: true };
    },
    madeUnder: (client, key) => [...jobs.values()].find((kept) => kept.key === `${client} ${key}`)?.view,
    get: (id) => found(id).view,
    list: (filter) => {
      if (service.failure !== undefined) throw service.failure;
      return listed(
        [...jobs.values()].map(({ view }) => view),
        filter,
      );
    },
    pause: async (id) => order(id, ["running"], "paused"),
    resume: async (id, _by) => order(id, ["paused", "held"], "running"),
    cancel: async (id) => order(id, ["queued", "running", "paused", "held"], "cancelled"),
    setLimits: async (id, limits) => {
      found(id).view = { ...found(id).view, limits };
      return found(id).view;
    },
    plan: async (id, by) => {
      if (found(id).view.kind !== "plan") throw new Fault("NOT_FOUND", `job ${id} has no plan`);
      return { plan: { scopes: [] }, deletes: ["redis:0"], ...(by.role === "destroy" ? { confirm: "yes-it-is" } : {}) };
    },
    reportPath: async (id) => {
      found(id);
      const path = service.reports.get(id);
      if (path === undefined) throw new Fault("NOT_FOUND", `job ${id} has no report`);
      return path;
    },
    rejects: async (id, query) => {
      found(id);
      return { rejects: [{ key: "k", asked: JSON.stringify(query) }] };
    },
    events: async function* (id, after, signal) {
      let next = after;
      for (;;) {
        const { events, view } = found(id);
        const event = events[next];
        if (event !== undefined) {
          next++;
          yield event;
          continue;
        }
        if (ENDED_STATES.has(view.state) || signal.aborted) return;
        await new Promise<void>((resolve) => {
          bus.once(`job ${id}`, resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
    changes: (signal) => changesOn(bus, signal),
  };
  return service;
}

function changesOn(bus: EventEmitter, signal: AbortSignal): AsyncIterable<JobView> {
  const changes = on(bus, "change", { signal });
  return (async function* () {
    try {
      for await (const [job] of changes) yield job as JobView;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  })();
}

function listed(all: readonly JobView[], { states, kinds, schedule, limit, cursor }: JobFilter) {
  const wanted = [...all]
    .reverse()
    .filter((job) => states === undefined || states.includes(job.state))
    .filter((job) => kinds === undefined || kinds.includes(job.kind))
    .filter((job) => schedule === undefined || job.schedule === schedule);
  const from = Number(cursor ?? 0);
  const jobs = wanted.slice(from, from + limit);
  return { jobs, ...(from + limit < wanted.length ? { next: String(from + limit) } : {}) };
}

function viewOf({ request, by, schedule }: Submission, at: number): JobView {
  return {
    id: (at + 1).toString(16).padStart(16, "0"),
    kind: request.kind,
    state: "queued",
    dump: dumpOf(request),
    ...("target" in request && request.target !== undefined ? { target: request.target } : {}),
    options: ("options" in request ? request.options : undefined) ?? {},
    limits: request.limits ?? {},
    ...(schedule === undefined ? {} : { schedule }),
    by: by.name,
    createdAt: new Date(1_700_000_000_000 + at).toISOString(),
    attempts: 0,
    warnings: [],
    lastEvent: 0,
    has: { plan: request.kind === "plan", report: false, rejects: false },
  };
}

function dumpOf(request: JobRequest): JobView["dump"] {
  if (!("dump" in request)) return { root: "backups", path: "planned" };
  return "path" in request.dump ? request.dump : { root: request.dump.root, path: "newest" };
}

/** One schedule, whose runs are those that were asked for. */
export function fakeSchedules(name = "nightly"): ScheduleService {
  const runs: Run[] = [];
  const view: ScheduleView = {
    name,
    kind: "drill",
    cron: "0 3 * * *",
    timezone: "UTC",
    missed: "run-once",
    overlap: "skip",
    root: "backups",
    pick: "newest",
    notify: [],
    next: ["2030-01-01T03:00:00.000Z"],
    lately: { runs: 0, passed: 0, missedObjectives: 0, failed: 0 },
  };
  const assertKnown = (asked: string) => {
    if (asked !== name) throw new Fault("NOT_FOUND", `no schedule is called "${asked}"`);
  };
  return {
    list: () => [view],
    get: (asked) => {
      assertKnown(asked);
      return view;
    },
    runs: (asked, { limit }) => {
      assertKnown(asked);
      return { runs: runs.slice(0, limit) };
    },
    runNow: async (asked, by) => {
      assertKnown(asked);
      const id = (runs.length + 1).toString(16).padStart(16, "0");
      const run: Run = {
        id,
        schedule: name,
        trigger: "asked",
        by: by.name,
        due: view.next[0] ?? "",
        state: "starting",
      };
      runs.unshift(run);
      return run;
    },
  };
}
