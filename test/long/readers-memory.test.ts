/**
 * Memory is bounded by settings, not by the dump, while a dump is checked and every record of it read: by the built
 * command line, with dumps of a million files, and single files with millions of elements whose names have to differ.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BigDump } from "../../bench/big-dump.js";
import { LIMIT_BYTES, MEBIBYTE } from "../../bench/memory/limit.js";
import { runWatched } from "../../bench/watched-process.js";

const TIMEOUT_MS = 1_800_000;

let dump: BigDump;

beforeAll(async () => {
  await promisify(execFile)("npm", ["run", "build"], { cwd: join(import.meta.dirname, "..", "..") });
}, TIMEOUT_MS);
beforeEach(async () => {
  dump = await BigDump.create();
});
afterEach(() => dump.remove(), TIMEOUT_MS);

interface Verification {
  readonly scopes: readonly { readonly records: number; readonly malformed: number; readonly warnings: unknown[] }[];
}

/** Verifies the dump within the bound: one scope, with so many good records and nothing to warn of. */
async function verifyWithinBound(records: number): Promise<void> {
  const argv = ["verify", dump.path, "--json", "--progress", "none"];
  const { status, stdout, stderr, peakBytes } = await runWatched(argv, {});
  expect(status, stderr).toBe(0);
  const { scopes } = JSON.parse(stdout) as Verification;
  expect(scopes).toMatchObject([{ records, malformed: 0, warnings: [] }]);
  expect(peakBytes / MEBIBYTE).toBeGreaterThan(20);
  expect(peakBytes / MEBIBYTE).toBeLessThanOrEqual(LIMIT_BYTES / MEBIBYTE);
}

describe("within 256 MiB", () => {
  it(
    "a million strings in one directory are read, half of them with expiry times and half with names from KEYMAP",
    async () => {
      const [half, keymap, times] = [500_000, [] as string[], [] as string[]];
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
      await dump.seal("redis");
      await verifyWithinBound(2 * half);
    },
    TIMEOUT_MS,
  );

  it(
    "a bucket of a quarter of a million objects is read, with CHECKSUMS in no order",
    async () => {
      const count = 250_000;
      dump.addSmall("s3/photos/_bucket.json", '{"format_version":1,"name":"photos"}');
      for (let index = 0; index < count; index++) {
        const body = `photo ${index}`;
        dump.addSmall(`s3/photos/raw/${index}.jpg`, body);
        const sidecar = `{"format_version":1,"size_bytes":${body.length}}`;
        dump.addSmall(`s3/photos/raw/${index}.jpg.elastickv-meta.json`, sidecar);
      }
      await dump.seal("s3");
      const rows = (await readFile(join(dump.path, "CHECKSUMS"), "utf8")).trimEnd().split("\n");
      await writeFile(join(dump.path, "CHECKSUMS"), `${rows.toReversed().join("\n")}\n`);
      await verifyWithinBound(count);
    },
    TIMEOUT_MS,
  );

  it(
    "a table of three million items in one file is read, each key once",
    async () => {
      await dump.add("dynamodb/orders/_schema.json", [
        JSON.stringify({
          format_version: 1,
          table_name: "orders",
          primary_key: { hash_key: { name: "id", type: "S" } },
          attribute_definitions: [{ name: "id", type: "S" }],
        }),
      ]);
      await dump.add("dynamodb/orders/items/data-00001.jsonl", itemLines(3_000_000));
      await dump.seal("dynamodb");
      await verifyWithinBound(3_000_000);
    },
    TIMEOUT_MS,
  );

  it(
    "a hash of five million fields is read, each name once",
    async () => {
      await dump.add("redis/db_0/hashes/wide.json", hashFile(5_000_000));
      await dump.seal("redis");
      await verifyWithinBound(1);
    },
    TIMEOUT_MS,
  );
});

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
