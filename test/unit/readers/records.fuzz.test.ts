/**
 * Random records through the readers of their types: what was written is read back wherever blocks end, and damage is a
 * fault of the record, never an error of another kind.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TableSchema } from "../../../src/model/scope.js";
import { readItem } from "../../../src/readers/dynamodb-item.js";
import { faultyRecord } from "../../../src/readers/faults.js";
import { readCollection } from "../../../src/readers/redis-collection.js";
import { readHyperLogLog } from "../../../src/readers/redis-hll.js";
import { readStream } from "../../../src/readers/redis-stream.js";
import { assertSegment, encodeSegment, fallbackSegment } from "../../../src/readers/segments.js";
import {
  contentIn,
  cutAt,
  ending,
  fuzz,
  fuzzTimeout,
  mutated,
  someBytes,
  someCuts,
  someText,
} from "../../support/fuzz.js";
import { binarySafe, isText, jsonText } from "../../support/random-dump/json-text.js";
import { collect } from "../../support/read-dump.js";

const timeout = fuzzTimeout(20_000);
const FRAME = { place: { path: "p" }, after: { path: "p" }, displayKey: "k", bytes: 0 };

/** What `read` gives, or the word for the record's fault. @throws whatever is no fault of a record */
async function valueOrReason<T>(read: () => Promise<T> | T): Promise<T | string> {
  const found = await ending(read);
  if ("value" in found) return found.value;
  const { reason, outcome, detail } = faultyRecord(FRAME, found.error);
  expect(outcome).toBe("rejected");
  expect(reason).toMatch(/^[a-z0-9-]+$/);
  return `${reason}: ${detail}`;
}

const bytes = fc.oneof(
  someBytes(20),
  someText(12).map((text) => Buffer.from(text)),
);
const hex = (buffer: Buffer) => buffer.toString("hex");

const hash = fc.uniqueArray(fc.tuple(bytes, bytes), { selector: ([name]) => hex(name), maxLength: 10 });

function hashFile(fields: readonly (readonly [Buffer, Buffer])[], isObject: boolean): Buffer {
  const object = new Map(fields.map(([name, value]) => [name.toString(), binarySafe(value)]));
  const listed = fields.map(([name, value]) => ({ value: binarySafe(value), name: binarySafe(name) }));
  return Buffer.from(jsonText({ format_version: 1, fields: isObject ? object : listed, expire_at_ms: 2n ** 62n }));
}

async function readHash(file: Buffer, cuts: readonly number[]) {
  const { count, expireAtMs, elements } = await readCollection("hash", contentIn(file, cuts), ".");
  return { count, expireAtMs, elements: (await collect(elements())).flat().map((element) => element.map(hex)) };
}

describe("a hash", () => {
  it("is read in either shape as it was written, wherever blocks end", { timeout }, async () => {
    const property = fc.asyncProperty(hash, fc.boolean(), someCuts, async (fields, wantsObject, cuts) => {
      const isObject = wantsObject && fields.every(([name]) => isText(name));
      const read = await readHash(hashFile(fields, isObject), cuts);
      const elements = fields.map((field) => field.map(hex));
      expect(read).toEqual({ count: fields.length, expireAtMs: 2n ** 62n, elements });
    });
    await fc.assert(property, fuzz());
  });

  it("that is damaged is rejected for the same reason, or read as the same, wherever blocks end", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(
      mutated(
        hash.map((fields) =>
          hashFile(
            fields,
            fields.every(([name]) => isText(name)),
          ),
        ),
      ),
      someCuts,
      async (file, cuts) => {
        const read = await valueOrReason(() => readHash(file, cuts));
        expect(read).toEqual(await valueOrReason(() => readHash(file, [])));
      },
    );
    await fc.assert(property, fuzz());
  });
});

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const entries = fc
  .uniqueArray(fc.tuple(uint64, uint64), { selector: String, maxLength: 6 })
  .map((ids) => ids.filter(([ms, sequence]) => ms + sequence > 0n))
  .map((ids) => ids.sort(([a, b], [c, d]) => (a === c ? Number(b > d) - Number(b < d) : Number(a > c) - Number(a < c))))
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.tuple(fc.constant(id), fc.array(bytes, { minLength: 1, maxLength: 3 })))),
  );

type Entries = readonly (readonly [readonly [bigint, bigint], readonly Buffer[]])[];

function streamFile(all: Entries): Buffer {
  const lines = all.map(([[ms, sequence], values]) =>
    jsonText({ id: `${ms}-${sequence}`, fields: values.map((value) => ({ name: "same", value: binarySafe(value) })) }),
  );
  const meta = jsonText({ _meta: true, length: all.length, last_ms: 2n ** 64n - 1n, last_seq: 2n ** 64n - 1n });
  return Buffer.from([...lines, meta].join("\n"));
}

async function readWholeStream(file: Buffer, cuts: readonly number[]) {
  const { count, lastId, faultyEntries, entries } = await readStream("p", contentIn(file, cuts));
  const read = (await collect(entries())).flat().map(({ id, fields }) => [id, ...fields.map(hex)]);
  expect(read).toHaveLength(count);
  return { lastId, faultyEntries, read };
}

