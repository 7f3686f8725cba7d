/** Random CHECKSUMS, MANIFEST, KEYMAP and TTL files: what was written is read back, and damage is told by its code. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import { RestoreError } from "../../../src/errors/restore-error.js";
import { formatChecksumRow } from "../../../src/readers/checksum-row.js";
import { sortedChecksums } from "../../../src/readers/checksums.js";
import { Keymap, type KeymapEntry } from "../../../src/readers/keymap.js";
import { readManifest } from "../../../src/readers/manifest.js";
import { KeptBytes } from "../../../src/readers/scope-indexes.js";
import { TtlIndex } from "../../../src/readers/ttl-index.js";
import { QuickFilter } from "../../../src/support/quick-filter.js";
import { SpillingMap } from "../../../src/support/spilling-map.js";
import { MANIFEST } from "../../support/dump-builder.js";
import { contentIn, ending, fuzz, fuzzTimeout, mutated, someBytes, someCuts, someText } from "../../support/fuzz.js";
import { collect } from "../../support/read-dump.js";
import { digits, member, parseLines } from "../../support/readback/json.js";

const directory = mkdtempSync(join(tmpdir(), "elastickv-restore-fuzz-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const timeout = fuzzTimeout(30_000);

/** What `read` gives. A fault has to be one of these; any other error is a defect. */
async function valueOrFault<T>(read: () => Promise<T>, codes: readonly string[]): Promise<T | RestoreError> {
  const found = await ending(read);
  if ("value" in found) return found.value;
  if (!(found.error instanceof RestoreError)) throw found.error;
  expect(codes).toContain(found.error.code);
  expect(found.error.hint).toBeTruthy();
  expect(found.error.message).toMatch(/^[^\n\r]+$/);
  return found.error;
}

const component = someText(12).filter((text) => !/[/\0]/.test(text) && text !== "" && text !== "." && text !== "..");
const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const rows = fc.uniqueArray(fc.record({ path, sha256: digest }), {
  selector: (row) => row.path,
  minLength: 1,
  maxLength: 12,
});

function readChecksums(text: string | Buffer) {
  writeFileSync(join(directory, "CHECKSUMS"), text);
  return collect(sortedChecksums(directory, directory));
}

function checksumsOf(all: readonly { readonly path: string; readonly sha256: string }[]): string {
  return all.map((row) => `${formatChecksumRow(row.path, row.sha256)}\n`).join("");
}

function asBytes(all: Parameters<typeof checksumsOf>[0]): Buffer {
  return Buffer.from(checksumsOf(all));
}

