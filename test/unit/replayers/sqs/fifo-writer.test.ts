import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import type { MessageRecord } from "../../../../src/model/record.js";
import type { Notebook } from "../../../../src/replayers/replayer.js";
import { AnswersSeen } from "../../../../src/replayers/sqs/answers.js";
import type { EntryAnswer } from "../../../../src/replayers/sqs/client.js";
import { DeduplicationIds } from "../../../../src/replayers/sqs/deduplication.js";
import { EarlierIds } from "../../../../src/replayers/sqs/earlier-ids.js";
import { FifoWriter } from "../../../../src/replayers/sqs/fifo-writer.js";
import { HaltedGroups } from "../../../../src/replayers/sqs/halted-groups.js";
import { QueueNotes } from "../../../../src/replayers/sqs/queue-notes.js";
import type { Entry } from "../../../../src/replayers/sqs/send-bodies.js";
import { type FakeClock, fakeClock } from "../../../support/fake-clock.js";
import { Gate, settleTurns } from "../../../support/fake-replayer.js";
import { type Answering, FakeSqs, lostReply, putOff, refused, serviceError } from "../../../support/fake-sqs.js";
import { MemoryNotebook } from "../../../support/memory-notebook.js";
import { fifoMessage, queueScope } from "../../../support/sqs-records.js";

interface Setup {
  readonly answering?: (fake: FakeSqs) => Answering;
  readonly mayRememberIds?: boolean;
  readonly clock?: FakeClock;
  readonly records?: readonly MessageRecord[];
  readonly notebook?: Notebook;
}

async function writerFor(setup: Setup = {}) {
  const clock = setup.clock ?? fakeClock();
  const answering = (entries: readonly Entry[], request: number) => setup.answering?.(api)(entries, request);
  const api: FakeSqs = new FakeSqs(clock, answering, 10_000);
  const notes = new QueueNotes(setup.notebook ?? new MemoryNotebook(), queueScope("q.fifo"));
  const ids = new DeduplicationIds({
    jobId: "0123456789abcdef",
    scope: "q.fifo",
    mode: "original",
    contentBased: false,
    perGroup: false,
    workDirectory: tmpdir(),
  });
  await ids.learn(
    (async function* () {
      yield* setup.records ?? [];
    })(),
  );
  const writer = new FifoWriter({
    sending: { api, url: "u", queue: "q.fifo", onAmbiguous: "resend", maxRetryTimeMs: 10_000 },
    limitBytes: 1_000,
    preserveVisibility: false,
    queueDelaySeconds: 0,
    ids,
    seen: new AnswersSeen(clock, tmpdir()),
    earlier: new EarlierIds({ notes, clock, ...(setup.mayRememberIds ? { suspectSince: clock.now() } : {}) }),
    halted: new HaltedGroups(notes),
  });
  return { writer, api, clock };
}

/** Whether a write begins to make its request before it may be sent. Whatever it does, nothing is sent before that. */
async function preparesAhead(setup: Setup): Promise<boolean> {
  const { writer, api } = await writerFor(setup);
  const announced = new Gate();
  const writing = writer.write([fifoMessage(1, "a")], announced.opened);
  await settleTurns();
  const isPrepared = api.prepared.length > 0;
  expect(api.requests).toEqual([]);
  announced.open();
  expect(await writing).toMatchObject([{ kind: "restored" }]);
  expect(api.requests).toHaveLength(1);
  return isPrepared;
}

describe("a message that is not announced yet", () => {
  it("is prepared and not sent before", async () => {
    expect(await preparesAhead({})).toBe(true);
  });

  it("is not even noted, where notes are kept of how it went", async () => {
    const notebook = new MemoryNotebook();
    const noted: string[] = [];
    const note = notebook.note.bind(notebook);
    notebook.note = async (...args) => {
      noted.push(args[1]);
      await note(...args);
    };
    const { writer } = await writerFor({ mayRememberIds: true, notebook });
    const failed = Promise.reject(new RestoreError("LOCAL_IO", "the journal cannot be written", { retry: "fatal" }));
    await expect(writer.write([fifoMessage(1, "a")], failed)).rejects.toMatchObject({ code: "LOCAL_IO" });
    expect(noted).toEqual([]);
    expect(await preparesAhead({ mayRememberIds: true, answering: (fake) => remembering(fake) })).toBe(false);
  });
});

/** A queue that remembers ids like a real one: a repetition is answered with what stood in the first answer. */
function remembering(fake: FakeSqs, memory = new Map<string, EntryAnswer>(), start = 100n): Answering {
  let sequence = start;
  return (entries) =>
    entries.map((entry) => {
      const known = memory.get(entry.deduplicationId ?? "");
      if (known !== undefined) return known;
      const answer = fake.taken(entry, sequence++);
      memory.set(entry.deduplicationId ?? "", answer);
      return answer;
    });
}

