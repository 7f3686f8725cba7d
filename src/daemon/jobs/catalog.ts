/**
 * All jobs, in the order in which they were asked for: of those that have ended, little is in memory, and the rest is read
 * from the disk when it is asked for. Lists are made page by page, the latest first.
 */
import { createHash } from "node:crypto";
import { present } from "../../support/present.js";
import { Fault } from "../fault.js";
import type { JobView } from "../schema/job.js";
import type { JobFilter } from "../services.js";
import type { LiveJob } from "./live-job.js";
import { hasEnded, type JobRecord, viewOf } from "./record.js";
import type { EndedJob } from "./retention.js";
import type { Store } from "./store.js";

/** Of jobs that have ended, as clients saw them last. */
const REMEMBERED = 500;

type Summary = Pick<JobRecord, "endedAt" | "id" | "kind" | "number" | "plan" | "schedule" | "state"> & {
  readonly key?: string;
};

export class Catalog {
  readonly #store: Store;
  /** In the order of their numbers. */
  readonly #summaries = new Map<string, Summary>();
  readonly #live = new Map<string, LiveJob>();
  readonly #byKey = new Map<string, string>();
  readonly #remembered = new Map<string, JobView>();
  #lastNumber = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The number of the next job. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** Jobs have to come in the order of their numbers. `live`: of one that has not ended. */
  add(record: JobRecord, live?: LiveJob): void {
    this.#summaries.set(record.id, summaryOf(record));
    this.#lastNumber = Math.max(this.#lastNumber, record.number);
    if (record.idempotency !== undefined) this.#byKey.set(record.idempotency.key, record.id);
    if (live !== undefined) this.#live.set(record.id, live);
  }

  /** Its record has changed. */
  note(job: LiveJob): void {
    const { record } = job;
    this.#summaries.set(record.id, summaryOf(record));
    if (!hasEnded(record)) return;
    this.#live.delete(record.id);
    this.#remember(job.view);
  }

  /** What is known of it no more. */
  remove(id: string): void {
    const { key } = this.#summaries.get(id) ?? {};
    this.#summaries.delete(id);
    this.#remembered.delete(id);
    if (key !== undefined && this.#byKey.get(key) === id) this.#byKey.delete(key);
  }

  /** Of one that has ended: its record was written anew. */
  forget(id: string): void {
    this.#remembered.delete(id);
  }

  live(id: string): LiveJob | undefined {
    return this.#live.get(id);
  }

  /** Those that have not ended, the earliest first. */
  lives(): readonly LiveJob[] {
    return [...this.#live.values()];
  }

  /** The job that was made under an idempotency key. */
  ofKey(key: string): string | undefined {
    return this.#byKey.get(key);
  }

  has(id: string): boolean {
    return this.#summaries.has(id);
  }

  record(id: string): JobRecord | undefined {
    return this.#live.get(id)?.record ?? (this.has(id) ? this.#store.read(id) : undefined);
  }

  /** @throws Fault NOT_FOUND */
  view(id: string): JobView {
    const live = this.#live.get(id);
    if (live !== undefined) return live.view;
    const remembered = this.#remembered.get(id);
    if (remembered !== undefined) return remembered;
    if (!this.has(id)) throw unknown(id);
    const view = viewOf(this.#store.read(id));
    this.#remember(view);
    return view;
  }

  /** @throws Fault BAD_REQUEST for a cursor of no page */
  list({ limit, cursor, states, kinds, schedule }: JobFilter): { readonly jobs: JobView[]; readonly next?: string } {
    const before = numberOf(cursor);
    const jobs: JobView[] = [];
    let last: number | undefined;
    for (const summary of [...this.#summaries.values()].reverse()) {
      if (summary.number >= before) continue;
      if (states?.includes(summary.state) === false || kinds?.includes(summary.kind) === false) continue;
      if (schedule !== undefined && summary.schedule !== schedule) continue;
      if (jobs.length === limit) return { jobs, ...present({ next: last === undefined ? undefined : String(last) }) };
      last = summary.number;
      jobs.push(this.view(summary.id));
    }
    return { jobs };
  }

  /** The job that carried out a plan, or is to. */
  carriedOutBy(plan: string): string | undefined {
    for (const summary of this.#summaries.values()) if (summary.plan === plan) return summary.id;
    return undefined;
  }

  ended(): EndedJob[] {
    return [...this.#summaries.values()].flatMap(({ id, endedAt, plan }) =>
      endedAt === undefined ? [] : [{ id, endedAt, ...present({ plan }) }],
    );
  }

  #remember(view: JobView): void {
    this.#remembered.set(view.id, view);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function summaryOf({ id, number, kind, state, schedule, plan, endedAt, idempotency }: JobRecord): Summary {
  return { id, number, kind, state, ...present({ schedule, plan, endedAt, key: idempotency?.key }) };
}

/** Each client has keys of its own. */
export function keyOf(client: string, key: string): string {
  return createHash("sha256").update(`${client}\0${key}`).digest("base64url");
}

function numberOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,14}$/.test(cursor)) return Number(cursor);
  throw new Fault("BAD_REQUEST", "the cursor is of no page of jobs", { hint: "Begin again without a cursor." });
}

export function unknown(id: string): Fault {
  return new Fault("NOT_FOUND", `there is no job ${id}`, {
    hint: "`GET /v1/jobs` lists the jobs; those that ended long ago are removed.",
  });
}
