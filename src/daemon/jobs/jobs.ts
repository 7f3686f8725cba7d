/**
 * The daemon's jobs: kept on disk before anybody is told of them, begun in turn, worked on by processes of their own, and
 * taken up where they were by the daemon that follows this one.
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import type * as z from "zod";
import { messageOf } from "../../errors/restore-error.js";
import { listedPath } from "../../run/job/job-file.js";
import { readPlan } from "../../run/plan/read-plan.js";
import { InTurn } from "../../support/in-turn.js";
import { present } from "../../support/present.js";
import { within } from "../../support/within.js";
import type { Limits } from "../channel.js";
import { Fault } from "../fault.js";
import { mayDo } from "../http/tokens.js";
import type { Log } from "../log.js";
import type { JobView, planAnswerSchema } from "../schema/job.js";
import type { Client, JobFilter, JobService, NumberedEvent, Submission } from "../services.js";
import type { DaemonSettings } from "../settings.js";
import { type AdmissionInit, admit, assertRightLimits, assertRole } from "./admission.js";
import { Catalog, keyOf, unknown } from "./catalog.js";
import { Changes } from "./changes.js";
import type { EndpointsOf } from "./claims.js";
import { holds } from "./confirmation.js";
import { deletionsOf } from "./deletions.js";
import { EventLog } from "./event-log.js";
import { filesOf } from "./folder.js";
import { type LiveInit, LiveJob, type Patch } from "./live-job.js";
import { deletesData, hasEnded, type JobRecord } from "./record.js";
import { type RejectsPage, type RejectsQuery, readRejects } from "./rejects.js";
import { Removal } from "./removal.js";
import { Runner, type RunnerInit } from "./runner.js";
import { Slots } from "./slots.js";
import { Store } from "./store.js";

export interface JobsInit
  extends Pick<AdmissionInit, "assertLimits" | "assertions" | "roots" | "targets">,
    Pick<RunnerInit, "clock" | "config" | "isAlive" | "program" | "stateDirectory"> {
  /** The daemon's own folder in the state directory. */
  readonly folder: string;
  readonly settings: DaemonSettings["jobs"];
  readonly endpointsOf: EndpointsOf;
  /** Limits with a change that is known to be right. */
  readonly changedLimits: (had: Limits, change: Limits) => Limits;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

/** Reads all jobs, and begins nothing. @throws RestoreError LOCAL_IO */
export async function openJobs(init: JobsInit): Promise<Jobs> {
  const store = await Store.open(join(init.folder, "jobs"));
  const records: JobRecord[] = [];
  await store.readAll(
    (record) => records.push(record),
    (text) => init.log.error(text),
  );
  return new Jobs(
    init,
    store,
    records.sort((a, b) => a.number - b.number),
  );
}

export class Jobs implements JobService {
  readonly #init: JobsInit;
  readonly #store: Store;
  readonly #catalog: Catalog;
  readonly #changes = new Changes();
  readonly #runner: Runner;
  readonly #slots: Slots;
  readonly #removal: Removal;
  readonly #live: LiveInit;
  /** Submissions, and whatever else must not happen beside them. */
  readonly #turns = new InTurn();
  #isOpen = false;
  #stopped: Promise<void> | undefined;

