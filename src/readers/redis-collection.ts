/**
 * Hashes, lists, sets and sorted sets. The file is read once to validate it whole and again for every `elements()`:
 * memory never holds more than a chunk, and fingerprints of the names.
 */
import type { CollectionRecord, CollectionType, Content } from "../model/record.js";
import { canonicalNumber } from "../support/decimal.js";
import { JsonNumber, type JsonObject, type JsonValue } from "../support/json.js";
import { present } from "../support/present.js";
import { SpillingSet } from "../support/spilling-set.js";
import { chunked, totalBytes } from "./chunks.js";
import { RecordFault } from "./faults.js";
import { asBytes, asObject, assertFormatVersion, expireAtMs, FieldError } from "./json-access.js";
import { type StreamedElement, streamElements } from "./json-stream.js";

type CollectionContent = Pick<CollectionRecord, "kind" | "type" | "count" | "bytes" | "expireAtMs" | "elements">;

interface Shape {
  readonly container: string;
  /** The arguments of the element's command. @throws FieldError, RecordFault */
  read(element: StreamedElement): readonly Buffer[];
  /** Which argument no two elements may share. */
  readonly identity?: number;
}

const SHAPES: Record<CollectionType, Shape> = {
  hash: { container: "fields", read: readField, identity: 0 },
  list: { container: "items", read: readPlain },
  set: { container: "members", read: readPlain, identity: 0 },
  zset: { container: "members", read: readScored, identity: 1 },
};

/** @throws RecordFault, FieldError, JsonSyntaxError, LimitError; RestoreError CHANGED_AFTER_CHECK */
export async function readCollection(
  type: CollectionType,
  content: Content,
  workDirectory: string,
): Promise<CollectionContent> {
  const shape = SHAPES[type];
  const stream = streamElements(content.blocks(), shape.container);
  try {
    const { count, bytes, rest } = await validate(shape, stream, workDirectory);
    assertFormatVersion(rest);
    const elements = () => chunked(readElements(shape, content), totalBytes);
    return present({ kind: "collection" as const, type, count, bytes, expireAtMs: expireAtMs(rest), elements });
  } finally {
    await stream.return(new Map());
  }
}

async function validate(
  shape: Shape,
  stream: AsyncGenerator<readonly StreamedElement[], JsonObject>,
  workDirectory: string,
) {
  const seen = new SpillingSet(workDirectory);
  let count = 0;
  let bytes = 0;
  try {
    for (;;) {
      const next = await stream.next();
      if (next.done === true) return { count, bytes, rest: next.value };
      for (const raw of next.value) {
        const element = shape.read(raw);
        if (shape.identity !== undefined && !seen.add(element[shape.identity] ?? "")) {
          throw new RecordFault("duplicate-element", `element ${count + 1} stands there a second time`);
        }
        count++;
        bytes += totalBytes(element);
      }
    }
  } finally {
    seen.close();
  }
}

async function* readElements(shape: Shape, content: Content): AsyncGenerator<readonly (readonly Buffer[])[]> {
  for await (const batch of streamElements(content.blocks(), shape.container)) yield batch.map(shape.read);
}

function readField({ name, value }: StreamedElement): readonly Buffer[] {
  if (name !== undefined) return [Buffer.from(name), asBytes(value, "a field's value")];
  const field = asObject(value, "a field");
  return [asBytes(field.get("name"), "a field's name"), asBytes(field.get("value"), "a field's value")];
}

function readPlain({ name, value }: StreamedElement): readonly Buffer[] {
  if (name !== undefined) throw new FieldError("the collection is not an array");
  return [asBytes(value, "an element")];
}

function readScored({ name, value }: StreamedElement): readonly Buffer[] {
  if (name !== undefined) throw new FieldError("the collection is not an array");
  const member = asObject(value, "a member");
  return [Buffer.from(readScore(member.get("score"))), asBytes(member.get("member"), "a member")];
}

const INFINITIES: Readonly<Record<string, string>> = { "+inf": "+inf", "-inf": "-inf", inf: "+inf" };

/** As text for ZADD: a number's own digits, so that none is lost. */
function readScore(value: JsonValue | undefined): string {
  const infinity = typeof value === "string" ? INFINITIES[value] : undefined;
  if (infinity !== undefined) return infinity;
  if (!(value instanceof JsonNumber)) throw new FieldError('a score is neither a number nor "+inf" or "-inf"');
  if (!isDouble(value.text)) throw new RecordFault("score-out-of-range", "a score is beyond what a double holds");
  return value.text;
}

/** More digits cannot be asked of a number; a double's own, written out in full, can be more. */
const MOST_DIGITS = 100;

/**
 * True when the double that a target makes of the number is, to as many digits as stand there, that number. So the
 * shortest text of a double passes, and its 17 digits, and 9007199254740993, which would be stored as …992, does not.
 */
function isDouble(text: string): boolean {
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  const canonical = canonicalNumber(text);
  const digits = /^-?(\d+)e/.exec(canonical)?.[1]?.length ?? 1;
  if (digits > MOST_DIGITS) return false;
  // A double half-way between two numbers of so many digits is told as the one or as the other.
  return [number.toPrecision(digits), String(number)].some((told) => canonicalNumber(told) === canonical);
}
