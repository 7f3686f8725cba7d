/**
 * Compares a key on the target with a record, reading both in chunks. Values are compared, expiry times are not.
 * Changes nothing. Not atomic: a key that changes while it is read may be called different.
 */
import type { CollectionRecord, RedisRecord, StreamEntry, StreamRecord, StringRecord } from "../../model/record.js";
import type { Command, Reply } from "./connection.js";
import type { Link } from "./link.js";
import type { Abilities } from "./probe.js";

/** `unknown`: the target cannot be asked (HyperLogLogs hold no members; some targets give no part of a long value). */
type Comparison = "absent" | "equal" | "differs" | "unknown";

interface Reader {
  readonly link: Link;
  readonly abilities: Pick<Abilities, "listable">;
}

const PART_BYTES = 1024 * 1024;
/** Values up to this size are read whole where parts cannot be asked for. */
const WHOLE_BYTES = 8 * 1024 * 1024;

/** @throws RestoreError as `Link.request`, and CHANGED_AFTER_CHECK */
export async function compareWithTarget(reader: Reader, record: RedisRecord): Promise<Comparison> {
  const type = await typeOf(reader.link, record.key);
  if (type === "none") return "absent";
  switch (record.kind) {
    case "hll":
      return "unknown";
    case "string":
      return type === "string" ? await compareString(reader, record) : "differs";
    case "collection":
      return type === record.type && (await sameCollection(reader.link, record)) ? "equal" : "differs";
    case "stream":
      return type === "stream" && (await sameStream(reader.link, record)) ? "equal" : "differs";
  }
}

/** What TYPE says: `none` when there is no key. */
export async function typeOf(link: Link, key: Buffer): Promise<string> {
  return String(await link.command("TYPE", [key]));
}

async function compareString({ link, abilities }: Reader, { key, value }: StringRecord): Promise<Comparison> {
  if (!abilities.listable) {
    if (value.size > WHOLE_BYTES) return "unknown";
    return same(await link.command("GET", [key]), await value.buffer()) ? "equal" : "differs";
  }
  if ((await link.command("STRLEN", [key])) !== value.size) return "differs";
  let at = 0;
  for await (const block of value.blocks()) {
    for (let from = 0; from < block.length; from += PART_BYTES) {
      const part = block.subarray(from, from + PART_BYTES);
      const range = [String(at), String(at + part.length - 1)];
      if (!same(await link.command("GETRANGE", [key, ...range]), part)) return "differs";
      at += part.length;
    }
  }
  return "equal";
}

const COUNT = { hash: "HLEN", list: "LLEN", set: "SCARD", zset: "ZCARD" } as const;

async function sameCollection(link: Link, record: CollectionRecord): Promise<boolean> {
  if ((await link.command(COUNT[record.type], [record.key])) !== record.count) return false;
  let at = 0;
  for await (const chunk of record.elements()) {
    const replies = await link.request({ build: () => questions(record, chunk, at) });
    const held = record.type === "set" || record.type === "zset" ? replies : replies[0];
    if (!Array.isArray(held) || held.length !== chunk.length) return false;
    if (!chunk.every((element, i) => sameElement(record.type, element, held[i]))) return false;
    at += chunk.length;
  }
  return true;
}

function questions(
  { key, type }: CollectionRecord,
  chunk: readonly (readonly Buffer[])[],
  at: number,
): readonly Command[] {
  const first = (element: readonly Buffer[]): Buffer => element[0] ?? Buffer.alloc(0);
  switch (type) {
    case "hash":
      return [{ name: "HMGET", args: [key, ...chunk.map(first)] }];
    case "list":
      return [{ name: "LRANGE", args: [key, String(at), String(at + chunk.length - 1)] }];
    case "set":
      return chunk.map((element) => ({ name: "SISMEMBER", args: [key, first(element)] }));
    case "zset":
      return chunk.map(([, member]) => ({ name: "ZSCORE", args: [key, member ?? Buffer.alloc(0)] }));
  }
}

function sameElement(type: CollectionRecord["type"], [a, b]: readonly Buffer[], held: unknown): boolean {
  switch (type) {
    case "hash":
      return same(held, b);
    case "list":
      return same(held, a);
    case "set":
      return held === 1;
    case "zset":
      return Buffer.isBuffer(held) && scoreOf(held) === scoreOf(a);
  }
}

/** Infinities are written `inf`, `+inf` and `+Inf`, depending on who writes. */
function scoreOf(text: Buffer | undefined): number {
  const score = String(text).toLowerCase();
  if (/^[+]?inf/.test(score)) return Number.POSITIVE_INFINITY;
  return /^-inf/.test(score) ? Number.NEGATIVE_INFINITY : Number(score);
}

/** Whether the target's stream has exactly the record's entries. Its last id is not compared. */
async function sameStream(link: Link, record: StreamRecord): Promise<boolean> {
  if ((await link.command("XLEN", [record.key])) !== record.count) return false;
  for await (const chunk of record.entries()) {
    const [first, last] = [chunk[0]?.id, chunk.at(-1)?.id];
    if (first === undefined || last === undefined) continue;
    const range = [record.key, first, last, "COUNT", String(chunk.length + 1)];
    const held = await link.command("XRANGE", range);
    if (!Array.isArray(held) || held.length !== chunk.length) return false;
    if (!chunk.every((entry, i) => isEntry(held[i], entry))) return false;
  }
  return true;
}

/** Whether an XRANGE reply's entry is this one: same id, same fields in the same order. */
export function isEntry(reply: Reply | undefined, { id, fields }: StreamEntry): boolean {
  if (!Array.isArray(reply) || String(reply[0]) !== id) return false;
  const held: unknown = reply[1];
  return Array.isArray(held) && held.length === fields.length && fields.every((field, i) => same(held[i], field));
}

function same(reply: unknown, bytes: Buffer | undefined): boolean {
  return Buffer.isBuffer(reply) && bytes !== undefined && reply.equals(bytes);
}
