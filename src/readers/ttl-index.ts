/** `strings_ttl.jsonl` and `hll_ttl.jsonl`: expiry times by encoded segment, about 40 bytes a line in memory. */
import type { Content } from "../model/record.js";
import { FingerprintMap } from "../support/fingerprints.js";
import { parseJson } from "../support/json.js";
import { structural, structuralError } from "./faults.js";
import { asInteger, asObject, asString, FieldError } from "./json-access.js";
import { lines } from "./lines.js";

const INT64_MAX = 2n ** 63n - 1n;

export class TtlIndex {
  readonly #slots = new FingerprintMap();
  #times = new BigInt64Array(1024);

  get size(): number {
    return this.#slots.size;
  }

  /** @throws RestoreError TTL_INVALID for malformed lines and a key with two times */
  async load(path: string, content: Content): Promise<void> {
    for await (const { bytes, line } of lines(content.blocks())) {
      if (bytes === undefined) throw structuralError("TTL_INVALID", { path, line }, "the line is too long");
      const { key, time } = structural("TTL_INVALID", { path, line }, () => parseLine(bytes));
      const slot = this.#slots.get(key);
      if (slot === undefined) this.#add(key, time);
      else if (this.#times[slot] !== time) {
        throw structuralError("TTL_INVALID", { path, line }, `"${key}" has two expiry times`);
      }
    }
  }

  get(segment: string): bigint | undefined {
    const slot = this.#slots.get(segment);
    return slot === undefined ? undefined : this.#times[slot];
  }

  #add(key: string, time: bigint): void {
    const slot = this.#slots.size;
    if (slot === this.#times.length) {
      const grown = new BigInt64Array(slot * 2);
      grown.set(this.#times);
      this.#times = grown;
    }
    this.#times[slot] = time;
    this.#slots.set(key, slot);
  }
}

function parseLine(bytes: Buffer): { key: string; time: bigint } {
  const object = asObject(parseJson(bytes), "the line");
  const time = asInteger(object.get("expire_at_ms"), '"expire_at_ms"');
  if (time > INT64_MAX || time < -INT64_MAX) throw new FieldError('"expire_at_ms" is out of range');
  return { key: asString(object.get("key"), '"key"'), time };
}
