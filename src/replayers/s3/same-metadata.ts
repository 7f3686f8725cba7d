/** Whether an object on the target has a record's metadata, and where it has not. Header values are compared as text. */
import type { Difference } from "../../model/difference.js";
import { escapeForDisplay } from "../../model/display.js";
import type { ObjectMetadata } from "../../model/record.js";
import type { AnswerHeaders } from "./client.js";
import { sameText, standardHeaders, USER_PREFIX } from "./metadata.js";

/** Headers that an object keeps; a dump has no word for the last two, so that a restored object has none of them. */
const STORED_HEADERS = [
  "content-type",
  "content-encoding",
  "cache-control",
  "content-disposition",
  "content-language",
  "expires",
];

/** What a target says of an object that was stored without a content type. */
const DEFAULT_TYPES = new Set(["binary/octet-stream", "application/octet-stream"]);

/** Says how many metadata it has that no header can carry (API reference, HeadObject). */
const UNTOLD = "x-amz-missing-meta";

/** Whether an object whose HEAD gave these headers has this metadata and no other. */
export function sameMetadata(metadata: ObjectMetadata, answered: AnswerHeaders): boolean {
  return metadataDifferences(metadata, answered).length === 0;
}

/** Where the metadata of an object whose HEAD gave these headers is not this metadata. */
export function metadataDifferences(metadata: ObjectMetadata, answered: AnswerHeaders): Difference[] {
  return [...headerDifferences(metadata, answered), ...userDifferences(metadata.user, answered)];
}

/** Of how many metadata the target gives no values. */
export function untoldMetadata(answered: AnswerHeaders): number {
  return Number(answered[UNTOLD] ?? 0);
}

function headerDifferences(metadata: ObjectMetadata, answered: AnswerHeaders): Difference[] {
  const wanted = new Map(standardHeaders(metadata));
  return STORED_HEADERS.flatMap((name): Difference[] => {
    const [value, held] = [wanted.get(name), answered[name]];
    if (value === held) return [];
    const at = `header ${name}`;
    if (held === undefined) return [{ kind: "missing-part", at, detail: `it has no ${name}` }];
    if (value !== undefined) return [{ kind: "metadata", at, detail: `its ${name} is another one` }];
    if (name === "content-type" && DEFAULT_TYPES.has(held)) return [];
    return [{ kind: "extra-part", at, detail: `it has a ${name}, the dump's has none` }];
  });
}

function userDifferences(user: ObjectMetadata["user"], answered: AnswerHeaders): Difference[] {
  const wanted = new Set<string>();
  const differing = user.flatMap(([name, value]): Difference[] => {
    const header = USER_PREFIX + name.toLowerCase();
    // Of names that differ only by case an object has one.
    const held = wanted.has(header) ? undefined : answered[header];
    wanted.add(header);
    const at = atMetadata(name);
    if (held === undefined) return [{ kind: "missing-part", at, detail: "it has no metadata of this name" }];
    if (sameText(value, held)) return [];
    return [{ kind: "metadata", at, detail: "its metadata of this name has another value" }];
  });
  const extra = Object.keys(answered).filter((name) => name.startsWith(USER_PREFIX) && !wanted.has(name));
  return [
    ...differing,
    ...extra.map((name): Difference => {
      const at = atMetadata(name.slice(USER_PREFIX.length));
      return { kind: "extra-part", at, detail: "it has metadata of a name that the dump's has not" };
    }),
  ];
}

function atMetadata(name: string): string {
  return `metadata ${escapeForDisplay(name)}`;
}
