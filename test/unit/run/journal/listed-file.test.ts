import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ListedFile, readListed } from "../../../../src/run/journal/listed-file.js";
import type { ListedRecord } from "../../../../src/run/listed-record.js";
import { ForgottenFiles } from "../../../support/open-files.js";
import { failWith, type Operation } from "../../../support/recorded-disk.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "elastickv-restore-listed-"));
  path = join(directory, "listed.jsonl");
});
afterEach(() => {
  failWith(undefined);
  rmSync(directory, { recursive: true });
});

const listedBefore = (bytes: number, isRewound = false) => ({ bytes, isRewound });
const text = () => readFileSync(path, "utf8");
const record = (key: string, scope = "orders"): ListedRecord => ({
  adapter: "dynamodb",
  scope,
  path: "a.jsonl",
  key,
  outcome: "failed",
});
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

async function keys(): Promise<string[]> {
  return await keysIn(readListed(path));
}

async function keysIn(records: AsyncIterable<ListedRecord>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of records) found.push(key);
  return found;
}

/** Counts how often files are opened for reading from now on. */
function readsOf(): () => number {
  let reads = 0;
  failWith((operation) => {
    if (operation === "look") reads++;
  });
  return () => reads;
}

function failAt(operation: Operation): void {
  failWith((what) => {
    if (what === operation) throw new Error("EIO: broken");
  });
}

const unwritable = {
  code: "LOCAL_IO",
  retry: "fatal",
  hint: expect.stringContaining("--state-dir") as string,
  message: expect.stringMatching(/^cannot write .*listed\.jsonl: .*EIO/) as string,
  cause: expect.objectContaining({ message: "EIO: broken" }) as Error,
};

describe("the list, as it is written", () => {
  it("is the user's own, holds whole lines, and knows its length before it is written", async () => {
    const listed = await ListedFile.open(directory, listedBefore(0));
    expect([listed.path, listed.bytes]).toEqual([path, 0]);
    listed.add([]);
    listed.add(["a", "ü"]);
    expect([listed.bytes, text()]).toEqual([5, ""]);
    await listed.flush();
    listed.add(["c"]);
    await listed.flush();
    expect([listed.bytes, text()]).toEqual([7, "a\nü\nc\n"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await listed.close();
    await expect(listed.close()).resolves.toBeUndefined();
  });

  it("is cut back to what counts, and goes on from there", async () => {
    writeFileSync(path, "a\nb\nhalf");
    const listed = await ListedFile.open(directory, listedBefore(2));
    expect([listed.bytes, text()]).toEqual([2, "a\n"]);
    listed.add(["c"]);
    await listed.flush();
    expect([listed.bytes, text()]).toEqual([4, "a\nc\n"]);
    await listed.close();
  });

  it("is written by itself once there is a quarter of a megabyte of it, no byte earlier, and then again", async () => {
    const listed = await ListedFile.open(directory, listedBefore(0));
    const line = "x".repeat(256 * 1024 - 2);
    listed.add([line]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(text()).toBe("");
    await listed.flush();
    listed.add([`${line}x`]);
    await vi.waitFor(() => expect(text()).toHaveLength(listed.bytes));
    listed.add(["small"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(text()).toHaveLength(listed.bytes - 6);
    await listed.close();
  });

  it.each(["write", "sync"] as const)("tells whoever flushes of a %s that failed", async (operation) => {
    const listed = await ListedFile.open(directory, listedBefore(0));
    failAt(operation);
    listed.add(["x".repeat(256 * 1024)]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(listed.flush()).rejects.toMatchObject(unwritable);
    await expect(listed.close()).resolves.toBeUndefined();
  });

  it.each(["open", "truncate"] as const)("cannot be had where %s fails, and no file stays open", async (operation) => {
    const forgotten = new ForgottenFiles(directory);
    failAt(operation);
    await expect(ListedFile.open(directory, listedBefore(0))).rejects.toMatchObject(unwritable);
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });

  it("cannot be had where it is shorter than it was, and says what helps", async () => {
    writeFileSync(path, "a\n");
    await expect(ListedFile.open(directory, listedBefore(3))).rejects.toMatchObject({
      code: "JOURNAL_INVALID",
      retry: "fatal",
      hint: expect.stringContaining("elastickv-restore cancel") as string,
    });
    expect(text()).toBe("a\n");
  });

  it("lets go of its file when it is closed", async () => {
    const forgotten = new ForgottenFiles(directory);
    const listed = await ListedFile.open(directory, listedBefore(0));
    await listed.close();
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });
});

describe("the list, as it is read", () => {
  it("ends with its last whole line", async () => {
    writeFileSync(path, `${lines(record("a"), record("b"))}${JSON.stringify(record("half"))}`);
    expect(await keys()).toEqual(["a", "b"]);
  });

  it("is whole, however long its lines and wherever its pieces end", async () => {
    const long = ["ü", "€", "𝄞"].map((sign, i) => `${"x".repeat(i)}${sign.repeat(70_000)}`);
    writeFileSync(path, lines(...long.map((key) => record(key))));
    expect(await keys()).toEqual(long);
  });

  it("leaves out what stands before the last time that its scope was rewound", async () => {
    const odd = 'a "b" \\';
    writeFileSync(path, lines(record("1"), record("2", odd), { rewound: "dynamodb:orders" }, record("3")));
    appendFileSync(path, lines({ rewound: "dynamodb:orders" }, record("4"), { rewound: `dynamodb:${odd}` }));
    appendFileSync(path, lines(record("5", odd), { rewound: "redis:orders" }));
    expect(await keys()).toEqual(["4", "5"]);
  });

  it("is read once where no scope was rewound, and twice where one was: before it was opened, or since", async () => {
    writeFileSync(path, lines(record("a")));
    const opened = readsOf();
    const plain = await ListedFile.open(directory, listedBefore(text().length));
    plain.add([JSON.stringify(record("b"))]);
    await plain.flush();
    expect([await keysIn(plain.records()), opened()]).toEqual([["a", "b"], 1]);
    plain.add([JSON.stringify({ rewound: "dynamodb:orders" }), JSON.stringify(record("c"))]);
    await plain.flush();
    expect([await keysIn(plain.records()), opened()]).toEqual([["c"], 3]);
    await plain.close();
    const again = await ListedFile.open(directory, listedBefore(text().length, true));
    expect([await keysIn(again.records()), opened()]).toEqual([["c"], 5]);
    await again.close();
  });

  it("is not misled by a record that speaks of a rewind", async () => {
    writeFileSync(path, lines(record("a"), record('{"rewound":"dynamodb:orders"}')));
    expect(await keys()).toEqual(["a", '{"rewound":"dynamodb:orders"}']);
  });

  it.each([
    ["no object", "1\n"],
    ["null", "null\n"],
    ["another record", '{"key":"a"}\n'],
  ])("is refused with %s in it", async (_, line) => {
    writeFileSync(path, line);
    await expect(keys()).rejects.toMatchObject({ name: "ZodError" });
  });

  it("tells where it cannot be read", async () => {
    await expect(readListed(directory).next()).rejects.toMatchObject({ code: "EISDIR" });
    await expect(readListed(`${path}\0`).next()).rejects.toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  });
});
