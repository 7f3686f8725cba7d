import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openFileJournal, readFileJournal } from "../../../../src/run/journal/file-journal.js";
import { encodeFrame, segmentHeader } from "../../../../src/run/journal/frames.js";
import { readListed } from "../../../../src/run/journal/listed-file.js";
import type { ListedRecord } from "../../../../src/run/listed-record.js";
import { Tally } from "../../../../src/run/tally.js";
import { CREATED } from "../../../support/memory-journal.js";
import { ForgottenFiles } from "../../../support/open-files.js";
import { failWith } from "../../../support/recorded-disk.js";
import { tableScope } from "../../../support/records.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

const scope = tableScope();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "elastickv-restore-journal-"));
});
afterEach(() => {
  failWith(undefined);
  rmSync(directory, { recursive: true });
});

const open = (now: () => number = () => 1_700_000_000_000, segmentBytes?: number) =>
  openFileJournal({ directory, clock: { now }, ...(segmentBytes === undefined ? {} : { segmentBytes }) });

const rejected = (key: string): ListedRecord => ({
  adapter: "dynamodb",
  scope: scope.name,
  path: "a.jsonl",
  line: 1,
  key,
  outcome: "rejected",
  reason: "odd",
  detail: "line\u2028end",
  notes: [{ kind: "etag-changed", detail: "was other" }],
});

function settlement(sequences: readonly number[], listed: readonly ListedRecord[] = []) {
  const tally = new Tally();
  for (const _ of sequences) tally.add({ bytes: 1 }, { kind: "restored" }, []);
  const records = sequences.map((sequence) => ({ sequence, after: { path: "a.jsonl", line: sequence + 1 } }));
  return { records, tally, listed, workedMs: 7.4 };
}

const linesOf = () => readFileSync(join(directory, "listed.jsonl"), "utf8").split("\n").slice(0, -1);

async function keysOf(path = join(directory, "listed.jsonl")): Promise<string[]> {
  return await keysIn(readListed(path));
}

async function keysIn(records: AsyncIterable<ListedRecord>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of records) keys.push(key);
  return keys;
}

