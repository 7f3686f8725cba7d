import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Found, FoundList, isMendedByWriting, readFound } from "../../../../src/run/verify/found.js";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "found-"));
  path = join(directory, "differences.jsonl");
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function found(scope: string, key: string): Found {
  return { adapter: "dynamodb", scope, target: scope, key, kind: "missing", detail: "it is not there" };
}

const counted = (counts: Record<string, number>) =>
  new Map(Object.entries(counts).map(([scope, count]) => [`dynamodb:${scope}`, count]));

async function listed(): Promise<string[]> {
  const all: string[] = [];
  for await (const { scope, key } of readFound(path)) all.push(`${scope} ${key}`);
  return all;
}

async function write(...entries: Found[]): Promise<void> {
  const list = await FoundList.open(path);
  for (const each of entries) await list.add(each);
  await list.flush();
  await list.close();
}

describe("a list that is taken up", () => {
  it("keeps of each scope what counts, and goes on behind it", async () => {
    await write(found("a", "1"), found("b", "1"), found("a", "2"), found("b", "2"), found("a", "3"), found("c", "1"));
    const list = await FoundList.open(path, counted({ a: 2, b: 1 }));
    expect(list.count).toBe(3);
    expect(list.first.map(({ scope, key }) => `${scope} ${key}`)).toEqual(["a 1", "b 1", "a 2"]);
    await list.add(found("a", "again"));
    await list.flush();
    await list.close();
    expect(await listed()).toEqual(["a 1", "b 1", "a 2", "a again"]);
  });

  it("survives a last line that was cut", async () => {
    await write(found("a", "1"));
    appendFileSync(path, '{"adapter":"dynamodb","sco');
    const list = await FoundList.open(path, counted({ a: 1 }));
    await list.close();
    expect(await listed()).toEqual(["a 1"]);
  });

  it("is refused where lines that count are not there", async () => {
    await write(found("a", "1"));
    await expect(FoundList.open(path, counted({ a: 2 }))).rejects.toMatchObject({ code: "JOURNAL_INVALID" });
  });

  it("begins empty where nothing counts", async () => {
    await write(found("a", "1"));
    await (await FoundList.open(path)).close();
    expect(readFileSync(path, "utf8")).toBe("");
  });
});

describe("writing a record again", () => {
  const message = { adapter: "sqs", scope: "q", target: "q", detail: "" } as const;
  const place = { path: "sqs/q/messages.jsonl", line: 1 };

  it("mends a message only where it is missing: it would stand beside one that differs", () => {
    expect(isMendedByWriting({ ...message, ...place, kind: "missing" })).toBe(true);
    for (const kind of ["value", "order", "missing-part"] as const) {
      expect(isMendedByWriting({ ...message, ...place, kind }), kind).toBe(false);
    }
  });

  it("mends any other record that the dump holds, and nothing else", () => {
    expect(isMendedByWriting({ ...found("a", "1"), path: "dynamodb/a/items/1.json", kind: "value" })).toBe(true);
    expect(isMendedByWriting({ ...found("a", "1"), kind: "extra" })).toBe(false);
  });
});
