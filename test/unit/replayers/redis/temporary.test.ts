import { describe, expect, it } from "vitest";

import { markerKeys, markerOf, temporaryKey } from "../../../../src/replayers/redis/temporary.js";

const JOB = "0123456789abcdef";
const temporary = (key: string, job = JOB) => temporaryKey(job, Buffer.from(key)).toString();

describe("a temporary key", () => {
  it("is the same for the same job and key, and no other's", () => {
    expect(temporary("a")).toBe(temporary("a"));
    expect(temporary("a")).not.toBe(temporary("b"));
    expect(temporary("a")).not.toBe(temporary("a", "fedcba9876543210"));
    expect(temporary("{t}a")).not.toBe(temporary("{t}b"));
  });

  it("shares its key's hash slot by a hash tag", () => {
    expect(temporary("user:1")).toMatch(/:\{user:1\}$/);
    expect(temporary("a{tag}b{other}")).toMatch(/:\{tag\}$/);
    expect(temporary("a{}b")).toMatch(/:\{a\{\}b\}$/);
    expect(temporary("a{b")).toMatch(/:\{a\{b\}$/);
  });
});

it("a marker stands in one of the keys that the end deletes", () => {
  const all = markerKeys(JOB).map(String);
  for (let i = 0; i < 200; i++) {
    const { markers, field } = markerOf(JOB, Buffer.from(`key ${i}`));
    expect(all).toContain(markers.toString());
    expect(field).toMatch(/^[0-9a-f]{32}$/);
  }
});
