/**
 * What a target should hold and what it holds, in one shape: a record has facets, a facet has a value. Two states are
 * equal when they hold the same records with the same facets, whichever way they are compared.
 */
import { createHash } from "node:crypto";

/** A value to be equal to, or a moment that may be off by two seconds. */
export type Facet = string | { readonly atMs: bigint };

export type Facets = Record<string, Facet>;

/** By record: `redis db_0 "greeting"`, `s3 photos`, `dynamodb users {"id":N 1}`. */
export type State = Map<string, Facets>;

export interface Difference {
  readonly record: string;
  /** `record` when the whole of it is missing or too much. */
  readonly facet: string;
  readonly expected: string;
  readonly actual: string;
}

/** A difference that this target cannot help. It must occur: one that does not is a difference itself. */
export interface Exception {
  readonly record: string;
  /** Absent: the record itself is not on the target. */
  readonly facet?: string;
  readonly reason: string;
}

const EXPIRY_TOLERANCE_MS = 2_000n;
const ABSENT = "(absent)";
const PRESENT = "(present)";

/** Every difference, in both directions. Empty: the states are the same. */
export function compareStates(expected: State, actual: State): Difference[] {
  const found: Difference[] = [];
  for (const [record, facets] of expected) {
    const other = actual.get(record);
    if (other === undefined) found.push({ record, facet: "record", expected: PRESENT, actual: ABSENT });
    else found.push(...compareFacets(record, facets, other));
  }
  for (const record of actual.keys()) {
    if (!expected.has(record)) found.push({ record, facet: "record", expected: ABSENT, actual: PRESENT });
  }
  return found;
}

/** Takes away what was foreseen, and adds each exception that did not occur. */
export function withoutExceptions(differences: readonly Difference[], exceptions: readonly Exception[]): Difference[] {
  const needed = new Set<Exception>();
  const left = differences.filter((difference) => {
    const exception = exceptions.find(
      ({ record, facet }) => record === difference.record && (facet ?? "record") === difference.facet,
    );
    if (exception === undefined || (exception.facet === undefined && difference.actual !== ABSENT)) return true;
    needed.add(exception);
    return false;
  });
  for (const exception of exceptions) {
    if (needed.has(exception)) continue;
    const facet = exception.facet ?? "record";
    left.push({ record: exception.record, facet, expected: `differs: ${exception.reason}`, actual: "as in the dump" });
  }
  return left;
}

function compareFacets(record: string, expected: Facets, actual: Facets): Difference[] {
  const found: Difference[] = [];
  for (const facet of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const [wanted, got] = [expected[facet], actual[facet]];
    if (!sameFacet(wanted, got)) found.push({ record, facet, ...excerpts(show(wanted), show(got)) });
  }
  return found;
}

function sameFacet(wanted: Facet | undefined, got: Facet | undefined): boolean {
  if (typeof wanted !== "object" || typeof got !== "object") return wanted === got;
  const apart = wanted.atMs - got.atMs;
  return apart <= EXPIRY_TOLERANCE_MS && apart >= -EXPIRY_TOLERANCE_MS;
}

function show(facet: Facet | undefined): string {
  if (facet === undefined) return ABSENT;
  return typeof facet === "string" ? facet : `at ${facet.atMs}`;
}

/** The two texts round the first character that differs. */
function excerpts(expected: string, actual: string): { expected: string; actual: string } {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const cut = (value: string) =>
    value.length <= 200 ? value : `[${value.length} characters] …${value.slice(Math.max(0, at - 60), at + 60)}…`;
  return { expected: cut(expected), actual: cut(actual) };
}

/** Bytes as text that tells all bytes apart. */
export function showBytes(bytes: Buffer): string {
  const value = bytes.toString("utf8");
  return Buffer.from(value, "utf8").equals(bytes) ? JSON.stringify(value) : `hex ${bytes.toString("hex")}`;
}

/** Long bytes by their digest. */
export function digestBytes(bytes: Buffer): string {
  return `${bytes.length} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A name that tells all records apart and still fits into a message. */
export function shortName(name: string): string {
  if (name.length <= 160) return name;
  return `${name.slice(0, 80)}… sha256 ${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
}
