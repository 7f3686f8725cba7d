/**
 * A job that writes messages into a FIFO queue of its own making, process after process: each can be killed before or
 * after any of its steps, or cut off from the queue. It journals as the engine does: what is announced, when, and what is
 * settled.
 */
import { tmpdir } from "node:os";
import { RestoreError } from "../../src/errors/restore-error.js";
import type { Outcome } from "../../src/model/outcome.js";
import type { MessageRecord } from "../../src/model/record.js";
import { type EndAtStop, type Notebook, WriteStopped } from "../../src/replayers/replayer.js";
import { AnswersSeen } from "../../src/replayers/sqs/answers.js";
import type { EntryAnswer } from "../../src/replayers/sqs/client.js";
import { DeduplicationIds } from "../../src/replayers/sqs/deduplication.js";
import { EarlierIds } from "../../src/replayers/sqs/earlier-ids.js";
import { FifoWriter } from "../../src/replayers/sqs/fifo-writer.js";
import { HaltedGroups } from "../../src/replayers/sqs/halted-groups.js";
import { QueueNotes } from "../../src/replayers/sqs/queue-notes.js";
import type { Entry } from "../../src/replayers/sqs/send-bodies.js";
import type { OnAmbiguous } from "../../src/replayers/sqs/sending.js";
import { type FakeClock, fakeClock } from "./fake-clock.js";
import { FakeSqs, lostReply, serviceError } from "./fake-sqs.js";
import { MemoryNotebook } from "./memory-notebook.js";
import { queueScope } from "./sqs-records.js";

const SCOPE = queueScope("q.fifo");
const REMEMBERS_MS = 5 * 60_000;

/** A FIFO queue: drops what repeats an id within five minutes, with the first one's answer. */
class FifoQueue {
  /** Bodies by group, as they arrived. */
  readonly arrived = new Map<string, string[]>();
  readonly #clock: FakeClock;
  readonly #remembered = new Map<string, { readonly answer: EntryAnswer; readonly until: number }>();
  #sequence = 1_000n;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  take(fake: FakeSqs, entry: Entry): EntryAnswer {
    const id = entry.deduplicationId ?? "";
    const known = this.#remembered.get(id);
    if (known !== undefined && known.until > this.#clock.now()) return known.answer;
    const answer = fake.taken(entry, this.#sequence++);
    this.#remembered.set(id, { answer, until: this.#clock.now() + REMEMBERS_MS });
    const group = entry.groupId ?? "";
    this.arrived.set(group, [...(this.arrived.get(group) ?? []), entry.body]);
    return answer;
  }

  /** As an earlier run left it: these were sent, and are no longer there. */
  remember(records: readonly MessageRecord[]): void {
    const earlier = new FakeSqs(this.#clock);
    for (const { body, deduplicationId = "", groupId = "" } of records) {
      this.take(earlier, { body: body.toString(), deduplicationId, groupId });
    }
    this.arrived.clear();
  }
}

/** How a process ends early: at its `step`th send or note (from 0), `before` or `after` that has its effect. */
export interface Stop {
  readonly how: "killed" | "cut-off";
  readonly step: number;
  readonly when: "before" | "after";
}

export interface FifoJobInit {
  readonly records: readonly MessageRecord[];
  /** Whether the queue existed before the job. */
  readonly existed: boolean;
  /** Sent by an earlier run just before. */
  readonly sentBefore?: readonly MessageRecord[];
  /** Bodies that the queue never takes, with an error that is not theirs. */
  readonly failing?: readonly string[];
  readonly onAmbiguous?: OnAmbiguous;
}

const KILLED = new RestoreError("INTERNAL", "killed", { retry: "fatal" });

export class FifoJob {
  readonly clock = fakeClock();
  readonly queue = new FifoQueue(this.clock);
  /** By line. */
  readonly outcomes = new Map<number, Outcome>();
  readonly #init: FifoJobInit;
  readonly #notebook = new MemoryNotebook();
  readonly #announced = new Map<number, number>();

  constructor(init: FifoJobInit) {
    this.#init = init;
    this.queue.remember(init.sentBefore ?? []);
  }

  /** One process, from where the last one ended. Returns how many steps it took; fewer than the stop's: it was not stopped. */
  async run(stop?: Stop): Promise<number> {
    const steps = new Steps(stop);
    const writer = await this.#writer(steps);
    try {
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
        if (!(await this.#write(writer, this.#announce(batch), steps))) break;
      }
    } finally {
      writer.close();
    }
    return steps.count;
  }

  /** As the engine hands them on: with the time at which an earlier process announced them. */
  #announce(batch: readonly MessageRecord[]): MessageRecord[] {
    return batch.map((record) => {
      const { line = 0 } = record.place;
      const announcedAt = this.#announced.get(line);
      if (announcedAt !== undefined) return { ...record, announcedAt };
      this.#announced.set(line, this.clock.now());
      return record;
    });
  }

  /** False when the process has to end. */
  async #write(writer: FifoWriter, batch: readonly MessageRecord[], steps: Steps): Promise<boolean> {
    try {
      const outcomes = await writer.write(batch);
      if (steps.isKilled) return false;
      this.#settle(batch, outcomes);
      return true;
    } catch (error) {
      if (steps.isKilled) return false;
      if (error instanceof WriteStopped) this.#settle(batch, error.ends);
      else if (!steps.isStopped) throw error;
      return false;
    }
  }

  #settle(batch: readonly MessageRecord[], ends: readonly EndAtStop[]): void {
    batch.forEach(({ place: { line = 0 }, announcedAt }, i) => {
      const end = ends[i];
      if (typeof end === "object") this.outcomes.set(line, end);
      else if (end === "not-sent" && announcedAt === undefined) this.#announced.delete(line);
    });
  }

