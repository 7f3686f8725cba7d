/** What is larger than anything a dump needs: refused by name, at the limit, before it costs memory. */
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { type DumpFile, s3Object, sqsMessage, tableSchema } from "../../support/dump-builder.js";
import { reseal } from "../../support/fresh-dump.js";
import { faultOf, readWhole, restoreErrorOf, withBuilt } from "../../support/read-dump.js";

const MIB = 1024 * 1024;
const LONGEST_LINE = 64 * MIB;

/** JSON that reaches this length by a text within it. */
function long(before: string, after: string, length: number): Buffer {
  const text = Buffer.alloc(length, "x");
  text.write(before, 0);
  text.write(after, length - after.length);
  return text;
}

/** A file of zeros that takes no room on the disk. */
function withZeros(path: string, bytes: number, description = {}) {
  return withBuilt(description, async (root) => {
    appendFileSync(join(root, path), "");
    truncateSync(join(root, path), bytes);
    return await restoreErrorOf(readWhole(root));
  });
}

/** Files of 64 MiB take their time where many tests run at once. */
const UNHURRIED = { timeout: 60_000 };

describe("a file of the dump's own that is too large is refused, with the limit:", UNHURRIED, () => {
  it("the manifest", async () => {
    const error = await withZeros("MANIFEST.json", 256 * MIB + 1);
    expect(error).toMatchObject({ code: "MANIFEST_INVALID", exitStatus: 4 });
    expect(error.message).toContain(`more than ${256 * MIB}`);
    expect(error.hint).toBeDefined();
  });

  it("a row of CHECKSUMS", async () => {
    await withBuilt({}, async (root) => {
      const row = `${"0".repeat(64)}  ${"p".repeat(64 * 1024 - 66)}`;
      writeFileSync(join(root, "CHECKSUMS"), `${row}\n`);
      expect((await restoreErrorOf(readWhole(root))).message).not.toContain("longer");
      writeFileSync(join(root, "CHECKSUMS"), `${row}p\n`);
      const error = await restoreErrorOf(readWhole(root));
      expect(error).toMatchObject({ code: "CHECKSUMS_INVALID", exitStatus: 4, where: { line: 1 } });
      expect(error.message).toContain(`longer than ${64 * 1024} bytes`);
    });
  });

  const METADATA = {
    "dynamodb/orders/_schema.json": tableSchema("orders"),
    "s3/photos/_bucket.json": { name: "photos" },
    "sqs/jobs/_queue.json": { name: "jobs" },
  };
  it.each(Object.entries(METADATA))("%s", async (path, content) => {
    const padded = (bytes: number) => {
      const text = JSON.stringify(content);
      return { files: { [path]: text + " ".repeat(bytes - text.length) } };
    };
    await withBuilt(padded(16 * MIB), async (root) => expect((await readWhole(root)).scopes).toHaveLength(1));
    const error = await faultOf(padded(16 * MIB + 1));
    expect(error).toMatchObject({ code: "SCHEMA_INVALID", exitStatus: 4, where: { path } });
    expect(error.message).toContain(`more than ${16 * MIB}`);
  });

  it.each([
    ["redis/db_0/KEYMAP.jsonl", "KEYMAP_INVALID"],
    ["redis/db_0/strings_ttl.jsonl", "TTL_INVALID"],
    ["s3/photos/KEYMAP.jsonl", "KEYMAP_INVALID"],
  ])("a line of %s", async (path, code) => {
    const files = path.startsWith("s3/") ? { "s3/photos/_bucket.json": { name: "photos" } } : {};
    await withBuilt({ adapters: { redis: {}, s3: {} }, files: { ...files, [path]: "" } }, async (root) => {
      truncateSync(join(root, path), LONGEST_LINE + 1);
      reseal(root);
      const error = await restoreErrorOf(readWhole(root));
      expect(error).toMatchObject({ code, exitStatus: 4, where: { path, line: 1 } });
      expect(error.message).toContain(`longer than ${LONGEST_LINE} bytes`);
    });
  });
});