const hostileRow = fc.record({
  path: fc
    .array(fc.oneof(fc.constantFrom("", ".", "..", "a", "\0"), component), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/")),
  sha256: digest,
});

describe("CHECKSUMS", () => {
  it("is read as it was written, in the order of its paths' bytes", { timeout }, async () => {
    const property = fc.asyncProperty(rows, async (written) => {
      const read = await readChecksums(checksumsOf(written));
      const inOrder = [...written].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
      expect(read.map((row) => ({ path: row.path, sha256: row.sha256 }))).toEqual(inOrder);
      for (const row of read) expect(written[row.line - 1]?.path).toBe(row.path);
    });
    await fc.assert(property, fuzz());
  });

  it("is refused when damaged, or names each path once and none outside the dump", { timeout }, async () => {
    const damaged = fc.oneof(
      mutated(rows.map(asBytes)),
      fc.array(hostileRow, { minLength: 1, maxLength: 4 }).map(asBytes),
    );
    const property = fc.asyncProperty(damaged, async (bytes) => {
      const read = await valueOrFault(() => readChecksums(bytes), ["CHECKSUMS_INVALID"]);
      if (read instanceof RestoreError) return;
      for (const row of read) {
        expect(row.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(row.path.split("/").every((part) => part !== "" && part !== "." && part !== "..")).toBe(true);
      }
      expect(new Set(read.map((row) => row.path)).size).toBe(read.length);
    });
    await fc.assert(property, fuzz(2));
  });
});

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const scopeNames = fc.uniqueArray(someText(8), { maxLength: 3 });
const newerParts = fc.record({ cluster_id: someText(8), a_newer_field: fc.jsonValue() }, { requiredKeys: [] });
const manifest = fc
  .record({
    snapshot_index: uint64,
    last_commit_ts: uint64,
    wall_time_iso: fc
      .date({ noInvalidDate: true, min: new Date("1970-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z") })
      .map((date) => date.toISOString()),
    adapters: fc.record(
      {
        redis: fc.record({ databases: fc.uniqueArray(fc.nat(15)) }, { requiredKeys: [] }),
        s3: fc.record({ buckets: scopeNames }, { requiredKeys: [] }),
        sqs: fc.constant({}),
        future: fc.constant({}),
      },
      { requiredKeys: [] },
    ),
  })
  .chain((known) => newerParts.map((newer) => ({ ...MANIFEST, ...newer, ...known })));

/** JSON whose big numbers have all their digits. */
function manifestText(value: object): string {
  const text = JSON.stringify(value, (_name, each: unknown) => (typeof each === "bigint" ? `#${each}#` : each));
  return text.replaceAll(/"#(\d+)#"/g, "$1");
}

async function readManifestText(text: string | Buffer) {
  writeFileSync(join(directory, "MANIFEST.json"), text);
  return (await readManifest(directory)).manifest;
}

describe("MANIFEST.json", () => {
  it("keeps every digit, every scope and the time, whatever newer fields stand beside them", { timeout }, async () => {
    const property = fc.asyncProperty(manifest, async (written) => {
      const read = await readManifestText(manifestText(written));
      expect([read.snapshotIndex, read.lastCommitTs]).toEqual([written.snapshot_index, written.last_commit_ts]);
      expect(read.wallTime.unixMs).toBe(Date.parse(written.wall_time_iso));
      const { redis, s3 } = written.adapters;
      expect(read.adapters.get("redis")?.scopes).toEqual(redis?.databases?.map((number) => `db_${number}`));
      expect(read.adapters.get("s3")?.scopes).toEqual(s3?.buckets);
      expect(read.adapters.has("s3")).toBe(s3 !== undefined);
    });
    await fc.assert(property, fuzz());
  });

  it("is refused when damaged, or still says when and of which adapters", { timeout }, async () => {
    const damaged = mutated(manifest.map((value) => Buffer.from(manifestText(value))));
    const property = fc.asyncProperty(damaged, async (bytes) => {
      const read = await valueOrFault(() => readManifestText(bytes), ["MANIFEST_INVALID", "VERSION_UNSUPPORTED"]);
      if (read instanceof RestoreError) return;
      expect(Number.isFinite(read.wallTime.unixMs)).toBe(true);
      expect(read.metaSuffix).toMatch(/^\.[^/\0]+$/);
    });
    await fc.assert(property, fuzz(2));
  });
});

const keymapEntry = fc.record({
  encoded: fc.oneof(fc.constantFrom("a", "b"), someText(20)).filter((text) => text !== ""),
  original: someBytes(60),
  kind: fc.constantFrom("sha-fallback", "s3-leaf-data", "meta-suffix-rename", "newer"),
});
const keymapEntries = fc.array(keymapEntry, { maxLength: 10 });

function keymapOf(entries: readonly KeymapEntry[]): Buffer {
  const lines = entries.map((entry) =>
    JSON.stringify({ ...entry, original: entry.original.toString("base64url"), extra: 1 }),
  );
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}

describe("KEYMAP.jsonl", () => {
  it("gives each name's last entry back, wherever blocks end, and refuses a name twice where it has to", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(keymapEntries, someCuts, async (written, cuts) => {
      const content = contentIn(keymapOf(written), cuts);
      const shown: KeymapEntry[] = [];
      const kept = new KeptBytes(directory);
      const keymap = await Keymap.load("KEYMAP.jsonl", content, {
        names: kept,
        unique: false,
        check: (entry) => shown.push(entry),
      });
      expect(shown).toEqual(written);
      const last = new Map(written.map((entry) => [entry.encoded, entry]));
      expect(keymap.size).toBe(last.size);
      for (const [encoded, { original }] of last) expect(keymap.originalOf(encoded)).toEqual(original);
      expect(keymap.originalOf("nothing of the kind")).toBeUndefined();
      kept.close();
      const names = new KeptBytes(directory);
      const unique = await ending(() =>
        Keymap.load("KEYMAP.jsonl", content, { names, unique: true, check: () => undefined }),
      );
      expect("error" in unique).toBe(last.size < written.length);
      names.close();
    });
    await fc.assert(property, fuzz());
  });

  it("is refused with a line's number when damaged, or finds what it showed", { timeout }, async () => {
    const property = fc.asyncProperty(mutated(keymapEntries.map(keymapOf)), fc.boolean(), async (bytes, unique) => {
      const shown = new Map<string, KeymapEntry>();
      const check = (entry: KeymapEntry) => void shown.set(entry.encoded, entry);
      const names = new KeptBytes(directory);
      const load = () => Keymap.load("KEYMAP.jsonl", contentIn(bytes), { names, unique, check });
      const keymap = await valueOrFault(load, ["KEYMAP_INVALID"]);
      if (keymap instanceof RestoreError) {
        expect(keymap.where).toMatchObject({ path: "KEYMAP.jsonl", line: expect.any(Number) as number });
        return;
      }
      for (const [encoded, { original }] of shown) expect(keymap.originalOf(encoded)).toEqual(original);
      names.close();
    });
    await fc.assert(property, fuzz(2));
  });
});

const int64 = fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n });
const ttlLines = fc.uniqueArray(fc.tuple(someText(12), int64), { selector: ([key]) => key, maxLength: 12 });

