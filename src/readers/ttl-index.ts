/** `strings_ttl.jsonl` and `hll_ttl.jsonl`: expiry times by encoded segment, read once. */
import type { Content } from "../model/record.js";
import { parseJson } from "../support/json.js";
import { structural, structuralError } from "./faults.js";
import { asInteger, asObject, asString, FieldError } from "./json-access.js";
import { type Line, linesByBlock, tooLong } from "./lines.js";
import { indexKey, type ScopeIndexes } from "./scope-indexes.js";

const INT64_MAX = 2n ** 63n - 1n;

export class TtlIndex {
  readonly path: string;
  readonly #indexes: Pick<ScopeIndexes, "times" | "expiring">;
  #size = 0;

  /** Of the file at `path`. `indexes` take what it tells; no other file's under the same path. */
  constructor(path: string, indexes: Pick<ScopeIndexes, "times" | "expiring">) {
    this.path = path;
    this.#indexes = indexes;
  }

  /** Different keys. */
  get size(): number {
    return this.#size;
  }

  /** @throws RestoreError TTL_INVALID for malformed lines and a key with two times; LOCAL_IO, CHANGED_AFTER_CHECK */
  async load(content: Content): Promise<void> {
    for await (const some of linesByBlock(content.blocks())) for (const line of some) this.#take(line);
  }

  #take({ bytes, line }: Line): void {
    const { path } = this;
    if (bytes === undefined) throw structuralError("TTL_INVALID", { path, line }, tooLong());
    const { key, time } = structural("TTL_INVALID", { path, line }, () => parseLine(bytes));
    this.#indexes.expiring.add(key);
    const before = this.#indexes.times.set(indexKey(path, key), time);
    if (before === undefined) this.#size++;
    else if (before !== time) throw structuralError("TTL_INVALID", { path, line }, `"${key}" has two expiry times`);
  }

  /** False: the segment that stands there in a text has no time. */
  mayHold(text: string, start: number, end: number): boolean {
    return this.#size > 0 && this.#indexes.expiring.mayHoldPart(text, start, end);
  }

  /** @throws RestoreError LOCAL_IO */
  get(segment: string): bigint | undefined {
    if (!this.mayHold(segment, 0, segment.length)) return undefined;
    return this.#indexes.times.get(indexKey(this.path, segment));
  }
}

/** A line as dumps hold it, which says the same to a parser of JSON. */
const PLAIN = /^\{"key":"([A-Za-z0-9._%-]*)","expire_at_ms":([1-9][0-9]{0,14})\}$/;

function parseLine(bytes: Buffer): { key: string; time: bigint } {
  const plain = PLAIN.exec(bytes.toString("latin1"));
  if (plain !== null) return { key: plain[1] ?? "", time: BigInt(plain[2] ?? "") };
  const object = asObject(parseJson(bytes), "the line");
  const time = asInteger(object.get("expire_at_ms"), '"expire_at_ms"');
  if (time > INT64_MAX || time < -INT64_MAX) throw new FieldError('"expire_at_ms" is out of range');
  return { key: asString(object.get("key"), '"key"'), time };
}
