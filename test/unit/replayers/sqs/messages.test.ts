import { describe, expect, it } from "vitest";
import type { MessageAttribute } from "../../../../src/model/record.js";
import { carry } from "../../../../src/replayers/sqs/carriable.js";
import { delayOf, delaySeconds } from "../../../../src/replayers/sqs/delay.js";
import { md5OfAttributes, md5OfBody } from "../../../../src/replayers/sqs/digests.js";
import { intoRequests, messageSize } from "../../../../src/replayers/sqs/message-size.js";
import { message } from "../../../support/sqs-records.js";

const text = (string: string, dataType = "String"): MessageAttribute => ({ dataType, value: { string } });

describe("digests", () => {
  it("are those that a server gave for the same attributes", () => {
    const attributes = [
      ["s", text("é")],
      ["n", text("0", "Number")],
      ["bin", { dataType: "Binary", value: { binary: Buffer.from("ZCoPp2KuQzEo", "base64") } }],
      ["custom", text("{}", "String.json")],
    ] as const;
    expect(md5OfAttributes(attributes)).toBe("17ed2eca6e52ca84f1f2f9bc0725edc0");
    expect(md5OfBody(Buffer.from("dead"))).toBe("f58e6a506c76fc2c90a7d29cbc631c2f");
    expect(md5OfAttributes([])).toBeUndefined();
  });
});

describe("size", () => {
  it("counts the body and every attribute's name, type and value in bytes", () => {
    const attributes = [["é", text("☃")]] as const;
    expect(messageSize({ body: Buffer.from("é"), attributes })).toBe(2 + 2 + 6 + 3);
  });

  it("of a queue's limit is carried and one byte more is not", () => {
    const attributes = [["name", text("value")]] as const;
    const record = message(1, { body: "x".repeat(85), attributes });
    expect(carry(record, 100)).toMatchObject({ size: 100 });
    expect(carry(record, 99)).toMatchObject({ kind: "rejected", reason: "message-too-large" });
  });

  it("splits requests after ten messages or 256 KiB; a larger one stands alone", () => {
    const sizes = (requests: { size: number }[][]) => requests.map((request) => request.map(({ size }) => size));
    const small = Array.from({ length: 11 }, () => ({ size: 1 }));
    expect(intoRequests(small).map(({ length }) => length)).toEqual([10, 1]);
    expect(sizes(intoRequests([{ size: 200_000 }, { size: 62_144 }, { size: 1 }]))).toEqual([[200_000, 62_144], [1]]);
    expect(sizes(intoRequests([{ size: 1 }, { size: 900_000 }, { size: 1 }]))).toEqual([[1], [900_000], [1]]);
  });
});

describe("attributes", () => {
  it("more than ten are rejected", () => {
    const attributes = Array.from({ length: 11 }, (_, i) => [`a${i}`, text("x")] as const);
    expect(carry(message(1, { attributes: attributes.slice(1) }), 1_000)).not.toHaveProperty("kind");
    expect(carry(message(1, { attributes }), 1_000)).toMatchObject({ reason: "too-many-attributes" });
  });

  it("with characters that SQS does not take are rejected without quoting them", () => {
    const outcome = carry(message(1, { attributes: [["a", text("secret\u0001")]] }), 1_000);
    expect(outcome).toMatchObject({ kind: "rejected", reason: "attribute-not-carriable" });
    expect(JSON.stringify(outcome)).not.toContain("secret");
  });
});

describe("delay", () => {
  const rules = { nowMs: 1_000_000, fifo: false, queueDelaySeconds: 0, preserveVisibility: false };
  const at = (availableAtMs: number, visibleAtMs = 0) => ({ availableAtMs, visibleAtMs });

  it("is what is left until a message is due, rounded up, 900 s at most", () => {
    expect(delaySeconds(1_000_000, 1_000_000)).toBe(0);
    expect(delaySeconds(0, 1_000_000)).toBe(0);
    expect(delaySeconds(1_000_001, 1_000_000)).toBe(1);
    expect(delaySeconds(1_900_000, 1_000_000)).toBe(900);
    expect(delaySeconds(9_000_000, 1_000_000)).toBe(900);
  });

  it("of a standard queue's message beyond 900 s is given up and noted", () => {
    expect(delayOf(at(1_900_000), rules)).toEqual({ hiddenUntilMs: 1_900_000, notes: [] });
    expect(delayOf(at(1_900_001), rules)).toMatchObject({ hiddenUntilMs: 0, notes: [{ kind: "early" }] });
  });

  it("follows visibility only where that is to be preserved", () => {
    expect(delayOf(at(0, 1_060_000), rules)).toMatchObject({ hiddenUntilMs: 0 });
    expect(delayOf(at(0, 1_060_000), { ...rules, preserveVisibility: true })).toMatchObject({
      hiddenUntilMs: 1_060_000,
    });
  });

  it("of a FIFO message is the queue's, and what that changes is noted", () => {
    const fifo = { ...rules, fifo: true };
    expect(delayOf(at(0), fifo)).toEqual({ notes: [] });
    expect(delayOf(at(1_060_000), fifo)).toMatchObject({ notes: [{ kind: "early" }] });
    expect(delayOf(at(0), { ...fifo, queueDelaySeconds: 5 })).toMatchObject({ notes: [{ kind: "delayed" }] });
    expect(delayOf(at(1_005_000), { ...fifo, queueDelaySeconds: 5 })).toEqual({ notes: [] });
  });
});
