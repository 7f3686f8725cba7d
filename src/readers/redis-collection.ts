/**
 * Hashes, lists, sets and sorted sets. The file is read once to validate it whole and again for every `elements()`, or
 * validated while it is handed out: memory never holds more than a chunk, and fingerprints of the names.
 */
import { RestoreError } from "../errors/restore-error.js";
import type {
  CollectionRecord,
  CollectionType,
  Content,
  FaultyRecord,
  Packed,
  UnjudgedCollection,
} from "../model/record.js";
import { canonicalNumber } from "../support/decimal.js";
import { JsonNumber, type JsonObject, type JsonValue } from "../support/json.js";
import { present } from "../support/present.js";
import { SpillingSet } from "../support/spilling-set.js";
import { chunked, totalBytes } from "./chunks.js";
import { faultyRecord, RecordFault, type RecordFrame } from "./faults.js";
import { asBytes, asObject, assertFormatVersion, expireAtMs, FieldError } from "./json-access.js";
import { type ElementTaker, elementsInMemory, type StreamedElement, streamBatches } from "./json-stream.js";
import { PackedElements, unpacked } from "./packed-elements.js";
import { areDifferent, NameFilter } from "./range-names.js";

type CollectionContent = Pick<
  CollectionRecord,
  "kind" | "type" | "count" | "bytes" | "expireAtMs" | "elements" | "packed" | "packedChunks"
>;

type CollectionInMemory = Pick<CollectionRecord, "count" | "bytes" | "elements"> & {
  readonly packed: Packed;
  readonly expireAtMs: bigint | undefined;
};

interface Shape {
  readonly container: string;
  /** The arguments of the element's command. @throws FieldError, RecordFault */
  read(element: StreamedElement): readonly Buffer[];
  /** How many those are. */
  readonly width: number;
  /** Which argument no two elements may share. */
  readonly identity?: number;
}

const SHAPES: Record<CollectionType, Shape> = {
  hash: { container: "fields", read: readField, width: 2, identity: 0 },
  list: { container: "items", read: readPlain, width: 1 },
  set: { container: "members", read: readPlain, width: 1, identity: 0 },
  zset: { container: "members", read: readScored, width: 2, identity: 1 },
};

/** In a batch of a large collection: one command, at which other clients of the server have to wait. */
const MAX_BATCH_ARGUMENTS = 8192;
/** Files up to this are read whole. */
const SMALL_BYTES = 1024 * 1024;
const MAX_CHUNK_ELEMENTS = 1_000;
/** Of a file, what an element takes: two quotes and a comma. */
const LEAST_ELEMENT_BYTES = 3;

/** @throws RecordFault, FieldError, JsonSyntaxError, LimitError; RestoreError CHANGED_AFTER_CHECK */
export async function readCollection(
  type: CollectionType,
  content: Content,
  workDirectory: string,
): Promise<CollectionContent> {
  const small = content.bytes ?? (content.size <= SMALL_BYTES ? await content.buffer() : undefined);
  const inMemory = small === undefined ? undefined : collectionInMemory(type, small);
  return inMemory === undefined
    ? await streamedCollection(type, content, workDirectory)
    : present({ kind: "collection" as const, type, ...inMemory });
}

/**
 * A collection whose file is in memory whole, without a wait. Undefined when it is not plain, or at fault: what is the
 * matter is told by `readCollection`.
 */
export function collectionInMemory(type: CollectionType, text: Buffer): CollectionInMemory | undefined {
  const shape = SHAPES[type];
  const taker = TAKERS[type];
  if (text.length > SMALL_BYTES) return undefined;
  const rest = elementsInMemory(text, shape.container, taker);
  if (rest === undefined || taker.count > MAX_CHUNK_ELEMENTS) return undefined;
  const { count, bytes } = taker;
  const packed = taker.batch();
  const { width, identity } = shape;
  if (identity !== undefined && !areDifferent(packed, width, identity)) return undefined;
  assertFormatVersion(rest);
  const elements = () => chunked(onlyBatch(unpacked(packed, width)), totalBytes);
  return { count, bytes, elements, packed, expireAtMs: expireAtMs(rest) };
}

async function* onlyBatch<T>(batch: T): AsyncGenerator<T> {
  yield batch;
}

async function streamedCollection(
  type: CollectionType,
  content: Content,
  workDirectory: string,
): Promise<CollectionContent> {
  const shape = SHAPES[type];
  const told =
    (await validated(shape, passingBatchesOf(type, content), quickNamesIn(content))) ??
    (await validated(shape, passingBatchesOf(type, content), new ExactNames(workDirectory))) ??
    unsure();
  return streamedOf(type, content, told);
}