  constructor(init: JobsInit, store: Store, records: readonly JobRecord[]) {
    const warn = (text: string) => init.log.warn(text);
    this.#init = init;
    this.#store = store;
    this.#catalog = new Catalog(store);
    this.#runner = new Runner({ ...init, folder: store.folder, warn });
    this.#live = { store, clock: init.clock, warn, onChange: (job) => this.#note(job) };
    this.#slots = new Slots({
      ...init,
      atOnce: init.settings.at_once,
      run: (job) => this.#runner.run(job),
      onToGoOn: (job) => {
        this.#goOn(job).catch((error: unknown) => warn(messageOf(error)));
      },
      jobs: () => this.#catalog.lives(),
    });
    this.#removal = new Removal({ ...init, store, catalog: this.#catalog, turns: this.#turns });
    for (const record of records) {
      this.#catalog.add(record, hasEnded(record) ? undefined : new LiveJob(record, this.#live));
    }
  }

  /** Takes up the jobs of before, and begins those that wait. */
  async start(): Promise<void> {
    for (const job of this.#catalog.lives()) {
      await this.#openLog(job);
      const state = this.#stateAtStart(job.record);
      const order = job.record.order === "cancel" ? "cancel" : undefined;
      if (state !== job.record.state || order !== job.record.order) await job.change(() => ({ state, order }));
    }
    this.#isOpen = true;
    for (const job of this.#catalog.lives()) if (job.record.order === "cancel") this.#slots.beginAtOnce(job);
    this.#slots.turn();
    this.#removal.start();
  }

  /** Begins no more, and stops what runs: it is taken up by the next daemon. Repeatable. */
  async stop(withinMs: number): Promise<void> {
    this.#stopped ??= this.#stop(withinMs);
    await this.#stopped;
  }

  async submit(submission: Submission): Promise<{ readonly job: JobView; readonly isNew: boolean }> {
    return await this.#turns.run(async () => {
      const idempotency = idempotencyOf(submission);
      const before = idempotency === undefined ? undefined : this.#madeBefore(idempotency);
      if (before !== undefined) return { job: before, isNew: false };
      this.#assertOpen();
      const { request, by, schedule } = submission;
      const admitted = await admit(this.#admission(), request, by);
      const record: JobRecord = {
        ...{
          recordVersion: 1,
          id: randomBytes(8).toString("hex"),
          number: this.#catalog.nextNumber(),
          state: "queued",
        },
        ...{ ...admitted, by: by.name, createdAt: this.#init.clock.now(), attempts: 0, crashes: 0, warnings: [] },
        lastEvent: 1,
        has: { plan: false, report: false, rejects: false },
        ...present({ schedule, idempotency }),
      };
      await this.#store.create(record);
      const job = new LiveJob(record, this.#live);
      await this.#openLog(job);
      this.#catalog.add(record, job);
      if (admitted.plan !== undefined) await this.#markCarriedOut(admitted.plan, record.id);
      this.#note(job);
      this.#slots.turn();
      return { job: job.view, isNew: true };
    });
  }

  madeUnder(client: string, idempotencyKey: string): JobView | undefined {
    const id = this.#catalog.ofKey(keyOf(client, idempotencyKey));
    return id === undefined ? undefined : this.#catalog.view(id);
  }

  get(id: string): JobView {
    return this.#catalog.view(id);
  }

  list(filter: JobFilter): { readonly jobs: readonly JobView[]; readonly next?: string } {
    return this.#catalog.list(filter);
  }

  async pause(id: string): Promise<JobView> {
    const job = this.#notEnded(id, "paused");
    await job.change((record) => {
      const { state, order } = record;
      assertNotEnded(record, "paused");
      if (order === "cancel") throw conflict(id, "is about to be cancelled, and cannot be paused");
      if (state === "paused" || state === "held") {
        if (order === "resume") return { order: "pause" };
        throw conflict(id, `is ${state} already`);
      }
      if (order === "pause") return undefined;
      return this.#slots.has(id) ? { order: "pause" } : { state: "paused" };
    });
    if (job.record.order === "pause") job.process?.order({ type: "pause" });
    this.#slots.turn();
    return this.get(id);
  }

  async resume(id: string, by: Client): Promise<JobView> {
    const job = this.#notEnded(id, "resumed");
    if (deletesData(job.record)) assertRole(by, "destroy", "resuming a job that deletes");
    await job.change((record) => {
      const { state, order } = record;
      assertNotEnded(record, "resumed");
      if (order === "cancel") throw conflict(id, "is about to be cancelled, and cannot be resumed");
      if (order === "resume") return undefined;
      // It has not come about yet.
      if (order === "pause" && state !== "paused") return { order: undefined };
      if (state !== "paused" && state !== "held") throw conflict(id, `is ${state}, and cannot be resumed`);
      return this.#slots.has(id) ? { order: "resume" } : { ...ANEW, state: "queued", order: undefined };
    });
    job.process?.order({ type: "resume" });
    await this.#goOn(job);
    return this.get(id);
  }

  async cancel(id: string): Promise<JobView> {
    const job = this.#notEnded(id, "cancelled");
    await job.change((record) => {
      assertNotEnded(record, "cancelled");
      if (record.order === "cancel") return undefined;
      // What never had a process has nothing to be let go of.
      if (this.#slots.has(id) || record.attempts > 0) return { order: "cancel" };
      return { state: "cancelled", endedAt: this.#init.clock.now(), order: undefined };
    });
    job.process?.order({ type: "stop" });
    if (!job.hasEnded && this.#isOpen) this.#slots.beginAtOnce(job);
    this.#slots.turn();
    return this.get(id);
  }

  async setLimits(id: string, limits: Limits): Promise<JobView> {
    const job = this.#notEnded(id, "limited");
    assertRightLimits(this.#init, limits);
    // What its process answers later than that is kept all the same.
    const isLimited = await within(ANSWER_MS, this.#limit(job, limits), this.#init.clock);
    if (isLimited === undefined) throw silent(id);
    return this.get(id);
  }

  async plan(id: string, by: Client): Promise<z.infer<typeof planAnswerSchema>> {
    const record = this.#recordOf(id);
    if (record.kind !== "plan" || !record.has.plan) throw notThere(id, "plan");
    const plan = await readPlan(filesOf(this.#store.folder, record).plan);
    const confirmation = this.#catalog.carriedOutBy(id) === undefined ? record.keptPlan?.confirmation : undefined;
    const mayConfirm =
      confirmation !== undefined && holds(confirmation, this.#init.clock.now()) && mayDo(by, "destroy");
    return {
      plan,
      deletes: deletionsOf(plan),
      ...present({ confirm: mayConfirm ? confirmation.token : undefined }),
    };
  }

  async reportPath(id: string): Promise<string> {
    const record = this.#recordOf(id);
    if (!record.has.report) throw notThere(id, "report");
    return filesOf(this.#store.folder, record).report;
  }

  async rejects(id: string, query: RejectsQuery): Promise<RejectsPage> {
    const record = this.#recordOf(id);
    const { listed } = filesOf(this.#store.folder, record);
    // While a restore is under way, the engine alone has its list.
    const engines = record.kind === "apply" ? [listedPath(this.#init.stateDirectory, id)] : [];
    const paths = hasEnded(record) ? [...listed, ...engines] : [...engines, ...listed];
    for (const path of paths) {
      const page = await readRejects(path, query);
      if (page !== undefined) return page;
    }
    return { rejects: [] };
  }

  async *events(id: string, after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    const live = this.#catalog.live(id);
    yield* (await (live?.log() ?? this.#endedLog(id))).follow(after, signal);
  }

  changes(signal: AbortSignal): AsyncIterable<JobView> {
    return this.#changes.follow(signal);
  }

  #note(job: LiveJob): void {
    const { view } = job;
    this.#catalog.note(job);
    this.#changes.tell(view);
    const { id, kind, state, error } = view;
    const why = error === undefined ? {} : { code: error.code, why: error.message };
    this.#init.log.info({ job: id, kind, state, ...why }, `job is ${state}`);
    if (job.hasEnded) this.#removal.look();
  }

  /** @throws Fault UNPROCESSABLE, CONFLICT */
  async #limit(job: LiveJob, limits: Limits): Promise<true> {
    const answer = await job.limit(limits);
    if (answer?.refused !== undefined) throw new Fault("UNPROCESSABLE", answer.refused);
    await job.change((record) => {
      assertNotEnded(record, "limited");
      return { limits: this.#init.changedLimits(record.limits, limits) };
    });
    // One that was begun meanwhile has others in its words.
    if (answer === undefined) await job.limit(limits);
    return true;
  }

  /** Of a job that was told to go on while what worked on it came to its end: nobody else takes that order any more. */
  async #goOn(job: LiveJob): Promise<void> {
    await job.change(({ order }) =>
      order === "resume" && this.#isOpen && !this.#slots.has(job.id)
        ? { ...ANEW, state: "queued", order: undefined }
        : undefined,
    );
    this.#slots.turn();
  }

  async #stop(withinMs: number): Promise<void> {
    this.#isOpen = false;
    this.#slots.close();
    this.#runner.stop();
    await this.#removal.stop();
    const over = new AbortController();
    const late = this.#init.clock.sleep(withinMs, over.signal).then(
      () => this.#runner.kill(),
      () => undefined,
    );
    await this.#slots.idle();
    over.abort();
    await late;
    // What is being kept is kept.
    await this.#turns.run(async () => undefined);
  }

  #stateAtStart({ state, order, attempts }: JobRecord): JobRecord["state"] {
    if (order === "cancel") return state;
    if (state === "paused" || state === "held") return order === "resume" ? "queued" : state;
    if (order === "pause") return "paused";
    const wasUnderWay = state === "running" || (state === "queued" && attempts > 0);
    return wasUnderWay && this.#init.settings.after_restart === "hold" ? "held" : "queued";
  }

  #admission(): AdmissionInit {
    return {
      ...this.#init,
      folder: this.#store.folder,
      now: () => this.#init.clock.now(),
      find: (id) => this.#catalog.record(id),
      carriedOutBy: (plan) => this.#catalog.carriedOutBy(plan),
    };
  }

  /** @throws Fault CONFLICT where something else was asked for under the key */
  #madeBefore({ key, sha256 }: NonNullable<JobRecord["idempotency"]>): JobView | undefined {
    const id = this.#catalog.ofKey(key);
    const record = id === undefined ? undefined : this.#catalog.record(id);
    if (record === undefined) return undefined;
    if (record.idempotency?.sha256 === sha256) return this.#catalog.view(record.id);
    throw new Fault("CONFLICT", `something else was asked for under this idempotency key: job ${record.id}`, {
      hint: "Use a key once for one request.",
    });
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Fault("UNAVAILABLE", "the daemon is about to begin or to end");
    const { queued } = this.#init.settings;
    const waiting = this.#catalog.lives().filter(({ record }) => record.state === "queued").length;
    if (waiting < queued) return;
    throw new Fault("UNAVAILABLE", `${waiting} jobs wait already (jobs.queued)`, { hint: "Try again later." });
  }

  /** From then on its confirmation is worth nothing. Who carried it out is known by that job's own record as well. */
  async #markCarriedOut(plan: string, by: string): Promise<void> {
    const record = this.#recordOf(plan);
    const { keptPlan } = record;
    if (keptPlan === undefined) return;
    const kept = { ...record, keptPlan: { sha256: keptPlan.sha256, carriedOutBy: by } };
    await this.#store.write(kept).catch((error: unknown) => this.#init.log.warn(messageOf(error)));
  }

  #recordOf(id: string): JobRecord {
    const record = this.#catalog.record(id);
    if (record === undefined) throw unknown(id);
    return record;
  }

  /** @throws Fault NOT_FOUND, CONFLICT */
  #notEnded(id: string, what: string): LiveJob {
    const job = this.#catalog.live(id);
    if (job === undefined) throw conflict(id, `has ended (${this.get(id).state}), and cannot be ${what}`);
    return job;
  }

  /** What cannot be read is told to whoever asks for the events. */
  async #openLog(job: LiveJob): Promise<void> {
    await job.log().catch(() => undefined);
  }

  async #endedLog(id: string): Promise<EventLog> {
    const job = this.get(id);
    const { clock, log } = this.#init;
    const init = { job, clock, warn: (text: string) => log.warn(text) };
    return await this.#turns.run(() => EventLog.open(filesOf(this.#store.folder, job).events, init));
  }
}

/** For the process of a job to say that it has new limits, which it does at once unless it hangs. */
const ANSWER_MS = 20_000;

/** Nothing of why it was held stays with a job that goes on. */
const ANEW: Patch = {
  ...{ error: undefined, result: undefined, crashes: 0 },
  has: { plan: false, report: false, rejects: false },
};

function assertNotEnded(record: JobRecord, what: string): Patch | undefined {
  if (hasEnded(record)) throw conflict(record.id, `has ended (${record.state}), and cannot be ${what}`);
  return undefined;
}

function conflict(id: string, why: string): Fault {
  return new Fault("CONFLICT", `job ${id} ${why}`);
}

function silent(id: string): Fault {
  return new Fault(
    "UNAVAILABLE",
    `the process of job ${id} gives no answer: whether the new limits hold is not known`,
    {
      hint: "They hold once it answers: ask for the job again in a while. If it hangs, cancel the job, which ends it.",
    },
  );
}

function notThere(id: string, what: string): Fault {
  return new Fault("NOT_FOUND", `job ${id} has no ${what}`, { hint: "It has one once it has come so far." });
}

function idempotencyOf({ request, by, idempotencyKey }: Submission): JobRecord["idempotency"] {
  if (idempotencyKey === undefined) return undefined;
  const sha256 = createHash("sha256").update(canonical(request)).digest("hex");
  return { key: keyOf(by.name, idempotencyKey), sha256 };
}

/** The same text for the same request, whatever the order of its members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