describe("a job's journal", () => {
  it("gives back all that was kept, to one who only looks and to one who goes on", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.ready(scope, { warnings: ["w"] });
    await journal.records(scope).intent([0, 1, 2, 3]);
    await journal.records(scope).settled(settlement([0, 2]));
    await journal.records(scope).withdraw([3]);
    await journal.note(scope, "upload", "u-1");
    await journal.close();
    expect((await readFileJournal(directory)).get("dynamodb:orders")?.phase).toBe("writing");
    const { journal: next } = await open();
    const after = { path: "a.jsonl", line: 1 };
    expect(next.recovered(scope)).toMatchObject({
      settledUpTo: after,
      nextSequence: 1,
      workedMs: 7,
      readiness: { warnings: ["w"] },
    });
    expect([0, 1, 2, 3].map((i) => next.records(scope).isSettled(i))).toEqual([true, false, true, false]);
    expect([1, 3].map((i) => next.records(scope).announcedAt(i))).toEqual([1_700_000_000_000, undefined]);
    expect(next.notes(scope).get("upload")).toBe("u-1");
    await next.close();
  });

  it("keeps an end before it says so of the next announcement, and by itself soon after", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.records(scope).intent([0, 1]);
    await journal.records(scope).settled(settlement([0]));
    await journal.records(scope).intent([2]);
    expect((await readFileJournal(directory)).get("dynamodb:orders")?.nextSequence).toBe(1);
    await journal.records(scope).settled(settlement([1]));
    await vi.waitFor(async () =>
      expect((await readFileJournal(directory)).get("dynamodb:orders")?.nextSequence).toBe(2),
    );
    await journal.close();
  });

  it("is closed once, however often that is asked for", async () => {
    const { journal } = await open();
    await journal.close();
    await expect(journal.close()).resolves.toBeUndefined();
  });

  it.each([
    ["back", [2_000, 1_000, 500]],
    ["forth", [1_000, 9e12, 9.1e12]],
    ["before 1970, and between milliseconds", [-5_000, -1.5, 0.25]],
  ])("is not harmed by a clock that jumps %s", async (_, times) => {
    const queue = [...times];
    const { journal } = await open(() => queue.shift() ?? 1_000);
    await journal.admit(scope, CREATED);
    await journal.records(scope).intent([0]);
    const first = journal.records(scope).announcedAt(0);
    await journal.records(scope).intent([0]);
    expect(journal.records(scope).announcedAt(0)).toBe(first);
    await journal.rewind(scope);
    const rewound = journal.records(scope).announcedAt(0);
    await journal.rewind(scope);
    expect(journal.records(scope).announcedAt(0)).toBe(rewound);
    await journal.close();
    const { journal: next } = await open(() => 3_000);
    await next.records(scope).intent([0]);
    expect(next.records(scope).announcedAt(0)).toBeGreaterThanOrEqual(0);
    expect(first).toBe(Math.max(0, Math.round(times[0] ?? 0)));
    expect(next.recovered(scope)).toMatchObject({ phase: "admitted", nextSequence: 0 });
    await next.close();
  });

  it("does not mind scopes that were asked for and never begun", async () => {
    const { journal } = await open(undefined, 100);
    await journal.admit(scope, CREATED);
    expect(journal.records(tableScope("users")).isSettled(0)).toBe(false);
    for (let i = 0; i < 10; i++) await journal.note(scope, "n", "x".repeat(100));
    await journal.close();
    expect([...(await readFileJournal(directory)).keys()]).toEqual(["dynamodb:orders"]);
  });

  it("lets go of its files when it cannot begin", async () => {
    const forgotten = new ForgottenFiles(directory);
    failWith((operation, path) => {
      if (operation === "open" && path.endsWith(".log")) throw new Error("ENOSPC: no room");
    });
    await expect(open()).rejects.toMatchObject({ code: "LOCAL_IO" });
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });

  it("stays small over many records, most of which end behind one that takes long", async () => {
    const { journal } = await open(undefined, 20_000);
    await journal.admit(scope, CREATED);
    await journal.records(scope).intent([0]);
    const heap = process.memoryUsage().heapUsed;
    for (let at = 1; at < 200_000; at += 1000) {
      const sequences = Array.from({ length: 1000 }, (_, i) => at + i);
      await journal.records(scope).intent(sequences);
      await journal.records(scope).settled(settlement(sequences));
    }
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(64 * 1024 * 1024);
    await journal.close();
    const [segment = "", ...rest] = readdirSync(directory).filter((name) => name.startsWith("journal"));
    expect(rest).toEqual([]);
    expect(readFileSync(join(directory, segment)).length).toBeLessThan(40_000);
    expect((await readFileJournal(directory)).get("dynamodb:orders")?.isSettled(199_999)).toBe(true);
  });

  it.each([
    ["no checkpoint first", [{ type: "note", scope: "redis:db_0", name: "a" }], "does not begin with a checkpoint"],
    ["a checkpoint in the middle", [checkpoint(), checkpoint()], "a checkpoint stands in its middle"],
    [
      "entries that cannot follow",
      [checkpoint(), { type: "intent", scope: "redis:db_0", records: [[0, 0]], at: 0 }],
      "intent before admission",
    ],
    ["entries of another version", [checkpoint(), { type: "later", scope: "redis:db_0" }], "type"],
    ["no JSON", ["{"], "JSON"],
  ])("refuses %s, by the file's name", async (_, entries, cause) => {
    let previous = 5;
    let bytes = segmentHeader(previous);
    for (const entry of entries) {
      const payload = Buffer.from(typeof entry === "string" ? entry : JSON.stringify(entry));
      const frame = encodeFrame(payload, { durable: 0, previous });
      previous = frame.crc;
      bytes = Buffer.concat([bytes, frame.bytes]);
    }
    const path = join(directory, "journal-00000001.log");
    writeFileSync(path, bytes);
    await expect(open()).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      retry: "fatal",
      message: `${path} holds entries that this version cannot read`,
      hint: expect.stringContaining("elastickv-restore cancel") as string,
      cause: expect.objectContaining({ message: expect.stringContaining(cause) as string }) as Error,
    });
    expect(readFileSync(path)).toEqual(bytes);
    await expect(readFileJournal(directory)).rejects.toMatchObject({ code: "JOURNAL_INVALID" });
  });

  it("that holds nothing amounts to nothing, and lists nothing", async () => {
    expect([...(await readFileJournal(directory))]).toEqual([]);
    const { journal, listed } = await open();
    expect(listed.bytes).toBe(0);
    await journal.admit(scope, CREATED);
    await journal.records(scope).settled(settlement([0]));
    await journal.close();
    const { journal: next, listed: again } = await open();
    expect([again.bytes, linesOf()]).toEqual([0, []]);
    await next.close();
  });

  it("has its list on disk before a checkpoint says how long that is", async () => {
    const { journal, listed } = await open(undefined, 300);
    await journal.admit(scope, CREATED);
    for (let i = 0; i < 20; i++) {
      await journal.records(scope).settled(settlement([i], [rejected(`k${i}`)]));
      await journal.note(scope, "n", `${i}`);
    }
    const name = readdirSync(directory).find((each) => each.startsWith("journal")) ?? "";
    const checkpoint = /\{"type":"checkpoint".*?"listedBytes":(\d+)\}/su.exec(
      readFileSync(join(directory, name), "utf8"),
    );
    expect(Number(checkpoint?.[1])).toBeGreaterThan(0);
    expect(Number(checkpoint?.[1])).toBeLessThanOrEqual(readFileSync(listed.path).length);
    await journal.close();
    expect(readFileSync(listed.path)).toHaveLength(listed.bytes);
  });

  it("lets go of both files when it is closed, also where neither could be written", async () => {
    const forgotten = new ForgottenFiles(directory);
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.records(scope).settled(settlement([0], [rejected("a")]));
    failWith((operation) => {
      if (operation === "write") throw new Error("EIO: broken");
    });
    await expect(journal.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
    await expect(journal.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });
});

