import { describe, expect, it } from "vitest";
import type { MessageRecord } from "../../../../../src/model/record.js";
import { contentKey, differencesBetween, partsOf } from "../../../../../src/replayers/sqs/compare/message-parts.js";
import { type MessageParts, message } from "../../../../support/sqs-records.js";

const attribute = (name: string, dataType: string, value: string | Buffer): MessageRecord["attributes"][number] => [
  name,
  { dataType, value: typeof value === "string" ? { string: value } : { binary: value } },
];

const key = (parts: MessageParts): string => contentKey(partsOf(message(1, parts)));

describe("a message's content", () => {
  it("is the same whatever the order of attributes", () => {
    const attributes = [attribute("a", "String", "1"), attribute("b", "String", "2")];
    expect(key({ attributes })).toBe(key({ attributes: [...attributes].reverse() }));
  });

  it("is the same for a number in other words, and for no text", () => {
    const of = (type: string, text: string): string => key({ attributes: [attribute("a", type, text)] });
    expect(of("Number", "1.50")).toBe(of("Number", "01.5"));
    expect(of("Number.int", "7")).toBe(of("Number.int", "7.0"));
    expect(of("String", "1.50")).not.toBe(of("String", "1.5"));
    expect(of("Numbers", "1.50")).not.toBe(of("Numbers", "1.5"));
  });

  it("is another one with another body, type, value, name, group or kind of value", () => {
    const bytes = Buffer.from("7");
    const all: MessageParts[] = [
      {},
      { body: "other" },
      { groupId: "a" },
      { attributes: [attribute("a", "String", "7")] },
      { attributes: [attribute("b", "String", "7")] },
      { attributes: [attribute("a", "String.x", "7")] },
      { attributes: [attribute("a", "String", "8")] },
      { attributes: [attribute("a", "String", bytes)] },
      { attributes: [attribute("a", "String", bytes.toString("base64"))] },
      { attributes: [attribute("a", "String", "7"), attribute("b", "String", "7")] },
    ];
    expect(new Set(all.map(key)).size).toBe(all.length);
  });

  it("is that of no group where the group is empty", () => {
    expect(key({ groupId: "" })).toBe(key({}));
  });
});

describe("the deduplication id of a FIFO message", () => {
  const made = `restore-0123456789abcdef-${"0".repeat(36)}`;
  const found = (own: string | undefined, held: string | undefined): (string | undefined)[] =>
    differencesBetween(partsOf(withId(own)), partsOf(withId(held)), true).map(({ at }) => at);
  const withId = (deduplicationId: string | undefined): MessageRecord =>
    message(1, { groupId: "a", ...(deduplicationId === undefined ? {} : { deduplicationId }) });

  it.each([
    ["x", "x"],
    ["x", made],
    [undefined, "anything"],
    [undefined, undefined],
    ["", "anything"],
  ])("is the message's own or one that a restore made: %o, %o", (own, held) => {
    expect(found(own, held)).toEqual([]);
  });

  it.each([
    ["x", "y"],
    ["x", undefined],
    ["x", `${made}0`],
    [made, "x"],
  ])("is no other one: %o, %o", (own, held) => {
    expect(found(own, held)).toEqual(["MessageDeduplicationId"]);
  });

  it("does not matter in a standard queue", () => {
    expect(differencesBetween(partsOf(withId("x")), partsOf(withId("y")), false)).toEqual([]);
  });
});

describe("a difference", () => {
  it("names its attribute so that it can be printed", () => {
    const [held, own] = [message(1, { attributes: [attribute("a\u001B", "String", "7")] }), message(1)];
    expect(differencesBetween(partsOf(own), partsOf(held), false)).toMatchObject([
      { kind: "extra-part", at: 'attribute "a\\u{1b}"' },
    ]);
  });

  it("holds no value", () => {
    const own = message(1, { body: "secret one", attributes: [attribute("a", "String", "secret two")] });
    const held = message(1, { body: "secret three", attributes: [attribute("a", "String", "secret four")] });
    const found = differencesBetween(partsOf(own), partsOf(held), false);
    expect(found.map(({ kind, at }) => `${kind} ${at}`)).toEqual(["value body", 'value attribute "a"']);
    expect(JSON.stringify(found)).not.toContain("secret");
  });
});