function ttlOf(entries: readonly (readonly [string, bigint])[]): Buffer {
  return Buffer.from(entries.map(([key, time]) => `{"key":${JSON.stringify(key)},"expire_at_ms":${time}}\n`).join(""));
}

function ttlIndex(): TtlIndex {
  return new TtlIndex("strings_ttl.jsonl", { times: new SpillingMap(directory), expiring: new QuickFilter() });
}

describe("a TTL file", () => {
  it("gives every time back to the millisecond, also where a line is repeated", { timeout }, async () => {
    const property = fc.asyncProperty(ttlLines, fc.nat(3), someCuts, async (written, repeats, cuts) => {
      const index = ttlIndex();
      await index.load(contentIn(ttlOf([...written, ...written.slice(0, repeats)]), cuts));
      expect(index.size).toBe(written.length);
      for (const [key, time] of written) expect(index.get(key)).toBe(time);
    });
    await fc.assert(property, fuzz());
  });

  it("is refused with a line's number when damaged, or gives the times that stand there", { timeout }, async () => {
    const repeated = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.bigInt({ min: 0n, max: 1n })), {
      maxLength: 4,
    });
    const damaged = fc.oneof(mutated(ttlLines.map(ttlOf)), repeated.map(ttlOf));
    const property = fc.asyncProperty(damaged, someCuts, async (bytes, cuts) => {
      const load = async () => {
        const index = ttlIndex();
        await index.load(contentIn(bytes, cuts));
        return index;
      };
      const index = await valueOrFault(load, ["TTL_INVALID"]);
      if (index instanceof RestoreError) {
        expect(index.where).toMatchObject({ path: "strings_ttl.jsonl", line: expect.any(Number) as number });
        return;
      }
      for (const line of parseLines(bytes.toString("utf8"))) {
        const [key, time] = [member(line, "key"), member(line, "expire_at_ms")];
        expect(String(index.get(key.kind === "string" ? key.value : ""))).toBe(digits(time));
      }
    });
    await fc.assert(property, fuzz(2));
  });
});
