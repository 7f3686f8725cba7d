import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DumpRecord } from "../../../src/model/record.js";
import { fallbackOf, s3Object, sqsMessage, tableSchema } from "../../support/dump-builder.js";
import { collect, EVERYTHING, readRecords, withBuilt, withDump } from "../../support/read-dump.js";

const { segment, line } = fallbackOf("k".repeat(300));

/** Something of every kind, faulty records among them. */
const FILES = {
  "dynamodb/t/_schema.json": tableSchema("t"),
  "dynamodb/t/items/data-1.jsonl": [{ id: { S: "a" } }, "{", { id: { S: "b" } }, { id: { S: "a" } }],
  "dynamodb/t/items/data-2.jsonl": [{ id: { S: "b" } }, { id: { S: "é" } }],
  "dynamodb/t/items/z.json": { id: { S: "z" } },
  "redis/db_0/KEYMAP.jsonl": [line],
  [`redis/db_0/strings/${segment}.bin`]: "v",
  "redis/db_0/strings/a.bin": "v",
  "redis/db_0/strings/a-b.bin": "v",
  "redis/db_0/sets/a.json": { members: ["x"] },
  "redis/db_0/zsets/a.json": { members: [1] },
  "redis/db_0/streams/s.jsonl": "",
  "s3/b/_bucket.json": { name: "b" },
  ...s3Object("s3/b/a/b", "1"),
  ...s3Object("s3/b/a-b", "1"),
  ...s3Object("s3/b/\u{1f600}", "1", { size_bytes: 3 }),
  ...s3Object("s3/b/\ufffd", "1"),
  "sqs/q.fifo/_queue.json": { name: "q.fifo", fifo: true },
  "sqs/q.fifo/messages.jsonl": [
    sqsMessage("1", { message_group_id: "g" }),
    "",
    sqsMessage("2"),
    "nonsense",
    sqsMessage("é".repeat(500)),
  ],
};

const idOf = ({ place, kind, displayKey }: DumpRecord) => `${place.path}:${place.line ?? ""} ${kind} ${displayKey}`;

describe("positions", () => {
  it("continue with exactly the records behind them, from any record of any scope", async () => {
    await withBuilt({ files: FILES }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        let tried = 0;
        for (const scope of await dump.scopes(EVERYTHING)) {
          const all = await collect(readRecords(dump, scope));
          for (const [index, record] of all.entries()) {
            const rest = await collect(readRecords(dump, scope, record.after));
            expect(rest.map(idOf)).toEqual(all.slice(index + 1).map(idOf));
            tried++;
          }
        }
        expect(tried).toBe(7 + 6 + 4 + 5);
      }),
    );
  });

  it("hold for message files of any shape", async () => {
    const lineOf = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 40 }).map((body) => JSON.stringify(sqsMessage(body.toWellFormed()))),
      fc.constantFrom("", "nonsense", "{}"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(lineOf, { maxLength: 8 }), fc.boolean(), async (texts, hasLastFeed) => {
        const file = texts.join("\n") + (hasLastFeed ? "\n" : "");
        const files = { "sqs/q/_queue.json": { name: "q" }, "sqs/q/messages.jsonl": file };
        await withBuilt({ files }, (path) =>
          withDump(path, async (dump) => {
            await dump.check();
            const [scope] = await dump.scopes(EVERYTHING);
            if (scope === undefined) throw new Error("no queue");
            const all = await collect(readRecords(dump, scope));
            const expected = file.split("\n").length - (file.endsWith("\n") || file === "" ? 1 : 0);
            expect(all).toHaveLength(expected);
            for (const [index, { after }] of all.entries()) {
              const rest = await collect(readRecords(dump, scope, after));
              expect(rest.map(idOf)).toEqual(all.slice(index + 1).map(idOf));
            }
          }),
        );
      }),
      { numRuns: 15 },
    );
  });
});
