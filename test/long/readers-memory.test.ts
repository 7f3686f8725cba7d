/**
 * Memory is bounded by settings, not by the dump, while a dump is checked and every record of it read, by the built
 * command line: with many small files, and with single files of very many elements whose names have to differ. Four
 * times the dump takes no more memory, but for tables that have filled up and what is garbage at the moment.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { beforeAll, describe, expect, it } from "vitest";
import { BigDump } from "../../bench/big-dump.js";
import { LIMIT_BYTES, MEBIBYTE } from "../../bench/limit.js";
import { runWatched } from "../../bench/watched-process.js";

const TIMEOUT_MS = 1_800_000;
/** Garbage of the moment. */
const MOST_GROWTH_MIB = 12;
/** Of names and times each one, which is full and goes to disk from 150,000 entries on. */
const TABLE_MIB = 8;

beforeAll(async () => {
  await promisify(execFile)("npm", ["run", "build"], { cwd: join(import.meta.dirname, "..", "..") });
}, TIMEOUT_MS);

interface Verification {
  readonly scopes: readonly { readonly records: number; readonly malformed: number; readonly warnings: unknown[] }[];
}

/** Fills a dump with one scope of so many of its things. Returns how many records that are. */
type Fill = (dump: BigDump, size: number) => Promise<number>;

/** Verifies a dump of a quarter of the size, and one of the whole. */
async function expectConstant(size: number, fill: Fill, mostGrowthMib: number = MOST_GROWTH_MIB): Promise<void> {
  const quarter = await peakOf(size / 4, fill);
  const whole = await peakOf(size, fill);
  const told = `${quarter} MiB at a quarter, ${whole} MiB at the whole`;
  expect(quarter, told).toBeGreaterThan(20);
  expect(whole, told).toBeLessThanOrEqual(LIMIT_BYTES / MEBIBYTE);
  expect(whole - quarter, told).toBeLessThanOrEqual(mostGrowthMib);
}

/** In MiB, of a verification that finds one scope, with so many good records and nothing to warn of. */
async function peakOf(size: number, fill: Fill): Promise<number> {
  const dump = await BigDump.create();
  try {
    const records = await fill(dump, size);
    const argv = ["verify", dump.path, "--json", "--progress", "none"];
    const { status, stdout, stderr, peakBytes } = await runWatched(argv, {});
    expect(status, stderr).toBe(0);
    const { scopes } = JSON.parse(stdout) as Verification;
    expect(scopes).toMatchObject([{ records, malformed: 0, warnings: [] }]);
    return Math.round(peakBytes / MEBIBYTE);
  } finally {
    await dump.remove();
  }
}

describe("reading a dump", () => {
  it(
    "takes the same memory for strings in one directory, half of them with expiry times and half with names from KEYMAP, however many",
    async () => await expectConstant(200_000, fillWithKeys, MOST_GROWTH_MIB + 2 * TABLE_MIB),
    TIMEOUT_MS,
  );

  it(
    "takes the same memory for the objects of a bucket with CHECKSUMS in no order, however many",
    async () => await expectConstant(120_000, fillWithObjects),
    TIMEOUT_MS,
  );

  it(
    "takes the same memory for a table's items in one file, each key once, however many",
    async () => await expectConstant(1_600_000, fillWithItems),
    TIMEOUT_MS,
  );

  it(
    "takes the same memory for a hash of any number of fields, each name once",
    // A quarter, too, has more names than the quick filter for them tells apart.
    async () => await expectConstant(4_800_000, fillWithFields),
    TIMEOUT_MS,
  );
});

async function fillWithKeys(dump: BigDump, size: number): Promise<number> {
  const [half, keymap, times] = [size / 2, [] as string[], [] as string[]];
  for (let index = 0; index < half; index++) {
    dump.addSmall(`redis/db_0/strings/session%3A${index}.bin`, `value ${index}`);
    times.push(`{"key":"session%3A${(index * 7919) % half}","expire_at_ms":${1_900_000_000_000 + index}}\n`);
    const original = `key ${index} `.padEnd(250, "é");
    const segment = fallbackName(original);
    dump.addSmall(`redis/db_0/strings/${segment}.bin`, `other ${index}`);
    const line = { encoded: segment, original: Buffer.from(original).toString("base64url"), kind: "sha-fallback" };
    keymap.push(`${JSON.stringify(line)}\n`);
  }
  await dump.add("redis/db_0/strings_ttl.jsonl", times);
  await dump.add("redis/db_0/KEYMAP.jsonl", keymap);
  await dump.seal();
  return size;
}

async function fillWithObjects(dump: BigDump, size: number): Promise<number> {
  dump.addSmall("s3/photos/_bucket.json", '{"format_version":1,"name":"photos"}');
  for (let index = 0; index < size; index++) {
    const body = `photo ${index}`;
    dump.addSmall(`s3/photos/raw/${index}.jpg`, body);
    const sidecar = `{"format_version":1,"size_bytes":${body.length}}`;
    dump.addSmall(`s3/photos/raw/${index}.jpg.elastickv-meta.json`, sidecar);
  }
  await dump.seal();
  const rows = (await readFile(join(dump.path, "CHECKSUMS"), "utf8")).trimEnd().split("\n");
  await writeFile(join(dump.path, "CHECKSUMS"), `${rows.toReversed().join("\n")}\n`);
  return size;
}

async function fillWithItems(dump: BigDump, size: number): Promise<number> {
  await dump.add("dynamodb/orders/_schema.json", [
    JSON.stringify({
      format_version: 1,
      table_name: "orders",
      primary_key: { hash_key: { name: "id", type: "S" } },
      attribute_definitions: [{ name: "id", type: "S" }],
    }),
  ]);
  await dump.add("dynamodb/orders/items/data-00001.jsonl", itemLines(size));
  await dump.seal();
  return size;
}

async function fillWithFields(dump: BigDump, size: number): Promise<number> {
  await dump.add("redis/db_0/hashes/wide.json", hashFile(size));
  await dump.seal();
  return 1;
}

/** The name of a key that begins with at least 64 bytes of ASCII letters, digits and spaces, or `é`. */
function fallbackName(original: string): string {
  const digest = createHash("sha256").update(original).digest("hex").slice(0, 32);
  const start = [...Buffer.from(original).subarray(0, 64)].map((byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `${digest}__${start.join("")}`;
}

function* itemLines(count: number): Generator<string> {
  for (let index = 0; index < count; index++) yield `{"id":{"S":"order ${index}"},"total":{"N":"${index}"}}\n`;
}

function* hashFile(count: number): Generator<string> {
  yield '{"format_version":1,"fields":[';
  for (let index = 0; index < count; index++) {
    yield `${index === 0 ? "" : ","}{"name":"field ${index}","value":"value ${index}"}`;
  }
  yield '],"expire_at_ms":null}';
}
