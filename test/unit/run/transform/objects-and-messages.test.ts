import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import type { MessageRecord, ObjectRecord } from "../../../../src/model/record.js";
import type { PlainMessage, PlainObject } from "../../../../src/run/transform/plain-records.js";
import { transformRecord } from "../../../../src/run/transform/transform.js";
import { bucketScope, bufferContent, md5, objectRecord, patterned } from "../../../support/s3-records.js";
import { fifoMessage, message, queueScope } from "../../../support/sqs-records.js";
import { detailOf, returning } from "../../../support/transforms.js";

describe("an object", () => {
  const record = (body = "body") =>
    objectRecord("a/b", { body, etag: md5(body), metadata: { contentType: "text/plain", user: [["owner", "me"]] } });
  const made = async (from: ObjectRecord, change: (given: PlainObject) => unknown, limitBytes = 1000) =>
    await transformRecord(from, {
      scope: bucketScope("photos"),
      transform: { name: "t", digest: "d", limitBytes, call: returning(change) },
    });
  const rebuilt = async (from: ObjectRecord, change: (given: PlainObject) => unknown): Promise<ObjectRecord> => {
    const answer = await made(from, change);
    if (!("record" in answer)) throw new Error(detailOf(answer));
    return answer.record as ObjectRecord;
  };

  it("comes with body and metadata, and stays on disk with its ETag when its body comes back as it was", async () => {
    const from = record();
    const answer = await rebuilt(from, (given) => {
      expect(given).toEqual({
        ...{ adapter: "s3", scope: "photos", kind: "object", key: "a/b", body: Buffer.from("body") },
        metadata: { contentType: "text/plain", user: [{ name: "owner", value: "me" }] },
      });
      return { ...given, key: "c", metadata: { user: [] } };
    });
    expect(answer.body).toBe(from.body);
    expect(answer).toMatchObject({ key: "c", displayKey: "c", etag: md5("body"), metadata: { user: [] } });
  });

  it("with another body has its digest and no ETag, and can be read in ranges", async () => {
    const bytes = patterned(2_500_000);
    const answer = await made(record(), (given) => ({ ...given, body: bytes }), 10_000_000);
    if (!("record" in answer) || answer.record.kind !== "object") throw new Error(detailOf(answer));
    const { body, etag } = answer.record;
    expect([etag, body.size, body.sha256]).toEqual([undefined, bytes.length, bufferContent(bytes).sha256]);
    const blocks: Buffer[] = [];
    for await (const block of body.blocks({ start: 10, end: 2_400_000 })) blocks.push(block);
    expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.concat(blocks).equals(bytes.subarray(10, 2_400_000))).toBe(true);
  });

  it("as large as the limit comes and goes back", async () => {
    const from = record("x".repeat(1000));
    expect(await made(from, (given) => ({ ...given, body: given.body }))).toMatchObject({
      record: { etag: from.etag },
    });
    expect(await made(from, (given) => ({ ...given, body: "y".repeat(1000) }))).toMatchObject({
      record: { bytes: 1000 },
    });
  });

  it("may become empty", async () => {
    const answer = await rebuilt(record(), (given) => ({ ...given, body: "" }));
    expect([answer.body.size, String(await answer.body.buffer())]).toEqual([0, ""]);
  });

  it("above the limit comes without its body, which stays, or is replaced", async () => {
    const from = record("x".repeat(2000));
    const kept = await rebuilt(from, (given) => {
      expect(given.body).toBeNull();
      return given;
    });
    expect([kept.body, kept.etag]).toEqual([from.body, from.etag]);
    expect((await rebuilt(from, (given) => ({ ...given, body: "gone" }))).body.size).toBe(4);
  });

  it.each<[string, (given: PlainObject) => unknown, RegExp]>([
    ["that loses the body it came with", (given) => ({ ...given, body: null }), /body is neither/],
    ["without a body", ({ body: _, ...given }) => given, /body is neither/],
    ["whose key is empty", (given) => ({ ...given, key: "" }), /key is empty/],
    ["whose key is bytes", (given) => ({ ...given, key: Buffer.from("k") }), /key is not a string/],
    ["without metadata", ({ metadata: _, ...given }) => given, /metadata is not an object/],
    [
      "with metadata in an object",
      (given) => ({ ...given, metadata: { user: { a: "b" } } }),
      /metadata.user is not an array/,
    ],
    [
      "with a metadata name twice",
      (given) => ({
        ...given,
        metadata: {
          user: [
            { name: "a", value: "1" },
            { name: "a", value: "2" },
          ],
        },
      }),
      /a name twice/,
    ],
    ["of another bucket", (given) => ({ ...given, scope: "other" }), /scope has to stay "photos"/],
  ])("%s is rejected", async (_what, change, detail) => {
    const answer = await made(record(), change);
    expect(answer).toMatchObject({ kind: "faulty", reason: "transform-failed", key: Buffer.from("a/b") });
    expect(detailOf(answer)).toMatch(detail);
  });

  it("with a body above the limit is rejected", async () => {
    const answer = await made(record(), (given) => ({ ...given, body: Buffer.alloc(5000) }));
    expect(answer).toMatchObject({ kind: "faulty", reason: "limit-exceeded" });
  });

  it("whose file changed after the check has failed, and the function is not called", async () => {
    const changed = new RestoreError("CHANGED_AFTER_CHECK", "changed", { reason: "changed-after-check" });
    const body = { ...bufferContent("body"), buffer: () => Promise.reject(changed) };
    const never = () => expect.unreachable();
    expect(await made({ ...record(), body }, never)).toMatchObject({
      outcome: "failed",
      reason: "changed-after-check",
    });
  });
});

