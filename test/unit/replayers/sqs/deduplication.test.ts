import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../../src/model/record.js";
import { DeduplicationIds, type DeduplicationRules } from "../../../../src/replayers/sqs/deduplication.js";
import { fifoMessage } from "../../../support/sqs-records.js";

const RULES: DeduplicationRules = {
  jobId: "0123456789abcdef",
  scope: "q.fifo",
  mode: "original",
  contentBased: false,
  perGroup: false,
  workDirectory: tmpdir(),
};

async function learnt(records: readonly MessageRecord[], rules: Partial<DeduplicationRules> = {}) {
  const ids = new DeduplicationIds({ ...RULES, ...rules });
  await ids.learn(
    (async function* () {
      yield* records;
    })(),
  );
  return ids;
}

const MADE = /^restore-0123456789abcdef-[0-9a-f]{36}$/;

describe("the first holder of an id", () => {
  const same = [1, 2, 3].map((line) => fifoMessage(line, `g${line}`, { deduplicationId: "same" }));

  it("keeps it, in whatever order messages are asked for", async () => {
    const ids = await learnt(same);
    const asked = [...same].reverse().map((record) => ids.idOf(record).id);
    expect(asked[2]).toBe("same");
    expect(asked.slice(0, 2)).toEqual([expect.stringMatching(MADE), expect.stringMatching(MADE)]);
    expect(new Set(asked).size).toBe(3);
  });

  it("is looked for within the group where the queue keeps groups apart", async () => {
    const ids = await learnt(same, { perGroup: true });
    expect(same.map((record) => ids.idOf(record))).toEqual([{ id: "same" }, { id: "same" }, { id: "same" }]);
  });
});

describe("a message without an id", () => {
  const bodies = ["x", "y", "x"].map((body, i) => fifoMessage(i + 1, "g", { deduplicationId: "", body }));

  it("gets none in a content-based queue unless its body is repeated", async () => {
    const ids = await learnt(bodies, { contentBased: true });
    expect(bodies.map((record) => ids.idOf(record).id)).toEqual([undefined, undefined, expect.stringMatching(MADE)]);
  });

  it("gets a made one in any other queue", async () => {
    const ids = await learnt(bodies);
    expect(ids.idOf(bodies[0] as MessageRecord)).toMatchObject({ id: expect.stringMatching(MADE) });
  });
});

describe("made ids", () => {
  it("are the same at every call and process of a job, and others in another job", async () => {
    const record = fifoMessage(1, "g", { deduplicationId: "" });
    const [once, again] = [await learnt([]), await learnt([])].map((ids) => ids.madeId(record));
    expect(again).toBe(once);
    expect((await learnt([], { jobId: "fedcba9876543210" })).madeId(record)).not.toBe(once);
    expect((await learnt([], { scope: "other.fifo" })).madeId(record)).not.toBe(once);
  });

  it("are given to every message under `record`", async () => {
    const records = [1, 2].map((line) => fifoMessage(line, "g"));
    const ids = await learnt(records, { mode: "record" });
    for (const record of records) expect(ids.idOf(record).id).toMatch(MADE);
  });
});

describe("ids of more messages than fit into memory", () => {
  const COUNT = 151_000;
  const REPEATED = 5;

  /** The ids of the first lines come again at the end. */
  const messageAt = (line: number) => fifoMessage(line, "g", { deduplicationId: `d-${(line - 1) % COUNT}`, body: "" });

  async function* all(): AsyncGenerator<MessageRecord> {
    for (let line = 1; line <= COUNT + REPEATED; line++) yield messageAt(line);
  }

  it("are kept on disk, where the first holder is still found, and removed", { timeout: 60_000 }, async () => {
    const workDirectory = await mkdtemp(join(tmpdir(), "elastickv-restore-ids-"));
    try {
      const ids = new DeduplicationIds({ ...RULES, workDirectory });
      await ids.learn(all());
      expect(await readdir(workDirectory)).not.toEqual([]);
      for (let line = 1; line <= REPEATED; line++) {
        expect(ids.idOf(messageAt(COUNT + line)).id).toMatch(MADE);
        expect(ids.idOf(messageAt(line))).toEqual({ id: `d-${line - 1}` });
      }
      ids.close();
      expect(await readdir(workDirectory)).toEqual([]);
    } finally {
      await rm(workDirectory, { recursive: true });
    }
  });
});