describe("a record that is too large is rejected, with the limit, and its neighbours are read:", UNHURRIED, () => {
  const id = '{"id":{"S":"x"},"v":{"S":"';
  const ITEM = long(id, '"}}', LONGEST_LINE + 1);
  const faulty = Array.from({ length: 10_001 }, () => "{");
  const CASES: readonly (readonly [
    what: string,
    files: Readonly<Record<string, DumpFile>>,
    limit: string,
    reason?: string,
  ])[] = [
    ["an item's file", { "dynamodb/t/items/x.json": ITEM }, `more than ${LONGEST_LINE}`],
    [
      "an item's line",
      { "dynamodb/t/items/data-00001.jsonl": Buffer.concat([ITEM, Buffer.from('\n{"id":{"S":"y"}}\n')]) },
      `longer than ${LONGEST_LINE} bytes`,
    ],
    [
      "an item of more values than memory should hold",
      { "dynamodb/t/items/x.json": `{"id":{"S":"x"},"v":{"L":[${"{},".repeat(2_000_000)}{}]}}` },
      "more than 2000000 values",
      "too-many-values",
    ],
    [
      "a message's line",
      {
        "sqs/q/_queue.json": { name: "q" },
        "sqs/q/messages.jsonl": Buffer.concat([
          long('{"body":"', '"}\n', LONGEST_LINE + 2),
          Buffer.from(`${JSON.stringify(sqsMessage("kept"))}\n`),
        ]),
      },
      `longer than ${LONGEST_LINE} bytes`,
    ],
    ["a sidecar", s3Object("s3/b/o", "body", { extra: "x".repeat(4 * MIB) }), `more than ${4 * MIB}`],
    [
      "an element",
      { "redis/db_0/lists/l.json": long('{"items":["', '"]}', LONGEST_LINE + 1 + '{"items":[]}'.length) },
      `longer than ${LONGEST_LINE} bytes`,
    ],
    [
      "what stands beside the elements",
      { "redis/db_0/lists/l.json": { items: ["a"], extra: "x".repeat(MIB) } },
      `more than ${MIB} bytes beside`,
    ],
    [
      "a HyperLogLog's member",
      // A length of 2^26 + 1, and none of its bytes.
      { "redis/db_0/hll/h.bin": Buffer.from([0, 0x52, 0x53, 1, 0x0a, 0x81, 0x80, 0x80, 0x20]) },
      `longer than ${LONGEST_LINE} bytes`,
    ],
    ["a stream with faults without end", { "redis/db_0/streams/s.jsonl": faulty }, "more than 10000"],
  ];

  it.each(
    CASES.map((each) => ({ what: each[0], files: each[1], limit: each[2], reason: each[3] ?? "limit-exceeded" })),
  )("$what", async ({ files, limit, reason }) => {
    const around = {
      "dynamodb/t/_schema.json": tableSchema("t"),
      "dynamodb/t/items/zz.json": { id: { S: "kept" } },
      "s3/b/_bucket.json": { name: "b" },
      ...s3Object("s3/b/zz", "kept"),
      "redis/db_0/strings/zz.bin": "kept",
    };
    await withBuilt({ files: { ...around, ...files } }, async (root) => {
      const records = [...(await readWhole(root)).records.values()].flat();
      const found = records.filter(({ kind }) => kind === "faulty");
      expect(found).toMatchObject([{ outcome: "rejected", reason, detail: expect.stringContaining(limit) as unknown }]);
      expect(records.length - found.length).toBeGreaterThanOrEqual(3);
    });
  });

  it("not a stream with as many faulty entries as are listed", async () => {
    await withBuilt({ files: { "redis/db_0/streams/s.jsonl": faulty.slice(1) } }, async (root) => {
      const [record] = [...(await readWhole(root)).records.values()].flat();
      expect(record?.kind === "stream" && record.faultyEntries).toHaveLength(10_000);
    });
  });
});
