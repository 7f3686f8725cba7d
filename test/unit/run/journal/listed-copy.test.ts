import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ListedCopy } from "../../../../src/run/journal/listed-copy.js";
import type { ListedRecord } from "../../../../src/run/listed-record.js";
import { ForgottenFiles } from "../../../support/open-files.js";
import { failWith } from "../../../support/recorded-disk.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

let directory: string;
let to: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "elastickv-restore-copy-"));
  to = join(directory, "published.jsonl");
});
afterEach(() => {
  failWith(undefined);
  rmSync(directory, { recursive: true });
});

const record = (key: string): ListedRecord => ({
  adapter: "dynamodb",
  scope: "orders",
  path: "a.jsonl",
  key,
  outcome: "failed",
});
const copyTo = (path: string) => new ListedCopy({ from: "/state/listed.jsonl", to: path });

describe("a copy of the list", () => {
  it("is the user's own, in one line each, in place of what stood there", async () => {
    const copy = copyTo(to);
    writeFileSync(to, "x".repeat(1000), { mode: 0o600 });
    for (const key of ["a", "\u2028"]) await copy.add(record(key));
    await copy.close();
    const text = readFileSync(to, "utf8");
    expect(text.endsWith("\n")).toBe(true);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as ListedRecord).key),
    ).toEqual(["a", "\u2028"]);
    expect(text).not.toContain("\u2028");
    expect([copy.failure, statSync(to).mode & 0o777]).toEqual([undefined, 0o600]);
  });

  it("is whole, however long it is, and is let go of when it is closed", async () => {
    const forgotten = new ForgottenFiles(directory);
    const copy = copyTo(to);
    const keys = Array.from({ length: 9 }, (_, i) => `${i}`.repeat(100_000));
    for (const key of keys) await copy.add(record(key));
    expect(readFileSync(to, "utf8").length).toBeGreaterThan(500_000);
    await copy.close();
    await copy.close();
    expect(readFileSync(to, "utf8")).toBe(keys.map((key) => `${JSON.stringify(record(key))}\n`).join(""));
    expect(await forgotten.found()).toEqual([]);
    forgotten.stop();
  });

  it("is not made where there is no record", async () => {
    const copy = copyTo(to);
    await copy.close();
    expect(() => statSync(to)).toThrow("ENOENT");
  });

  it("tells where it could not be written, and where the list stands, and disturbs nobody", async () => {
    const copy = copyTo(join(directory, "none", "published.jsonl"));
    await copy.add(record("a"));
    await copy.close();
    expect(copy.failure).toMatchObject({
      code: "LOCAL_IO",
      message: expect.stringMatching(/^cannot write .*published\.jsonl: .*ENOENT/) as string,
      hint: "Name a writable place with --report. The list stands in /state/listed.jsonl as well.",
      cause: expect.objectContaining({ code: "ENOENT" }) as Error,
    });
  });

  it("is not written on behind a gap", async () => {
    const copy = copyTo(to);
    failWith((operation) => {
      if (operation === "write") throw new Error("ENOSPC: no room");
    });
    await copy.add(record("x".repeat(300_000)));
    failWith(undefined);
    await copy.add(record("y".repeat(300_000)));
    await copy.close();
    expect(copy.failure).toMatchObject({ message: `cannot write ${to}: ENOSPC: no room` });
    expect(readFileSync(to, "utf8")).toBe("");
  });
});
