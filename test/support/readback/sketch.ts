/** The registers of a Redis HyperLogLog: what makes two sketches the same set, however they are stored. */
import { createHash } from "node:crypto";

const REGISTERS = 16_384;
const HEADER_BYTES = 16;

/** A digest of the registers, with how many are set. @throws Error when it is no sketch */
export function registersOf(sketch: Buffer): string {
  if (sketch.subarray(0, 4).toString("latin1") !== "HYLL") throw new Error("not a HyperLogLog of Redis");
  const body = sketch.subarray(HEADER_BYTES);
  const registers = sketch[4] === 0 ? denseRegisters(body) : sparseRegisters(body);
  const digest = createHash("sha256").update(registers).digest("hex");
  return `${registers.filter((value) => value > 0).length} registers set, sha256 ${digest}`;
}

/** Six bits a register, from the lowest bit of the first byte. */
function denseRegisters(body: Buffer): Uint8Array {
  return Uint8Array.from({ length: REGISTERS }, (_, register) => {
    const bit = register * 6;
    const pair = (body[bit >> 3] ?? 0) | ((body[(bit >> 3) + 1] ?? 0) << 8);
    return (pair >> (bit & 7)) & 0x3f;
  });
}

/** Runs: `00xxxxxx` zeros, `01xxxxxx yyyyyyyy` many zeros, `1vvvvvxx` a value some times. */
function sparseRegisters(body: Buffer): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  let register = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body[at] ?? 0;
    if (code >= 0x80) {
      const run = (code & 0x03) + 1;
      registers.fill(((code >> 2) & 0x1f) + 1, register, register + run);
      register += run;
    } else if (code >= 0x40) {
      at++;
      register += (((code & 0x3f) << 8) | (body[at] ?? 0)) + 1;
    } else register += code + 1;
  }
  if (register !== REGISTERS) throw new Error(`a sparse sketch covers ${register} registers`);
  return registers;
}
