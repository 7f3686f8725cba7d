/**
 * Carries one scope's records from its reader to its replayer.
 *
 * A window of records that were read waits for batches. A batch takes records from the window in order, at most one of a
 * lane, and none of a lane that an earlier record waits for or a batch in flight holds; records in SCOPE_LANE may share
 * a batch among themselves, and need no turn where the target is told to keep no order. So records of a lane reach the
 * target one after another, whatever runs beside them.
 *
 * The window is bounded in records and bytes: a slow target stops the reading.
 *
 * Every batch is announced in the journal before it is sent and settled there behind it. Records that an earlier process
 * settled are passed over; those that it announced go out with the time of their announcement.
 */

import { interrupted } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import type { Outcome } from "../model/outcome.js";
import { type FaultyRecord, SCOPE_LANE, type SentRecord } from "../model/record.js";
import type { Scope } from "../model/scope.js";
import { type Capabilities, type EndAtStop, type Replayer, WriteStopped } from "../replayers/replayer.js";
import type { RunControl } from "./control.js";
import type { RecordJournal } from "./journal/journal.js";
import type { Accounted, ScopeLedger } from "./ledger.js";
import type { RecordToWrite } from "./run-records.js";

export interface ScopeRun {
  readonly scope: Scope;
  /** Records that are selected and transformed, from the journal's position on, some at a time. */
  readonly batches: AsyncIterable<readonly RecordToWrite[]>;
  /** Paused, no further record is taken. */
  readonly control?: Pick<RunControl, "isPaused" | "pass">;
  readonly replayer: Pick<Replayer, "write" | "writeOnceAnnounced" | "spare">;
  readonly capabilities: Pick<Capabilities, "batch" | "concurrency" | "keepsOrder">;
  readonly journal: Omit<RecordJournal, "underWay" | "underWayUpTo">;
  /** Number of the first record. */
  readonly firstSequence: number;
  readonly ledger: ScopeLedger;
  /** Milliseconds that the job has worked on the scope by now. */
  readonly workedMs: () => number;
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly sequence: number;
  readonly record: SentRecord;
  /** Those of one are under way one after another. Absent: it waits for none. */
  readonly lane: string | undefined;
}

interface Settled {
  readonly sequence: number;
  readonly record: SentRecord;
  readonly outcome: Outcome;
}

/** Enough to go on with while others are under way; what waits longer only gets old in memory. */
const WINDOW_BATCHES = 2;
const LEAST_WINDOW_RECORDS = 256;
const LEAST_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Runs the scope to its end. Resolves when every record read has an outcome in ledger and journal.
 * @throws the first error that ends the run, after the batches in flight have settled; what is not settled by then is
 *   counted as not reached
 */
export async function runScope(run: ScopeRun): Promise<void> {
  const runner = new ScopeRunner(run);
  await runner.run();
}

class ScopeRunner {
  readonly #run: ScopeRun;
  readonly #windowRecords: number;
  readonly #windowBytes: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #busyLanes = new Set<string>();
  #sequence: number;
  #failure: unknown;
  #failed = false;

  constructor(run: ScopeRun) {
    this.#run = run;
    this.#sequence = run.firstSequence;
    const { batch } = run.capabilities;
    // Full batches, however many start at once.
    const batches = Math.max(WINDOW_BATCHES, Math.ceil(LEAST_WINDOW_RECORDS / batch.records));
    this.#windowRecords = batches * batch.records;
    this.#windowBytes = Math.max(LEAST_WINDOW_BYTES, batch.bytes * WINDOW_BATCHES);
  }

  async run(): Promise<void> {
    try {
      for await (const batch of this.#run.batches) {
        await this.#takeAll(batch);
        if (this.#failed) break;
      }
      while (!this.#failed && this.#waiting.length > 0) await this.#advance();
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#inFlight);
    if (this.#failed) throw this.#failure;
  }

  async #takeAll(records: readonly RecordToWrite[]): Promise<void> {
    const { control, signal } = this.#run;
    for (const record of records) {
      if (control?.isPaused === true) await control.pass(signal);
      if (signal?.aborted === true) throw interrupted();
      // Most records only join the window: a promise for each would cost more than all that is done to it here.
      const settling = this.#take(record);
      if (settling !== undefined) await settling;
      while (!this.#failed && this.#windowIsFull()) await this.#advance();
      if (this.#failed) return;
    }
  }

  /** A promise only for a record that ends here and now. */
  #take(record: RecordToWrite): Promise<void> | undefined {
    const { ledger, journal } = this.#run;
    const sequence = this.#sequence++;
    if (journal.isSettled(sequence)) {
      journal.passed({ sequence, after: record.after });
      return undefined;
    }
    if (record.kind === "left-out") return this.#settled([{ sequence, record }], ledger.leaveOut());
    ledger.read();
    if (record.kind === "faulty") return this.#settleFaulty(sequence, record);
    this.#waiting.push({ sequence, record: this.#withAnnouncement(sequence, record), lane: this.#laneOf(record) });
    this.#waitingBytes += record.bytes;
    return undefined;
  }

  #laneOf({ lane }: SentRecord): string | undefined {
    return lane === SCOPE_LANE && this.#run.capabilities.keepsOrder === false ? undefined : lane;
  }

  #withAnnouncement(sequence: number, record: SentRecord): SentRecord {
    const announcedAt = this.#run.journal.announcedAt(sequence);
    return announcedAt === undefined ? record : Object.assign(record, { announcedAt });
  }

  async #settleFaulty(sequence: number, record: FaultyRecord): Promise<void> {
    const { scope, replayer, ledger } = this.#run;
    await replayer.spare?.(scope, record.key);
    const outcome: Outcome = { kind: record.outcome, reason: record.reason, detail: record.detail };
    await this.#settled([{ sequence, record }], ledger.settle([{ record, outcome }]));
  }

  async #settled(
    records: readonly { readonly sequence: number; readonly record: Pick<RecordToWrite, "after"> }[],
    accounted: Accounted,
  ): Promise<void> {
    const { journal, workedMs } = this.#run;
    const ends = records.map(({ sequence, record }) => ({ sequence, after: record.after }));
    await journal.settled({ records: ends, ...accounted, workedMs: workedMs() });
  }