  /** The first unsettled message of each group. */
  #nextBatch(): MessageRecord[] {
    const groups = new Set<string>();
    return this.#init.records.filter(({ place, groupId = "" }) => {
      if (this.outcomes.has(place.line ?? 0) || groups.has(groupId)) return false;
      groups.add(groupId);
      return true;
    });
  }

  async #writer(steps: Steps): Promise<FifoWriter> {
    const { records, existed, failing = [], onAmbiguous = "resend" } = this.#init;
    const notes = new QueueNotes(steps.noting(this.#notebook), SCOPE);
    const beforeNotes = new QueueNotes(this.#notebook, SCOPE);
    if (beforeNotes.takeover === undefined) {
      await beforeNotes.noteTakeover(existed ? "keep" : "create", existed ? this.clock.now() : undefined);
    }
    const { suspectSince } = beforeNotes;
    const api = new FakeSqs(this.clock, () => undefined, 1_000);
    const answering = api.sendOnce.bind(api);
    api.sendOnce = async (url, entries, timing) =>
      await steps.take(async () => {
        if (entries.some(({ body }) => failing.includes(body))) throw serviceError("KmsDisabled");
        await answering(url, entries, timing);
        return entries.map((entry) => this.queue.take(api, entry));
      });
    const rules = { jobId: "0123456789abcdef", scope: "q.fifo", mode: "original", contentBased: false } as const;
    const ids = new DeduplicationIds({ ...rules, perGroup: false, workDirectory: tmpdir() });
    await ids.learn(
      (async function* () {
        yield* records;
      })(),
    );
    return new FifoWriter({
      sending: { api, url: "u", queue: "q.fifo", onAmbiguous, maxRetryTimeMs: 1_000 },
      limitBytes: 1_000,
      preserveVisibility: false,
      queueDelaySeconds: 0,
      ids,
      seen: new AnswersSeen(this.clock, tmpdir()),
      earlier: new EarlierIds({
        notes,
        clock: this.clock,
        ...(suspectSince === undefined ? {} : { suspectSince }),
      }),
      halted: new HaltedGroups(notes),
    });
  }
}

/** Counts a process's sends and notes, and ends it at one of them: then nothing has an effect any more. */
class Steps {
  count = 0;
  isStopped = false;
  readonly #stop: Stop | undefined;

  constructor(stop: Stop | undefined) {
    this.#stop = stop;
  }

  get isKilled(): boolean {
    return this.isStopped && this.#stop?.how === "killed";
  }

  async take<T>(effect: () => Promise<T>, isSend = true): Promise<T> {
    const isCut = isSend || this.#stop?.how === "killed";
    const isLast = isCut && this.count++ === this.#stop?.step;
    if (isLast && this.#stop?.when === "before") this.isStopped = true;
    if (this.isStopped && isCut) throw this.#end();
    const answer = await effect();
    if (isLast) this.isStopped = true;
    if (isLast) throw this.#end();
    return answer;
  }

  noting(notebook: Notebook): Notebook {
    return {
      find: (scope, prefix) => notebook.find(scope, prefix),
      note: async (scope, name, value) => await this.take(() => notebook.note(scope, name, value), false),
    };
  }

  #end(): Error {
    return this.#stop?.how === "killed" ? KILLED : lostReply();
  }
}