describe("a message that fails", () => {
  const failingAt = (body: string) => (): Answering => (entries) => {
    if (entries.some((entry) => entry.body === body)) throw serviceError("KmsDisabled");
    return undefined;
  };

  it("halts its group, and no other", async () => {
    const { writer, api } = await writerFor({ answering: failingAt("body 1") });
    expect(await writer.write([fifoMessage(1, "a")])).toMatchObject([{ kind: "failed", reason: "key-refused" }]);
    const outcomes = await writer.write([fifoMessage(2, "a"), fifoMessage(3, "b")]);
    expect(outcomes).toMatchObject([{ kind: "failed", reason: "group-halted" }, { kind: "restored" }]);
    expect(api.requests).toEqual([["body 1"], ["body 3"]]);
  });

  it("halts its group when it alone is put off for ever", async () => {
    const answering = () => (entries: readonly Entry[]) =>
      entries.map(({ body }) => (body === "body 1" ? putOff() : undefined));
    const { writer } = await writerFor({ answering });
    const outcomes = await writer.write([fifoMessage(1, "a"), fifoMessage(9, "b")]);
    expect(outcomes).toMatchObject([{ kind: "failed", reason: "throttled" }, { kind: "restored" }]);
    expect(await writer.write([fifoMessage(2, "a")])).toMatchObject([{ reason: "group-halted" }]);
  });

  it("does not halt its group when it was rejected", async () => {
    const { writer } = await writerFor({
      answering: () => (entries) => entries.map(({ body }) => (body === "body 1" ? refused() : undefined)),
    });
    expect(await writer.write([fifoMessage(1, "a")])).toMatchObject([{ kind: "rejected" }]);
    expect(await writer.write([fifoMessage(2, "a")])).toEqual([{ kind: "restored" }]);
  });

  it("is one whose answer has another digest", async () => {
    const { writer } = await writerFor({
      answering: () => (entries) =>
        entries.map((_entry, i) => ({ sent: { messageId: `x${i}`, bodyMd5: "00000000000000000000000000000000" } })),
    });
    expect(await writer.write([fifoMessage(1, "a")])).toMatchObject([{ kind: "failed", reason: "digest-mismatch" }]);
  });

  it("is one whose answer does not confirm its attributes", async () => {
    const { writer } = await writerFor();
    const attributes = [["n", { dataType: "Number", value: { string: "1" } }]] as const;
    const outcomes = await writer.write([fifoMessage(1, "a", { attributes })]);
    expect(outcomes).toMatchObject([{ kind: "failed", reason: "digest-missing" }]);
  });
});

describe("a group that a message halted", () => {
  const failing = (): Answering => () => {
    throw serviceError("KmsDisabled");
  };

  it("stays halted in the next process of the job, and no other does", async () => {
    const notebook = new MemoryNotebook();
    await (await writerFor({ notebook, answering: failing })).writer.write([fifoMessage(1, "a")]);
    const { writer, api } = await writerFor({ notebook });
    const outcomes = await writer.write([fifoMessage(2, "a"), fifoMessage(3, "b")]);
    expect(outcomes).toMatchObject([{ kind: "failed", reason: "group-halted" }, { kind: "restored" }]);
    expect(api.requests).toEqual([["body 3"]]);
  });

  it("goes on, for good, when that message was not settled and arrives in the next process", async () => {
    const notebook = new MemoryNotebook();
    const { writer: first, clock } = await writerFor({ notebook, answering: failing });
    await first.write([fifoMessage(1, "a")]);
    const second = await writerFor({ notebook, clock });
    const again = fifoMessage(1, "a", { announcedAt: clock.now() - 1_000 });
    expect(await second.writer.write([again])).toEqual([{ kind: "restored" }]);
    const third = await writerFor({ notebook, clock });
    expect(await third.writer.write([fifoMessage(2, "a")])).toEqual([{ kind: "restored" }]);
  });

  it("is noted before the message's outcome is told", async () => {
    const notebook = new MemoryNotebook();
    const { writer } = await writerFor({ notebook, answering: failing });
    notebook.beforeNote = () => {
      throw new Error("disk full");
    };
    await expect(writer.write([fifoMessage(1, "a")])).rejects.toThrow("disk full");
  });
});

describe("a stop in the middle of a batch", () => {
  it("keeps what is known of each message, also where they go alone", async () => {
    const { writer } = await writerFor({
      mayRememberIds: true,
      answering: () => (entries) => {
        if (entries.some(({ body }) => body === "body 2")) throw lostReply();
        return undefined;
      },
    });
    const batch = [1, 2, 3].map((line) => fifoMessage(line, `g${line}`));
    await expect(writer.write(batch)).rejects.toMatchObject({
      cause: { code: "OUTAGE" },
      ends: [{ kind: "restored" }, "unknown", { kind: "restored" }],
    });
  });
});

describe("a lost reply", () => {
  it("is repeated under the same id and leaves no doubt", async () => {
    const { writer, api } = await writerFor({
      answering: (fake) => {
        const queue = remembering(fake, memory);
        return (entries, request) => {
          const answers = queue(entries, request);
          if (request === 0) throw lostReply();
          return answers;
        };
      },
    });
    expect(await writer.write([fifoMessage(1, "a")])).toEqual([{ kind: "restored" }]);
    expect(api.entries.map(([entry]) => entry?.deduplicationId)).toEqual(["d-1", "d-1"]);
  });
  const memory = new Map<string, EntryAnswer>();
});