/** @throws FieldError */
function streamedOf(type: CollectionType, content: Content, { count, bytes, rest }: Told): CollectionContent {
  assertFormatVersion(rest);
  const packedChunks = () => batchesOf(type, content);
  const elements = () => chunked(unpackedBatches(packedChunks(), SHAPES[type].width), totalBytes);
  return present({
    kind: "collection" as const,
    type,
    count,
    bytes,
    expireAtMs: expireAtMs(rest),
    elements,
    packedChunks,
  });
}

export type KeyFrame = RecordFrame & { readonly key: Buffer };

interface Large {
  readonly type: CollectionType;
  readonly content: Content;
  readonly workDirectory: string;
}

/** Undefined where the file is so small that it is read whole. @throws RestoreError as `Content.blocks` */
export async function unjudgedCollection(frame: KeyFrame, large: Large): Promise<UnjudgedCollection | undefined> {
  const { content } = large;
  if (content.size <= SMALL_BYTES) return undefined;
  return new LargeCollection(frame, large, expiryIn(await endOf(content)));
}

/** As elastickv writes it, behind the elements. */
const EXPIRY_AT_END = /"expire_at_ms"\s*:\s*(-?\d{1,19})\s*\}\s*$/;
const END_BYTES = 64;

function expiryIn(end: string): bigint | undefined {
  const digits = EXPIRY_AT_END.exec(end)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

async function endOf(content: Content): Promise<string> {
  let end = "";
  const range = { start: content.size - END_BYTES, end: content.size };
  for await (const block of content.blocks(range)) end += block.toString("latin1");
  return end;
}

class LargeCollection implements UnjudgedCollection {
  readonly kind = "unjudged";
  readonly type: CollectionType;
  readonly place: UnjudgedCollection["place"];
  readonly after: UnjudgedCollection["after"];
  readonly displayKey: string;
  readonly key: Buffer;
  readonly expirySign: bigint | undefined;
  readonly #frame: KeyFrame;
  readonly #large: Large;
  #judged: CollectionRecord | FaultyRecord | undefined;

  constructor(frame: KeyFrame, large: Large, expirySign: bigint | undefined) {
    this.type = large.type;
    this.place = frame.place;
    this.after = frame.after;
    this.displayKey = frame.displayKey;
    this.key = frame.key;
    this.expirySign = expirySign;
    this.#frame = frame;
    this.#large = large;
  }

  get bytes(): number {
    return (this.#judged ?? this.#frame).bytes;
  }

  async *packedChunks(): AsyncGenerator<Packed> {
    const { type, content, workDirectory } = this.#large;
    const shape = SHAPES[type];
    const lookAgain = async () =>
      await validated(shape, passingBatchesOf(type, content), new ExactNames(workDirectory));
    const names = new SureNames(quickNamesIn(content), lookAgain);
    try {
      const told = yield* judgedBatches(shape, batchesOf(type, content), names);
      this.#judged = { ...this.#frame, ...streamedOf(type, content, told ?? unsure()) };
    } catch (error) {
      this.#judged = faultyRecord(this.#frame, error);
    }
  }

  async judged(): Promise<CollectionRecord | FaultyRecord> {
    this.#judged ??= await this.#read();
    return this.#judged;
  }

  async #read(): Promise<CollectionRecord | FaultyRecord> {
    const { type, content, workDirectory } = this.#large;
    try {
      return { ...this.#frame, ...(await streamedCollection(type, content, workDirectory)) };
    } catch (error) {
      return faultyRecord(this.#frame, error);
    }
  }
}

function unsure(): never {
  throw new RestoreError("INTERNAL", "names that are all known were not told apart", { retry: "fatal" });
}

function batchesOf(type: CollectionType, content: Content): AsyncGenerator<Packed, JsonObject> {
  return streamBatches(content.blocks(), SHAPES[type].container, new CollectionTaker(type));
}

/** For whoever is done with a batch before the next one is asked for. */
function passingBatchesOf(type: CollectionType, content: Content): AsyncGenerator<Packed, JsonObject> {
  return streamBatches(content.blocks(), SHAPES[type].container, new PassingTaker(type));
}

async function* unpackedBatches(batches: AsyncIterable<Packed>, width: number): AsyncGenerator<Buffer[][]> {
  for await (const batch of batches) yield unpacked(batch, width);
}

/** Makes arguments of elements. */
class CollectionTaker implements ElementTaker<Packed> {
  readonly #shape: Shape;
  protected readonly elements: PackedElements;

  constructor(type: CollectionType) {
    this.#shape = SHAPES[type];
    this.elements = new PackedElements(type);
  }

  begin(text: Buffer): void {
    this.elements.begin(text);
  }

  takeRun(from: number, most: number): number {
    return this.elements.takeRun(from, most);
  }

  take(at: number): number {
    return this.elements.take(at);
  }

  untake(): void {
    this.elements.untake(this.#shape.width);
  }

  parsed(element: StreamedElement): void {
    this.elements.add(this.#shape.read(element));
  }

  get count(): number {
    return this.elements.count;
  }

  get most(): number {
    return MAX_BATCH_ARGUMENTS / this.#shape.width;
  }

  /** Of all arguments. */
  get bytes(): number {
    return this.elements.bytes;
  }

  batch(): Packed {
    return this.elements.packed();
  }
}

/** Makes batches that are good until the next one is begun. */
class PassingTaker extends CollectionTaker {
  override batch(): Packed {
    return this.elements.passing();
  }
}

/** For texts in memory, which are read one after another. */
const TAKERS: Record<CollectionType, CollectionTaker> = {
  hash: new CollectionTaker("hash"),
  list: new CollectionTaker("list"),
  set: new CollectionTaker("set"),
  zset: new CollectionTaker("zset"),
};

/** Tells names that were met from new ones. */
interface Names {
  /** Takes those of a batch. Which of them was met before, -1 when none was; undefined when one was, perhaps. */
  known(batch: Packed, width: number, identity: number): number | undefined | Promise<number>;
  close(): void;
}

class QuickNames implements Names {
  readonly #filter: NameFilter;

  constructor(most: number) {
    this.#filter = new NameFilter(most);
  }

  known(batch: Packed, width: number, identity: number): -1 | undefined {
    return this.#filter.areNew(batch, width, identity) ? -1 : undefined;
  }

  close(): void {}
}

function quickNamesIn({ size }: Content): QuickNames {
  return new QuickNames(size / LEAST_ELEMENT_BYTES);
}

/** Where the quick ones are not sure, all names of the text are judged at once, and none is asked about any more. */
class SureNames implements Names {
  readonly #quick: QuickNames;
  readonly #lookAgain: () => Promise<unknown>;
  #areDifferent = false;

  /** `lookAgain`: reads the text. Throws where a name stands there twice. */
  constructor(quick: QuickNames, lookAgain: () => Promise<unknown>) {
    this.#quick = quick;
    this.#lookAgain = lookAgain;
  }

  async known(batch: Packed, width: number, identity: number): Promise<-1> {
    if (this.#areDifferent || this.#quick.known(batch, width, identity) === -1) return -1;
    await this.#lookAgain();
    this.#areDifferent = true;
    return -1;
  }

  close(): void {}
}

class ExactNames implements Names {
  readonly #seen: SpillingSet;

  constructor(workDirectory: string) {
    this.#seen = new SpillingSet(workDirectory);
  }

  known({ bytes, ranges }: Packed, width: number, identity: number): number {
    for (let at = identity * 2; at < ranges.length; at += width * 2) {
      if (!this.#seen.add(bytes.subarray(ranges[at], ranges[at + 1]))) return Math.floor(at / 2 / width);
    }
    return -1;
  }

  close(): void {
    this.#seen.close();
  }
}

/** What a text was found to hold. */
interface Told {
  readonly count: number;
  /** Of all arguments. */
  readonly bytes: number;
  /** The members beside the elements. */
  readonly rest: JsonObject;
}

/** Undefined when `names` could not tell all names apart. @throws RecordFault, and as `batches` does */
async function validated(
  shape: Shape,
  batches: AsyncGenerator<Packed, JsonObject>,
  names: Names,
): Promise<Told | undefined> {
  const judging = judgedBatches(shape, batches, names);
  for (;;) {
    const next = await judging.next();
    if (next.done === true) return next.value;
  }
}

/** Hands each batch on once its names are known to be new. Ends and throws as `validated`. */
async function* judgedBatches(
  shape: Shape,
  batches: AsyncGenerator<Packed, JsonObject>,
  names: Names,
): AsyncGenerator<Packed, Told | undefined> {
  const { width, identity } = shape;
  let count = 0;
  let size = 0;
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) return { count, bytes: size, rest: next.value };
      const { ranges } = next.value;
      const known = identity === undefined ? -1 : await names.known(next.value, width, identity);
      if (known === undefined) return undefined;
      if (known >= 0) {
        throw new RecordFault("duplicate-element", `element ${count + known + 1} stands there a second time`);
      }
      count += ranges.length / 2 / width;
      size += sizeOf(ranges);
      yield next.value;
    }
  } finally {
    names.close();
    await batches.return(new Map());
  }
}

function sizeOf(ranges: Uint32Array): number {
  let size = 0;
  for (let at = 0; at + 1 < ranges.length; at += 2) size += (ranges[at + 1] ?? 0) - (ranges[at] ?? 0);
  return size;
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