describe("a stream", () => {
  it("is read as it was written, wherever blocks end", { timeout }, async () => {
    const property = fc.asyncProperty(entries, someCuts, async (all, cuts) => {
      const { lastId, faultyEntries, read } = await readWholeStream(streamFile(all), cuts);
      const same = hex(Buffer.from("same"));
      expect(read).toEqual(
        all.map(([[ms, sequence], values]) => [`${ms}-${sequence}`, ...values.flatMap((value) => [same, hex(value)])]),
      );
      expect([lastId, faultyEntries]).toEqual([`${2n ** 64n - 1n}-${2n ** 64n - 1n}`, []]);
    });
    await fc.assert(property, fuzz());
  });

  it("that is damaged keeps entries whose ids rise, or is rejected, the same wherever blocks end", {
    timeout,
  }, async () => {
    const twice = entries.map((all) => streamFile(all.flatMap((entry) => [entry, entry])));
    const damaged = fc.oneof(mutated(entries.map(streamFile)), twice);
    const property = fc.asyncProperty(damaged, someCuts, async (file, cuts) => {
      const stream = await valueOrReason(() => readWholeStream(file, cuts));
      expect(stream).toEqual(await valueOrReason(() => readWholeStream(file, [])));
      if (typeof stream === "string") return;
      const ids = stream.read.map(([id = ""]) => id.split("-").map(BigInt));
      for (const [at, [ms = 0n, sequence = 0n]] of ids.entries()) {
        const [beforeMs = 0n, beforeSequence = 0n] = ids[at - 1] ?? [];
        expect(ms > beforeMs || (ms === beforeMs && sequence > beforeSequence)).toBe(true);
      }
    });
    await fc.assert(property, fuzz());
  });
});

function memberSet(members: readonly Buffer[]): Buffer {
  const varint = (length: number) => (length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]);
  const fields = members.map((member) => Buffer.concat([Buffer.from([0x0a, ...varint(member.length)]), member]));
  return Buffer.concat([Buffer.from([0x00, 0x52, 0x53, 0x01]), ...fields]);
}

async function readMembers(file: Buffer, cuts: readonly number[]) {
  const { content } = await readHyperLogLog(contentIn(file, cuts));
  if (content.form === "sketch") return "a sketch";
  const members = (await collect(content.members())).flat().map(hex);
  expect(members).toHaveLength(content.count);
  return members;
}

describe("a HyperLogLog's member set", () => {
  const edges = fc.constantFrom(127, 128, 129, 16_383).map((length) => Buffer.alloc(length, "m"));
  const members = fc.array(fc.oneof(someBytes(12), someBytes(300), edges), { maxLength: 8 });

  it("is read as it was written, wherever blocks end", { timeout }, async () => {
    const property = fc.asyncProperty(members, someCuts, async (written, cuts) => {
      expect(await readMembers(memberSet(written), cuts)).toEqual(written.map(hex));
    });
    await fc.assert(property, fuzz());
  });

  it("that is damaged is rejected for the same reason, or read as the same, wherever blocks end", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(mutated(members.map(memberSet)), someCuts, async (file, cuts) => {
      const read = await valueOrReason(() => readMembers(file, cuts));
      expect(read).toEqual(await valueOrReason(() => readMembers(file, [])));
    });
    await fc.assert(property, fuzz());
  });
});

const SCHEMA: TableSchema = {
  key: { hash: { name: "id", type: "S" }, range: { name: "at", type: "N" } },
  globalIndexes: [],
  localIndexes: [],
};
const item = fc.record({ id: someText(8), at: fc.integer(), more: someText(8) }).map(({ id, at, more }) =>
  Buffer.from(
    jsonText({
      id: { S: id },
      at: { N: String(at) },
      all: {
        L: [{ SS: [more] }, { NULL: true }, { BOOL: false }, { B: "AAE=" }, { M: new Map([[more, { N: "1" }]]) }],
      },
    }),
  ),
);

describe("an item", () => {
  it("that is damaged is rejected, or its key stands in its text", { timeout }, async () => {
    const property = fc.asyncProperty(fc.oneof(item, mutated(item)), async (text) => {
      const read = await valueOrReason(() => readItem(text, SCHEMA));
      if (typeof read === "string") return;
      expect(text.includes(read.keyText.hash)).toBe(true);
      expect(read.keyText.hash.toString()).toMatch(/^\{/);
      expect(read.keyText.range?.toString()).toMatch(/"N"/);
    });
    await fc.assert(property, fuzz(2));
  });
});

describe("a segment", () => {
  it("that is damaged is refused as a name, or is one of the format's forms", { timeout }, async () => {
    const segment = fc.oneof(
      someBytes(30).map(encodeSegment),
      someBytes(90).map(fallbackSegment),
      someBytes(9).map((key) => `b64.${key.toString("base64url")}`),
    );
    const property = fc.asyncProperty(mutated(segment.map((text) => Buffer.from(text))), async (damaged) => {
      const text = damaged.toString("latin1");
      const found = await ending(() => assertSegment("p", text));
      if ("error" in found) expect(found.error).toMatchObject({ name: "RestoreError", code: "NAME_INVALID" });
      else expect(text).toMatch(/^([A-Za-z0-9._-]|%[0-9A-F]{2})*$/);
    });
    await fc.assert(property, fuzz(2));
  });
});

it("what cuts a text loses none of it", () => {
  fc.assert(
    fc.property(someBytes(40), someCuts, (whole, cuts) => {
      expect(Buffer.concat([...cutAt(whole, cuts)])).toEqual(whole);
    }),
  );
});
