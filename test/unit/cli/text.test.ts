import { describe, expect, it } from "vitest";
import { errorText } from "../../../src/cli/error-text.js";
import { formatBytes, formatCount, formatDuration, plural, table } from "../../../src/cli/format.js";
import { reportText, verificationText } from "../../../src/cli/text.js";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { runInMemory } from "../../support/prepared-run.js";
import { databaseScope, faultyRecord, itemRecord, tableScope } from "../../support/records.js";

/** Anything that moves a cursor, colours or reorders a line. */
const STEERING = /[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}/u;
const HOSTILE = "evil\u001b[2J\r\u202e\u009b1m";

describe("amounts", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [200 * 1024, "200 KiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [3000 * 1024 ** 4, "3000 TiB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, "0.0 s"],
    [1240, "1.2 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 min 0 s"],
    [119_800, "2 min 0 s"],
    [3_599_900, "1 h 0 min"],
    [5_400_000, "1 h 30 min"],
  ])("%i ms are %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("of things have separators and a plural", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect([plural(0, "record"), plural(1, "record"), plural(1000, "file")]).toEqual([
      "0 records",
      "1 record",
      "1,000 files",
    ]);
  });
});

describe("a table", () => {
  it("aligns its columns, numbers to the right, and leaves out empty ones", () => {
    const rows = [
      ["dynamodb:orders", "1,000", "", "x"],
      ["redis:größe😀", "5", "", ""],
    ];
    expect(table(["scope", "read", "failed", "note"], rows, ["read"])).toEqual([
      "scope             read  note",
      "dynamodb:orders  1,000  x",
      "redis:größe😀         5",
    ]);
  });
});

it("commands in a hint find the same jobs", () => {
  const error = new RestoreError("JOB_UNFINISHED", "unfinished", {
    hint: "--resume, or `elastickv-restore cancel ab` or `elastickv-restore plan`.",
  });
  expect(errorText(error, " --state-dir /jobs")).toContain(
    "`elastickv-restore cancel ab --state-dir /jobs` or `elastickv-restore plan`.",
  );
});

describe("a report", () => {
  it("lists what needs somebody with its place and reason, and the sums", async () => {
    const records = Array.from({ length: 30 }, (_, i) =>
      faultyRecord(`bad${i}`, { place: { path: "p.jsonl", line: i + 1 } }),
    );
    const memory = runInMemory({
      scopes: [
        { scope: tableScope(), records: [...records, itemRecord("k")] },
        { scope: databaseScope(), records: [] },
      ],
    });
    const text = reportText(await memory.report());
    expect(text).toContain("rejected  p.jsonl:1  bad0: malformed-json – a value was expected at byte 3");
    expect(text).toContain("and 10 more; --report FILE lists all of them");
    expect(text).toMatch(/Finished after 1\.2 s: 31 records read, 1 restored, 30 rejected\./);
    expect(text).toMatch(/dynamodb:orders +31 +1 +30/);
  });

  it("of a run that was stopped says how many records were not reached", async () => {
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: [itemRecord("k")] }],
      scripts: { dynamodb: { write: () => Promise.reject(new RestoreError("OUTAGE", "away", { retry: "fatal" })) } },
    });
    expect(reportText(await memory.report())).toContain("Stopped after 1.2 s: 1 record read, 1 not reached.");
  });

  it("steers no terminal, whatever stands in paths and answers", async () => {
    const memory = runInMemory({
      scopes: [
        {
          scope: { ...tableScope(HOSTILE), warnings: [HOSTILE] },
          records: [faultyRecord("k", { place: { path: `${HOSTILE}\n` }, detail: HOSTILE })],
          warnings: [HOSTILE],
        },
      ],
    });
    expect(reportText(await memory.report())).not.toMatch(STEERING);
  });
});

it("a dump's check lists malformed records with their place, and steers no terminal", () => {
  const text = verificationText({
    dump: "/dumps/one",
    takenAt: "2026-05-01T00:00:00Z",
    phase: "phase1-live-pinned",
    files: 1200,
    bytes: 10,
    scopes: [{ adapter: "s3", scope: HOSTILE, files: 1, bytes: 10, records: 3, malformed: 25, warnings: [HOSTILE] }],
    malformedCount: 25,
    malformed: [{ scope: "s3:a", path: HOSTILE, key: "k", reason: "bad-utf8", detail: "bytes that are not UTF-8" }],
    warnings: [],
  });
  expect(text).not.toMatch(STEERING);
  expect(text).toContain("k: bad-utf8 – bytes that are not UTF-8");
  expect(text).toContain("and 24 more");
  expect(text).toContain("1,200 files (10 B) agree with CHECKSUMS.");
});

describe("an error", () => {
  it("is what was wrong and what helps", () => {
    expect(errorText(new RestoreError("USAGE", "what and where", { hint: "Do this." }))).toBe(
      "error: what and where\nDo this.\n",
    );
    expect(errorText(new RestoreError("USAGE", "what"))).toBe("error: what\n");
  });

  it("that is a mistake of ours says so", () => {
    expect(errorText(new RestoreError("INTERNAL", "sums"))).toMatch(/please report/);
    expect(errorText(new TypeError("oops"))).toMatch(/TypeError: oops\n.*please report/s);
    expect(errorText("thrown text")).toMatch(/thrown text/);
  });

  it("steers no terminal", () => {
    expect(errorText(new RestoreError("USAGE", HOSTILE, { hint: HOSTILE }))).not.toMatch(STEERING);
  });
});