function checkpoint() {
  return { type: "checkpoint", scopes: [], listedBytes: 0 };
}

describe("the list beside it", () => {
  it("is written in large pieces before it has to be", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.records(scope).settled(settlement([0], [rejected("small")]));
    await journal.records(scope).intent([1]);
    expect(linesOf()).toEqual([]);
    await journal.records(scope).settled(settlement([1], [rejected("large".repeat(60_000))]));
    await vi.waitFor(() => expect(linesOf()).toHaveLength(2));
    await journal.close();
  });

  it("holds every listed record once, whenever the process ended", async () => {
    let { journal } = await open(undefined, 400);
    await journal.admit(scope, CREATED);
    const keys: string[] = [];
    for (let i = 0; i < 20; i++) {
      await journal.records(scope).settled(settlement([i], [rejected(`k${i}`)]));
      keys.push(`k${i}`);
      if (i % 3 === 0) await journal.note(scope, "n", `${i}`);
      if (i % 5 !== 4) continue;
      // Whatever a process that was killed left behind the last checkpoint.
      await journal.close();
      writeFileSync(join(directory, "listed.jsonl"), '{"half', { flag: "a" });
      ({ journal } = await open(undefined, 400));
    }
    await journal.close();
    expect(await keysOf()).toEqual(keys);
  });

  it("is written as records were, in one line each", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.records(scope).settled(settlement([0], [rejected("a")]));
    await journal.close();
    expect(linesOf().map((line) => JSON.parse(line) as unknown)).toEqual([rejected("a")]);
    expect(readFileSync(join(directory, "listed.jsonl"), "utf8")).not.toContain("\u2028");
  });

  it("takes back what a scope listed before it was rewound, and no other scope's", async () => {
    const { journal } = await open();
    const other = tableScope("users");
    await journal.admit(scope, CREATED);
    await journal.admit(other, CREATED);
    await journal.records(scope).settled(settlement([0], [rejected("before")]));
    await journal.records(other).settled(settlement([0], [{ ...rejected("other"), scope: "users" }]));
    await journal.rewind(scope);
    await journal.records(scope).settled(settlement([0], [rejected("after")]));
    await journal.close();
    expect(await keysOf()).toEqual(["other", "after"]);
    const again = await open();
    expect(await keysIn(again.listed.records())).toEqual(["other", "after"]);
    await again.journal.close();
  });

  it("that is shorter than the journal says is refused, with both lengths", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    await journal.records(scope).settled(settlement([0], [rejected("a")]));
    await journal.close();
    await (await open()).journal.close();
    const path = join(directory, "listed.jsonl");
    const size = readFileSync(path).length;
    truncateSync(path, size - 1);
    await expect(open()).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      message: `${path} has ${size - 1} bytes, and ${size} by the journal beside it`,
    });
    expect(readFileSync(path)).toHaveLength(size - 1);
  });

  it("that cannot be written stops the journal at its next checkpoint, and nothing is lost", async () => {
    const { journal } = await open(undefined, 300);
    await journal.admit(scope, CREATED);
    failWith((operation, path) => {
      if (operation === "write" && path.endsWith("listed.jsonl")) throw new Error("ENOSPC: no room");
    });
    const keys: string[] = [];
    let error: unknown;
    for (let i = 0; error === undefined && i < 100; i++) {
      await journal
        .records(scope)
        .settled(settlement([i], [rejected(`k${i}`)]))
        .catch(() => undefined);
      error = await journal.note(scope, "n", `${i}`).then(
        () => void keys.push(`k${i}`),
        (thrown: unknown) => thrown,
      );
    }
    expect(error).toMatchObject({ code: "LOCAL_IO", retry: "fatal" });
    await expect(journal.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
    failWith(undefined);
    await (await open()).journal.close();
    expect(await keysOf()).toEqual(keys);
  });

  it("is as far as it could be written, where the journal failed: a report reads it", async () => {
    const { journal } = await open();
    await journal.admit(scope, CREATED);
    failWith((operation, path) => {
      if (operation === "write" && path.endsWith(".log")) throw new Error("EIO: broken");
    });
    await journal.records(scope).settled(settlement([0], [rejected("a")]));
    await expect(journal.records(scope).intent([1])).rejects.toMatchObject({ code: "LOCAL_IO" });
    await expect(journal.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
    expect(await keysOf()).toEqual(["a"]);
    failWith(undefined);
    await (await open()).journal.close();
    expect(await keysOf()).toEqual([]);
  });

  it("is nothing where it is missing", async () => {
    expect(await keysOf(join(directory, "none"))).toEqual([]);
  });
});