describe("a drop", () => {
  it("shows by a message id given before; the message goes again under a made id", async () => {
    const memory = new Map<string, EntryAnswer>();
    const { writer, api } = await writerFor({
      // A queue that takes ids for equal which differ by case.
      answering: (fake) => (entries) =>
        entries.map((entry) => {
          const id = (entry.deduplicationId ?? "").toLowerCase();
          const answer = memory.get(id) ?? fake.taken(entry);
          memory.set(id, answer);
          return answer;
        }),
    });
    await writer.write([fifoMessage(1, "a", { deduplicationId: "X" })]);
    const outcomes = await writer.write([fifoMessage(2, "a", { deduplicationId: "x" })]);
    expect(outcomes).toMatchObject([{ kind: "restored", notes: [{ kind: "rekeyed" }] }]);
    expect(api.entries.at(-1)?.[0]?.deduplicationId).toMatch(/^restore-0123456789abcdef-/);
  });

  it("by an earlier run shows by a number that does not rise in its group", async () => {
    const clock = fakeClock();
    const memory = new Map<string, EntryAnswer>();
    const records = [1, 2, 3, 4].map((line) => fifoMessage(line, line % 2 === 0 ? "a" : "b"));
    const earlier = new FakeSqs(clock);
    remembering(earlier, memory)(
      [2, 4, 1, 3].map((n) => ({ body: `body ${n}`, deduplicationId: `d-${n}` })),
      0,
    );
    let queue: Answering | undefined;
    const { writer } = await writerFor({
      clock,
      records,
      mayRememberIds: true,
      answering: (fake) => {
        queue ??= remembering(fake, memory, 200n);
        return queue;
      },
    });
    for (const batch of [records.slice(0, 2), records.slice(2)]) {
      const outcomes = await writer.write(batch);
      expect(outcomes).toMatchObject(batch.map(() => ({ kind: "restored", notes: [{ kind: "rekeyed" }] })));
    }
    // Four of the earlier run, four of this one.
    expect(memory.size).toBe(8);
  });

  it("is looked for one message at a time, and only as long as a queue remembers", async () => {
    const clock = fakeClock();
    const { writer, api } = await writerFor({ clock, mayRememberIds: true });
    await writer.write([fifoMessage(1, "a"), fifoMessage(2, "b")]);
    clock.advance(6 * 60_000);
    await writer.write([fifoMessage(3, "a"), fifoMessage(4, "b")]);
    expect(api.requests).toEqual([["body 1"], ["body 2"], ["body 3", "body 4"]]);
  });

  it("is noted before the message goes again, for a process that takes the job up just then", async () => {
    const memory = new Map<string, EntryAnswer>();
    const notebook = new MemoryNotebook();
    // A queue that takes ids for equal which differ by case.
    const ignoringCase =
      (fake: FakeSqs): Answering =>
      (entries) =>
        entries.map((entry) => {
          const id = (entry.deduplicationId ?? "").toLowerCase();
          const answer = memory.get(id) ?? fake.taken(entry);
          memory.set(id, answer);
          return answer;
        });
    const { writer, clock } = await writerFor({
      notebook,
      answering: (fake) => (entries, request) => {
        if (request === 2) throw new RestoreError("INTERNAL", "killed", { retry: "fatal" });
        return ignoringCase(fake)(entries, request);
      },
    });
    await writer.write([fifoMessage(1, "a", { deduplicationId: "X" })]);
    const dropped = fifoMessage(2, "a", { deduplicationId: "x" });
    await expect(writer.write([dropped])).rejects.toThrow("killed");
    const next = await writerFor({ notebook, clock, answering: ignoringCase });
    const outcomes = await next.writer.write([{ ...dropped, announcedAt: clock.now() }]);
    expect(outcomes).toMatchObject([{ kind: "restored", notes: [{ kind: "rekeyed" }] }]);
    expect(next.api.entries.flat().map(({ deduplicationId }) => deduplicationId)).toEqual([
      expect.stringMatching(/^restore-/),
    ]);
  });

  it("is looked for with as many notes as batches are under way at once", async () => {
    const notebook = new MemoryNotebook();
    const { writer } = await writerFor({ notebook, mayRememberIds: true });
    for (let line = 1; line <= 20; line += 2) {
      await Promise.all([
        writer.write([fifoMessage(line, `g${line}`)]),
        writer.write([fifoMessage(line + 1, `g${line + 1}`)]),
      ]);
    }
    expect(notebook.pages.size).toBe(2);
  });

  it("that repeats under a made id is a failure and not repeated for ever", async () => {
    const { writer, api } = await writerFor({
      answering: (fake) => {
        const answer = { sent: { messageId: "always", bodyMd5: "x" } };
        void fake;
        return (entries) => entries.map(() => answer);
      },
    });
    await writer.write([fifoMessage(1, "a")]);
    expect(await writer.write([fifoMessage(2, "b")])).toMatchObject([{ kind: "failed", reason: "dropped-by-queue" }]);
    expect(api.requests).toHaveLength(3);
  });
});
