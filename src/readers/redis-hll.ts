/**
 * HyperLogLogs: elastickv's exact member set (`00 52 53 01`, then protobuf `message { repeated string members = 1; }`),
 * or a sketch of Redis itself, which starts with `HYLL`.
 */
import type { Content, HyperLogLogRecord } from "../model/record.js";
import { chunked } from "./chunks.js";
import { RecordFault } from "./faults.js";
import { LimitError } from "./json-stream.js";

const MEMBERS_MAGIC = Buffer.from([0x00, 0x52, 0x53, 0x01]);
const SKETCH_MAGIC = Buffer.from("HYLL");
const MAX_MEMBER_BYTES = 64 * 1024 * 1024;

/** @throws RecordFault, LimitError; RestoreError CHANGED_AFTER_CHECK */
export async function readHyperLogLog(content: Content): Promise<Pick<HyperLogLogRecord, "content" | "bytes">> {
  const magic = await firstBytes(content);
  if (magic.equals(SKETCH_MAGIC)) return { content: { form: "sketch", value: content }, bytes: content.size };
  if (!magic.equals(MEMBERS_MAGIC)) {
    throw new RecordFault("unknown-hll", "it is neither a member set nor a sketch");
  }
  let count = 0;
  let bytes = 0;
  for await (const member of membersOf(content)) {
    count++;
    bytes += member.length;
  }
  const members = () => chunked(batchesOf(content), (member) => member.length);
  return { content: { form: "members", count, members }, bytes };
}

async function firstBytes(content: Content): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const block of content.blocks({ start: 0, end: Math.min(MEMBERS_MAGIC.length, content.size) }))
    parts.push(block);
  return Buffer.concat(parts);
}

async function* batchesOf(content: Content): AsyncGenerator<Buffer[]> {
  for await (const member of membersOf(content)) yield [member];
}

async function* membersOf(content: Content): AsyncGenerator<Buffer> {
  const source = new ByteSource(content.blocks());
  try {
    await source.exactly(MEMBERS_MAGIC.length);
    yield* readMembers(source);
  } finally {
    await source.close();
  }
}

async function* readMembers(source: ByteSource): AsyncGenerator<Buffer> {
  while (!(await source.isAtEnd())) {
    const tag = await source.varint();
    const [field, wireType] = [tag >> 3n, Number(tag & 7n)];
    if (field === 0n) throw malformed("it has a field 0");
    if (field === 1n && wireType !== 2) throw malformed("its members are not strings");
    if (wireType === 2) {
      const value = await source.exactly(memberBytes(await source.varint()));
      if (field === 1n) yield value;
    } else if (wireType === 0) await source.varint();
    else if (wireType === 1 || wireType === 5) await source.exactly(wireType === 1 ? 8 : 4);
    else throw malformed(`it has a field of wire type ${wireType}`);
  }
}

function memberBytes(length: bigint): number {
  if (length > BigInt(MAX_MEMBER_BYTES)) throw new LimitError(`a member is longer than ${MAX_MEMBER_BYTES} bytes`);
  return Number(length);
}

function malformed(what: string): RecordFault {
  return new RecordFault("malformed-hll", what);
}

/** Takes runs of bytes out of blocks. */
class ByteSource {
  readonly #blocks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(blocks: AsyncIterable<Buffer>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** Gives up the source, which may hold a file open. */
  async close(): Promise<void> {
    await this.#blocks.return?.();
  }

  async isAtEnd(): Promise<boolean> {
    return (await this.#fill(1)) === 0;
  }

  async exactly(length: number): Promise<Buffer> {
    if ((await this.#fill(length)) < length) throw malformed("it ends within a value");
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async varint(): Promise<bigint> {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte = 0] = await this.exactly(1);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed("a number is longer than ten bytes");
  }

  /** Bytes at hand, at least `length` unless the end is near. */
  async #fill(length: number): Promise<number> {
    if (this.#buffer.length >= length) return this.#buffer.length;
    const parts = [this.#buffer];
    let available = this.#buffer.length;
    while (available < length) {
      const next = await this.#blocks.next();
      if (next.done === true) break;
      parts.push(next.value);
      available += next.value.length;
    }
    this.#buffer = Buffer.concat(parts);
    return available;
  }
}
