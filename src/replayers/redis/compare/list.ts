/**
 * Compares a list, place by place. One that is longer or shorter is compared a second time with what stands behind the
 * first difference moved by that much, so that an element too many is not taken for a change of all behind it.
 */
import { hash } from "node:crypto";

import type { CollectionRecord } from "../../../model/record.js";
import { LISTED } from "./findings.js";
import type { Matter } from "./matter.js";

export async function compareList(matter: Matter, record: CollectionRecord): Promise<void> {
  const { reader, findings, isAppended } = matter;
  const held = Number(await reader.link.command("LLEN", [record.key]));
  const more = held - record.count;
  if (findings.oneIsEnough && more !== 0) {
    findings.add("count", `the target holds ${held} elements, the dump ${record.count}`);
    return;
  }
  // What was appended stands behind what was there.
  const offset = isAppended && more > 0 ? more : 0;
  const changes = await changesOf(matter, record, { offset });
  if (offset > 0 || more === 0) reportChanges(matter, changes);
  else await reportLengths(matter, record, { changes, held });
}

interface Places {
  /** How much further behind an element stands on the target. */
  readonly offset: number;
  /** The first element of the dump that is compared. */
  readonly from?: number;
}

interface Changes {
  readonly compared: number;
  readonly count: number;
  /** The first places. */
  readonly places: readonly number[];
  /** The elements are the same, in another order. */
  readonly isReordered: boolean;
}

/** As far as both of them go. */
async function changesOf(matter: Matter, record: CollectionRecord, { offset, from = 0 }: Places): Promise<Changes> {
  const places: number[] = [];
  const [dumped, found] = [new Bag(), new Bag()];
  let [at, compared, count] = [0, 0, 0];
  for await (const chunk of record.elements()) {
    const start = at;
    at += chunk.length;
    if (at <= from) continue;
    const items = chunk.map(([item]) => item ?? Buffer.alloc(0)).slice(Math.max(0, from - start));
    const first = Math.max(start, from);
    const held = await itemsAt(matter, record.key, { first: first + offset, count: items.length });
    for (const [i, item] of items.slice(0, held.length).entries()) {
      compared++;
      if (held[i]?.equals(item) === true) continue;
      count++;
      dumped.add(item);
      found.add(held[i] ?? Buffer.alloc(0));
      if (places.length < LISTED) places.push(first + i);
    }
    if (held.length < items.length || (matter.findings.oneIsEnough && count > 0)) break;
  }
  return { compared, count, places, isReordered: dumped.equals(found) };
}

async function itemsAt(
  { reader }: Matter,
  key: Buffer,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<readonly Buffer[]> {
  const reply = await reader.link.command("LRANGE", [key, String(first), String(first + count - 1)]);
  return (Array.isArray(reply) ? reply : []).filter((item): item is Buffer => Buffer.isBuffer(item));
}

function reportChanges({ findings }: Matter, { count, places, compared, isReordered }: Changes): void {
  const [first] = places;
  if (first === undefined) return;
  if (isReordered && count > 1) {
    findings.add(
      "order",
      `${count} of its ${compared} elements stand at each other's places from here on`,
      indexOf(first),
    );
    return;
  }
  for (const place of places) findings.add("value", "the target holds another element", indexOf(place));
  findings.addUnlisted(count - places.length);
}

interface Lengths {
  readonly changes: Changes;
  readonly held: number;
}

async function reportLengths(matter: Matter, record: CollectionRecord, { changes, held }: Lengths): Promise<void> {
  const more = held - record.count;
  const { places, compared } = changes;
  const first = places[0] ?? compared;
  const isMoved = places.length === 0 || (await isOnlyMoved(matter, record, { first, more }));
  if (!isMoved) reportChanges(matter, { ...changes, isReordered: false });
  reportPart(matter, more, isMoved ? first : Math.min(held, record.count));
}

/** Whether what stands behind the first difference is the same but for its place. */
async function isOnlyMoved(
  matter: Matter,
  record: CollectionRecord,
  { first, more }: { readonly first: number; readonly more: number },
): Promise<boolean> {
  const from = first + Math.max(0, -more);
  const { count, compared } = await changesOf(matter, record, { offset: more, from });
  return count === 0 && compared === record.count - from;
}

function reportPart({ findings }: Matter, more: number, first: number): void {
  const count = Math.abs(more);
  for (let i = 0; i < Math.min(count, LISTED); i++) {
    if (more > 0) findings.add("extra-part", "the dump lacks it", indexOf(first + i));
    else findings.add("missing-part", "the target lacks it", indexOf(first + i));
  }
  findings.addUnlisted(Math.max(0, count - LISTED));
}

function indexOf(place: number): string {
  return `index ${place}`;
}

/** Elements without their order, in constant memory: the sum of their digests' first 128 bits, by halves. */
class Bag {
  #low = 0n;
  #high = 0n;

  add(element: Buffer): void {
    const digest = hash("sha256", element, "buffer");
    this.#low = BigInt.asUintN(64, this.#low + digest.readBigUInt64LE(0));
    this.#high = BigInt.asUintN(64, this.#high + digest.readBigUInt64LE(8));
  }

  equals(other: Bag): boolean {
    return this.#low === other.#low && this.#high === other.#high;
  }
}