describe("a message", () => {
  const made = async (from: MessageRecord, change: (given: PlainMessage) => unknown, queue = "jobs.fifo") =>
    await transformRecord(from, {
      scope: queueScope(queue),
      transform: { name: "t", digest: "d", call: returning(change) },
    });
  const attributes: MessageRecord["attributes"] = [
    ["__proto__", { dataType: "String.x", value: { string: "s" } }],
    ["bytes", { dataType: "Binary", value: { binary: Buffer.from([1]) } }],
  ];

  it("comes with body, attributes and ids, and may change them", async () => {
    const from = fifoMessage(1, "g", { attributes, availableAtMs: 5, lane: "group:g" });
    const answer = await made(from, (given) => {
      expect(given).toEqual({
        ...{ adapter: "sqs", scope: "jobs.fifo", kind: "message", key: "m-1", body: Buffer.from("body 1") },
        attributes: [
          { name: "__proto__", dataType: "String.x", value: "s" },
          { name: "bytes", dataType: "Binary", value: Buffer.from([1]) },
        ],
        ...{ groupId: "g", deduplicationId: "d-1", availableAtMs: 5, visibleAtMs: 0 },
      });
      return { ...given, body: "masked", attributes: given.attributes.slice(1), deduplicationId: undefined };
    });
    expect(answer).toMatchObject({
      record: { body: Buffer.from("masked"), attributes: [attributes[1]], lane: "group:g" },
    });
    expect("identity" in answer || !("record" in answer) || "deduplicationId" in answer.record).toBe(false);
  });

  it("of another group gets that group's lane", async () => {
    const answer = await made(fifoMessage(1, "g"), (given) => ({ ...given, groupId: "h" }));
    expect(answer).toMatchObject({ record: { groupId: "h", lane: "group:h" } });
  });

  it.each<[string, (given: PlainMessage) => unknown, RegExp]>([
    ["with another id", (given) => ({ ...given, key: "m-2" }), /`key` was changed/],
    ["without a body", ({ body: _, ...given }) => given, /body is neither/],
    ["with attributes in an object", (given) => ({ ...given, attributes: {} }), /attributes is not an array/],
    [
      "with an attribute of no known type",
      (given) => ({ ...given, attributes: [{ name: "a", dataType: "Text", value: "x" }] }),
      /none of String, Number and Binary/,
    ],
    [
      "with bytes in a text attribute",
      (given) => ({ ...given, attributes: [{ name: "a", dataType: "String", value: Buffer.from("x") }] }),
      /value is not a string/,
    ],
    [
      "with an attribute twice",
      (given) => ({ ...given, attributes: [1, 2].map(() => ({ name: "a", dataType: "String", value: "x" })) }),
      /a name twice/,
    ],
    ["with a time of text", (given) => ({ ...given, availableAtMs: "soon" }), /availableAtMs is not a time/],
    ["of another queue", (given) => ({ ...given, scope: "other" }), /scope has to stay/],
  ])("%s is rejected", async (_what, change, detail) => {
    expect(detailOf(await made(message(1), change, "jobs"))).toMatch(detail);
  });
});
