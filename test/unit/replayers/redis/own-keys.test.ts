import { describe, expect, it } from "vitest";
import { jobOf, markerKeys, markerOf, temporaryKey } from "../../../../src/replayers/redis/own-keys.js";
import { slotOf } from "../../../../src/replayers/redis/slots.js";

const JOB = "0123456789abcdef";
const ODD_KEYS = [
  "user:1",
  "a{tag}b{other}",
  "{}x",
  "a{b",
  "a}b",
  "}{",
  "{{}}x",
  "a{}b{c}",
  "",
  "\x00\xff{\xfe}\r\n",
  "{\x00}",
];
const temporary = (key: string, job = JOB) => temporaryKey(job, Buffer.from(key)).toString();

describe("a temporary key", () => {
  it("is the same for the same job and key, and no other's", () => {
    expect(temporary("a")).toBe(temporary("a"));
    expect(temporary("a")).not.toBe(temporary("b"));
    expect(temporary("a")).not.toBe(temporary("a", "fedcba9876543210"));
    expect(temporary("{t}a")).not.toBe(temporary("{t}b"));
  });

  it.each(ODD_KEYS)("is in the slot of its key %j", (text) => {
    const key = Buffer.from(text, "latin1");
    expect(slotOf(temporaryKey(JOB, key))).toBe(slotOf(key));
    expect(slotOf(markerOf(JOB, key, true).markers)).toBe(slotOf(key));
  });
});

it.each([false, true])("a marker stands in one of the keys that the end deletes (in a cluster: %s)", (clustered) => {
  const all = new Set(markerKeys(JOB, clustered).map(String));
  for (let i = 0; i < 200; i++) {
    const { markers, field } = markerOf(JOB, Buffer.from(`key ${i}`), clustered);
    expect(all.has(markers.toString())).toBe(true);
    expect(field).toMatch(/^[0-9a-f]{32}$/);
  }
});

it("the job is known by the name of a key that it keeps, and by no other name", () => {
  const key = Buffer.from("k");
  for (const own of [temporaryKey(JOB, key), markerOf(JOB, key, false).markers, markerOf(JOB, key, true).markers]) {
    expect(jobOf(own)).toBe(JOB);
  }
  for (const other of [
    "",
    "k",
    "elastickv-restore",
    `elastickv-restore:${JOB}`,
    `x:elastickv-restore:${JOB}:markers:1`,
  ]) {
    expect(jobOf(Buffer.from(other)), other).toBeUndefined();
  }
  expect(jobOf(Buffer.from("elastickv-restore:0123456789ABCDEF:markers:1"))).toBeUndefined();
});
