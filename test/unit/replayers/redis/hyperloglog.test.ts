import { describe, expect, it } from "vitest";

import {
  isCountable,
  looksLikeSketch,
  REGISTERS,
  raiseOf,
  registersOf,
} from "../../../../src/replayers/redis/hyperloglog.js";

/** A head with a count that is out of date, and a body. */
function sketch(encoding: number, body: readonly number[], cache = 0x80): Buffer {
  return Buffer.from([...Buffer.from("HYLL"), encoding, ...Array.from({ length: 10 }, () => 0), cache, ...body]);
}

const ALL_ZERO = [0x7f, 0xff];

describe("the registers of a sketch", () => {
  it("are all zero in one of no members", () => {
    expect(registersOf(sketch(1, ALL_ZERO))).toEqual(new Uint8Array(REGISTERS));
  });

  it("stand in runs, short and long ones of zeros between", () => {
    // Two zeros, three registers of 5, 300 zeros, one register of 32, zeros to the end.
    const left = REGISTERS - 306;
    const body = [
      0x01,
      0x80 | (4 << 2) | 2,
      0x40 | (299 >> 8),
      299 & 0xff,
      0x80 | (31 << 2),
      0x40 | ((left - 1) >> 8),
      (left - 1) & 0xff,
    ];
    const registers = registersOf(sketch(1, body));
    expect([...(registers ?? [])].flatMap((value, i) => (value === 0 ? [] : [[i, value]]))).toEqual([
      [2, 5],
      [3, 5],
      [4, 5],
      [305, 32],
    ]);
  });

  it("take six bits each where all are written, the lowest first", () => {
    const body = Array.from({ length: 12_288 }, () => 0);
    [body[0], body[1], body[2], body[12_287]] = [0b01_000001, 0b0011_0000, 0b000100_00, 0b101010_00];
    const registers = registersOf(sketch(0, body));
    expect([...(registers?.subarray(0, 4) ?? []), registers?.at(-1)]).toEqual([1, 1, 3, 4, 42]);
  });

  it.each([
    ["ends early", sketch(1, [0x7f, 0xfe])],
    ["goes on too long", sketch(1, [0x7f, 0xff, 0x00])],
    ["is cut in a run", sketch(1, [0x7f])],
    ["has another encoding", sketch(2, ALL_ZERO)],
    ["is dense and not all there", sketch(0, [0])],
    ["has another name", Buffer.from("HYLX1234567890123456")],
    ["is shorter than a head", Buffer.from("HYLL")],
  ])("are not told of what %s", (_, bytes) => {
    expect(registersOf(bytes)).toBeUndefined();
  });
});

describe("a sketch", () => {
  it("can be counted when its count is cached, whatever its registers", () => {
    expect(isCountable(sketch(1, [0x7f], 0))).toBe(true);
    expect(isCountable(sketch(1, [0x7f]))).toBe(false);
    expect(isCountable(sketch(1, ALL_ZERO))).toBe(true);
    expect(isCountable(Buffer.from("some text that is none"))).toBe(false);
  });

  it("is told by its head and its size", () => {
    const head = sketch(0, []);
    expect(looksLikeSketch(head, 16 + 12_288)).toBe(true);
    expect(looksLikeSketch(head, 16 + 12_287)).toBe(false);
    expect(looksLikeSketch(head)).toBe(false);
  });
});

describe("a member", () => {
  // As Redis 7.0 raises them: PFADD of one member, and the one register that is not zero.
  it.each([
    ["", 5938, 2],
    ["a", 12711, 2],
    ["abcdefgh", 1383, 1],
    ["some longer member of more than eight bytes", 12656, 1],
    ["\u00fc", 14249, 1],
  ])("%j raises one register", (member, register, value) => {
    expect(raiseOf(Buffer.from(member))).toEqual({ register, value });
  });
});
