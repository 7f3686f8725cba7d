import { describe, expect, it } from "vitest";

import { SLOTS, slotOf, tagOf } from "../../../../src/replayers/redis/slots.js";

const slot = (key: string): number => slotOf(Buffer.from(key, "latin1"));

describe("a slot", () => {
  // What CLUSTER KEYSLOT of Redis 7 answers.
  it.each([
    ["123456789", 12_739],
    ["", 0],
    ["foo", 12_182],
    ["{foo}bar", 12_182],
    ["a{foo}{bar}", 12_182],
  ])("of the key %j is Redis's", (key, expected) => {
    expect(slot(key)).toBe(expected);
  });

  it("is of the whole key where the first braces hold nothing", () => {
    expect(slot("{}foo{bar}")).not.toBe(slot("bar"));
    expect(slot("{foo")).not.toBe(slot("foo"));
  });
});

it("a slot has the tag that it always had, for a job may be taken up by another version", () => {
  expect([0, 1, 12_182, SLOTS - 1].map(tagOf)).toEqual(["1bz", "emj", "foo", "hia"]);
});

it("every slot has a tag of a few letters and digits that is in it", () => {
  const tags = Array.from({ length: SLOTS }, (_, i) => tagOf(i));
  expect(tags.every((tag, i) => /^[0-9a-z]{1,5}$/.test(tag) && slot(`x{${tag}}y{other}`) === i)).toBe(true);
});