  #windowIsFull(): boolean {
    return this.#waiting.length >= this.#windowRecords || this.#waitingBytes >= this.#windowBytes;
  }

  /** Starts as many batches as there is room for, or waits for one to end. */
  async #advance(): Promise<void> {
    if (this.#run.signal?.aborted === true) throw interrupted();
    let started = false;
    while (this.#inFlight.size < this.#run.capabilities.concurrency) {
      const batch = this.#nextBatch();
      if (batch.length === 0) break;
      this.#start(batch);
      started = true;
    }
    if (!started && this.#inFlight.size > 0) await Promise.race(this.#inFlight);
  }

  #nextBatch(): Waiting[] {
    const { batch: limit } = this.#run.capabilities;
    const picked: Waiting[] = [];
    const passed: Waiting[] = [];
    const blocked = new Set(this.#busyLanes);
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const { lane, record } = waiting;
      const size = record.bytes;
      if (picked.length > 0 && (picked.length >= limit.records || bytes + size > limit.bytes)) break;
      if (lane !== undefined && blocked.has(lane)) {
        passed.push(waiting);
        continue;
      }
      picked.push(waiting);
      bytes += size;
      if (lane !== undefined && lane !== SCOPE_LANE) blocked.add(lane);
    }
    const rest = this.#waiting.slice(picked.length + passed.length);
    this.#waiting = passed.length === 0 ? rest : passed.concat(rest);
    this.#waitingBytes -= bytes;
    return picked;
  }

  #start(batch: readonly Waiting[]): void {
    const lanes = new Set<string>();
    for (const { lane } of batch) if (lane !== undefined) lanes.add(lane);
    for (const lane of lanes) this.#busyLanes.add(lane);
    const done = this.#write(batch)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        for (const lane of lanes) this.#busyLanes.delete(lane);
        this.#inFlight.delete(done);
      });
    this.#inFlight.add(done);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    let ends: readonly EndAtStop[];
    let stopped: unknown;
    try {
      ends = await this.#announceAndWrite(batch);
    } catch (error) {
      if (!(error instanceof WriteStopped)) throw error;
      ends = error.ends;
      stopped = error.cause ?? error;
    }
    if (ends.length !== batch.length) {
      throw new RestoreError("INTERNAL", `${ends.length} outcomes for ${batch.length} records`, { retry: "fatal" });
    }
    await this.#end(batch, ends);
    if (stopped !== undefined) throw stopped;
  }

  async #announceAndWrite(batch: readonly Waiting[]): Promise<readonly EndAtStop[]> {
    const { scope, replayer, journal } = this.#run;
    const records = batch.map(({ record }) => record);
    const announced = journal.intent(batch.map(({ sequence }) => sequence));
    if (replayer.writeOnceAnnounced !== undefined) {
      const [ends] = await Promise.all([replayer.writeOnceAnnounced(scope, records, announced), announced]);
      return ends;
    }
    await announced;
    return await replayer.write(scope, records);
  }

  async #end(batch: readonly Waiting[], ends: readonly EndAtStop[]): Promise<void> {
    const { journal, ledger } = this.#run;
    const settled: Settled[] = [];
    for (const [i, { sequence, record }] of batch.entries()) {
      const outcome = ends[i];
      if (typeof outcome === "object") settled.push({ sequence, record, outcome });
    }
    if (settled.length > 0) await this.#settled(settled, ledger.settle(settled));
    // What an earlier process announced stays so: this process not having sent it says nothing of that one.
    const unsent = batch.filter(({ record }, i) => ends[i] === "not-sent" && record.announcedAt === undefined);
    await journal.withdraw(unsent.map(({ sequence }) => sequence));
  }

  #fail(error: unknown): void {
    if (!this.#failed) this.#failure = error;
    this.#failed = true;
  }
}
