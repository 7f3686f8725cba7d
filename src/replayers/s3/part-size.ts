/**
 * Part sizes: which one an ETag of several parts was made with, and which one is taken where no ETag asks for one.
 *
 * An ETag `<md5>-<n>` is the MD5 of the n parts' MD5s. The size of the parts is not in it, but all parts except the last
 * are nearly always equal, and the usual tools take whole mebibytes.
 */
import { createHash, type Hash } from "node:crypto";
import type { Content } from "../../model/record.js";

const MIB = 1024 * 1024;
const LEAST_PART_BYTES = 5 * MIB;
export const LARGEST_PART_BYTES = 5 * 1024 * MIB;
const MOST_PARTS = 10_000;
const OWN_PART_BYTES = 64 * MIB;

/** Sizes that clients take by default, the most usual first, in mebibytes. */
const USUAL_MIB = [8, 5, 16, 64, 10, 15, 32, 100, 128, 25, 50, 20, 256, 512, 1024];
/** More would cost more in hashing than an ETag is worth. */
const MOST_CANDIDATES = 32;
/** Digests computed side by side in one reading of the content. */
const AT_ONCE = 8;

/** The number of parts that an ETag names; absent for one that is no MD5 of MD5s. */
export function partsOf(etag: string): number | undefined {
  const count = /^[0-9a-f]{32}-([1-9]\d{0,4})$/i.exec(etag)?.[1];
  return count === undefined ? undefined : Number(count);
}

export function isPlainMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/i.test(etag);
}

/** Equal part sizes that make `parts` parts of `size` bytes and that S3 takes, likeliest first. */
export function partSizeCandidates(size: number, parts: number): number[] {
  if (parts === 1) return size <= LARGEST_PART_BYTES ? [Math.max(size, 1)] : [];
  if (parts > MOST_PARTS) return [];
  const least = Math.max(LEAST_PART_BYTES, Math.ceil(size / parts));
  const largest = Math.min(LARGEST_PART_BYTES, Math.ceil(size / (parts - 1)) - 1);
  const fits = (bytes: number) => bytes >= least && bytes <= largest;
  const found = new Set(USUAL_MIB.map((mib) => mib * MIB).filter(fits));
  if (fits(Math.ceil(size / parts))) found.add(Math.ceil(size / parts));
  for (let mib = Math.ceil(least / MIB); mib * MIB <= largest && found.size < MOST_CANDIDATES; mib++) {
    found.add(mib * MIB);
  }
  return [...found];
}

/** The part size for a content whose ETag asks for none. */
export function ownPartSize(size: number): number {
  return Math.max(OWN_PART_BYTES, Math.ceil(size / MOST_PARTS / MIB) * MIB);
}

/** MD5 of the parts' MD5s, as S3 writes it. */
export function compositeEtag(partMd5s: readonly string[]): string {
  const all = createHash("md5");
  for (const md5 of partMd5s) all.update(md5, "hex");
  return `${all.digest("hex")}-${partMd5s.length}`;
}

/** The candidate under which the content has this ETag. Reads the content once for every eight candidates. */
export async function matchingPartSize(
  content: Content,
  etag: string,
  candidates: readonly number[],
): Promise<number | undefined> {
  for (let at = 0; at < candidates.length; at += AT_ONCE) {
    const digests = candidates.slice(at, at + AT_ONCE).map((bytes) => new PartDigest(bytes));
    for await (const block of content.blocks()) for (const digest of digests) digest.update(block);
    const found = digests.find((digest) => digest.etag() === etag.toLowerCase());
    if (found !== undefined) return found.partBytes;
  }
  return undefined;
}

/** The ETag of the content in equal parts. Reads it. */
export async function etagOfParts(content: Content, partBytes: number): Promise<string> {
  const digest = new PartDigest(partBytes);
  for await (const block of content.blocks()) digest.update(block);
  return digest.etag();
}

/** The ETag of the content in parts of these sizes, which add up to it. Reads it. */
export async function etagOfLayout(content: Content, partSizes: readonly number[]): Promise<string> {
  const md5s: string[] = [];
  let start = 0;
  for (const bytes of partSizes) {
    const md5 = createHash("md5");
    if (bytes > 0) for await (const block of content.blocks({ start, end: start + bytes })) md5.update(block);
    md5s.push(md5.digest("hex"));
    start += bytes;
  }
  return compositeEtag(md5s);
}

/** Whether the content's MD5, in the form that the ETag has, is the ETag. */
export async function hasEtag(content: Content, etag: string): Promise<boolean> {
  const parts = partsOf(etag);
  if (parts !== undefined) {
    return (await matchingPartSize(content, etag, partSizeCandidates(content.size, parts))) !== undefined;
  }
  if (!isPlainMd5(etag)) return false;
  const md5 = createHash("md5");
  for await (const block of content.blocks()) md5.update(block);
  return md5.digest("hex") === etag.toLowerCase();
}

class PartDigest {
  readonly partBytes: number;
  readonly #md5s: string[] = [];
  #current: Hash = createHash("md5");
  #filled = 0;

  constructor(partBytes: number) {
    this.partBytes = partBytes;
  }

  update(block: Buffer): void {
    for (let at = 0; at < block.length; ) {
      const end = Math.min(block.length, at + this.partBytes - this.#filled);
      this.#current.update(block.subarray(at, end));
      this.#filled += end - at;
      at = end;
      if (this.#filled === this.partBytes) this.#close();
    }
  }

  etag(): string {
    if (this.#filled > 0 || this.#md5s.length === 0) this.#close();
    return compositeEtag(this.#md5s);
  }

  #close(): void {
    this.#md5s.push(this.#current.digest("hex"));
    this.#current = createHash("md5");
    this.#filled = 0;
  }
}
