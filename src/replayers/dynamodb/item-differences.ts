/**
 * Where an item of the target differs from the dump's: every attribute, map member and list element by its path. Values
 * count, not how a server writes them. Pure; quotes no values.
 */
import type { Difference, DifferenceKind } from "../../model/difference.js";
import type { JsonObject, JsonValue } from "../../support/json.js";
import { formatPath, type ItemPath } from "./item-path.js";
import { canonicalAttribute, canonicalScalar, canonicalSet } from "./same-item.js";

/** Differences of one item that are told; the others are counted. */
const MOST_TOLD = 100;

export interface ItemDifferences {
  /** The first hundred, where there are more. */
  readonly differences: readonly Difference[];
  readonly count: number;
}

/** `own`: the dump's item. */
export function itemDifferences(own: JsonObject, found: JsonObject): ItemDifferences {
  const collected = new Collected();
  compareMembers({ own, found, what: "attribute" }, collected, undefined);
  return collected;
}

class Collected implements ItemDifferences {
  readonly differences: Difference[] = [];
  count = 0;

  add(kind: DifferenceKind, path: ItemPath, detail: string): void {
    if (this.count++ < MOST_TOLD) this.differences.push({ kind, at: formatPath(path), detail });
  }
}

interface Members {
  readonly own: JsonObject;
  readonly found: JsonObject;
  readonly what: "attribute" | "member";
}

function compareMembers({ own, found, what }: Members, into: Collected, parent: ItemPath | undefined): void {
  const pathOf = (step: string): ItemPath => (parent === undefined ? { step } : { parent, step });
  for (const [name, attribute] of own) {
    const other = found.get(name);
    if (other === undefined) into.add("missing-part", pathOf(name), `the ${what} is missing`);
    else compareAttributes(attribute, other, into, pathOf(name));
  }
  for (const name of found.keys()) {
    if (!own.has(name)) into.add("extra-part", pathOf(name), `the dump has no such ${what}`);
  }
}

function compareAttributes(own: JsonValue, found: JsonValue, into: Collected, path: ItemPath): void {
  const [type, content] = typed(own);
  const [foundType, foundContent] = typed(found);
  if (type !== foundType) {
    into.add("type", path, `it is of type ${foundType}, the dump's of type ${type}`);
    return;
  }
  compareContents({ type, own: content, found: foundContent }, into, path);
}

const TYPES = new Set(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"]);

function typed(attribute: JsonValue): readonly [type: string, content: JsonValue] {
  if (!(attribute instanceof Map) || attribute.size !== 1) return ["unknown", null];
  const [[type, content] = ["", null]] = attribute;
  return TYPES.has(type) ? [type, content] : ["unknown", null];
}

interface Contents {
  readonly type: string;
  readonly own: JsonValue;
  readonly found: JsonValue;
}

function compareContents({ type, own, found }: Contents, into: Collected, path: ItemPath): void {
  if (type === "M" && own instanceof Map && found instanceof Map) {
    compareMembers({ own, found, what: "member" }, into, path);
  } else if (type === "L" && Array.isArray(own) && Array.isArray(found)) {
    compareLists(own, found, into, path);
  } else if ((type === "SS" || type === "NS" || type === "BS") && Array.isArray(own) && Array.isArray(found)) {
    compareSets(canonicalSet(type, own), canonicalSet(type, found), into, path);
  } else if (type === "S" || type === "N" || type === "B") {
    const [ours, theirs] = [canonicalScalar(type, own), canonicalScalar(type, found)];
    if (ours !== theirs) into.add("value", path, scalarDetail(type, ours, theirs));
  } else if (typeof own !== "boolean" || own !== found) {
    into.add("value", path, "another value");
  }
}

function scalarDetail(type: "S" | "N" | "B", own: string, found: string): string {
  if (type === "N") return "another number";
  const encoding = type === "B" ? "base64" : "utf8";
  const [ours, theirs] = [Buffer.from(own, encoding), Buffer.from(found, encoding)];
  const lengths =
    ours.length === theirs.length ? "as long as the dump's" : `of ${theirs.length} bytes, the dump's of ${ours.length}`;
  const same = ours.findIndex((byte, at) => byte !== theirs[at]);
  const from = same < 0 ? ours.length : same;
  return `${type === "B" ? "other bytes" : "another string"}, ${lengths}, different from byte ${from} on`;
}

function compareSets(own: ReadonlySet<string>, found: ReadonlySet<string>, into: Collected, path: ItemPath): void {
  const missing = [...own].filter((member) => !found.has(member)).length;
  const extra = [...found].filter((member) => !own.has(member)).length;
  if (missing > 0) into.add("missing-part", path, `${missing} of the set's ${own.size} members missing`);
  if (extra > 0) into.add("extra-part", path, `${extra} of its ${found.size} members not in the dump's set`);
}

/** An element that was put in or taken out does not make all behind it differ. */
function compareLists(own: readonly JsonValue[], found: readonly JsonValue[], into: Collected, path: ItemPath): void {
  const [ours, theirs] = [own.map(canonicalAttribute), found.map(canonicalAttribute)];
  const [start, end] = sameEnds(ours, theirs);
  const [ownEnd, foundEnd] = [own.length - end, found.length - end];
  if (isReordered(ours.slice(start, ownEnd), theirs.slice(start, foundEnd))) {
    into.add("order", path, `elements ${start} to ${ownEnd - 1} are the dump's in another order`);
    return;
  }
  for (let at = start; at < Math.max(ownEnd, foundEnd); at++) {
    const element: ItemPath = { parent: path, step: at };
    const [mine, other] = [own[at], found[at]];
    if (at >= foundEnd) into.add("missing-part", element, "the element is missing");
    else if (at >= ownEnd) into.add("extra-part", element, "the dump's list has no such element");
    else if (ours[at] !== theirs[at] && mine !== undefined && other !== undefined) {
      compareAttributes(mine, other, into, element);
    }
  }
}

/** How many elements are equal at the beginning, and how many of the others at the end. */
function sameEnds(own: readonly string[], found: readonly string[]): readonly [start: number, end: number] {
  const shorter = Math.min(own.length, found.length);
  let start = 0;
  while (start < shorter && own[start] === found[start]) start++;
  let end = 0;
  while (end < shorter - start && own.at(-1 - end) === found.at(-1 - end)) end++;
  return [start, end];
}

function isReordered(own: readonly string[], found: readonly string[]): boolean {
  if (own.length < 2 || own.length !== found.length) return false;
  const sorted = [...found].sort();
  return [...own].sort().every((element, i) => element === sorted[i]);
}
