/**
 * Records: what a reader yields and a replayer writes. Keys and values are bytes; text only where the protocol says text.
 * Large content stays on disk and is reached through `Content` and `elements()`, whose every byte was checked against
 * CHECKSUMS: reading them fails with `changed-after-check` when the file is no longer what was checked.
 */
import type { Note } from "./outcome.js";
import type { Place, Position } from "./position.js";
import type { Adapter } from "./scope.js";

interface RecordBase {
  readonly place: Place;
  /** The position after this record. */
  readonly after: Position;
  /** The record's key for people: printable, shortened never; binary keys as `base64:<…>`. */
  readonly displayKey: string;
  /** Payload bytes, for limits, batches and progress. */
  readonly bytes: number;
  /** Records with the same lane are written one after another, in order. Absent: no order. */
  readonly lane?: string;
  /** What the reader noticed; carried into the outcome. */
  readonly notes?: readonly Note[];
  /**
   * Unix milliseconds at which an earlier process of the same job announced this record's write: it may have been
   * written then, and what stands under its key may be that. Absent: it was never sent.
   */
  readonly announcedAt?: number;
}

/** Bytes of one file of the dump. May be read any number of times, concurrently. */
export interface Content {
  readonly size: number;
  /** Lower-case hex, from CHECKSUMS. */
  readonly sha256: string;
  /** The whole content, checked, where it is in memory already. */
  readonly bytes?: Buffer | undefined;
  /**
   * The bytes from `start` up to `end` (exclusive, default: all), in buffers of at most 1 MiB, each checked before it is
   * handed out. `into`: buffers of 1 MiB to read into, one after another and then the first again; who gives them sees to
   * it that nobody needs what is in one when it is its turn.
   */
  blocks(range?: { readonly start: number; readonly end: number }, into?: readonly Buffer[]): AsyncIterable<Buffer>;
  /** The whole content in one buffer. For content known to be small. */
  buffer(): Promise<Buffer>;
}

/** A record that cannot be read. It is counted as rejected without reaching a replayer. */
export interface FaultyRecord extends RecordBase {
  readonly kind: "faulty";
  /** `rejected` for a malformed record, `failed` for one that changed after the check. */
  readonly outcome: "rejected" | "failed";
  /** Stable word: `malformed-json`, `duplicate-key`, `bad-utf8`, `limit-exceeded`, `changed-after-check`. */
  readonly reason: string;
  readonly detail: string;
  /** The record's key, where it can still be known. */
  readonly key?: Buffer;
}

export interface ItemRecord extends RecordBase {
  readonly kind: "item";
  /** The item's own JSON text, UTF-8, an object of attributes, exactly as in the dump. Goes into the request as it is. */
  readonly text: Buffer;
  /** The text of the key attributes' values (`{"S":"a"}`) as they stand in `text`, for reading back. */
  readonly keyText: { readonly hash: Buffer; readonly range?: Buffer };
}

export interface ObjectMetadata {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  /** Names without `x-amz-meta-`, in the sidecar's order. */
  readonly user: readonly (readonly [name: string, value: string])[];
}

export interface ObjectRecord extends RecordBase {
  readonly kind: "object";
  /** The object's key, UTF-8. */
  readonly key: string;
  readonly body: Content;
  readonly metadata: ObjectMetadata;
  /** Without quotes; absent when the sidecar has none. */
  readonly etag?: string;
}

interface RedisRecordBase extends RecordBase {
  readonly key: Buffer;
  /** Absolute Unix time in milliseconds; absent: no expiry. May be 0 or negative: past. */
  readonly expireAtMs?: bigint;
}

export interface StringRecord extends RedisRecordBase {
  readonly kind: "string";
  readonly value: Content;
}

/** Byte strings that lie in one buffer: of each, where it begins and where it ends. */
export interface Packed {
  readonly bytes: Buffer;
  readonly ranges: Uint32Array;
}

export type CollectionType = "hash" | "list" | "set" | "zset";

/**
 * A hash, list, set or zset. Validated whole before it is yielded.
 * An element is the arguments that its command takes: hash `[name, value]`, list `[item]`, set `[member]`,
 * zset `[score, member]` (score as text for ZADD: digits as in the dump, or `+inf` / `-inf`).
 */
export interface CollectionRecord extends RedisRecordBase {
  readonly kind: "collection";
  readonly type: CollectionType;
  /** Number of elements; 0 for an empty collection, which Redis cannot hold. */
  readonly count: number;
  /** In the dump's order, in chunks of at most 1,000 elements and about 1 MiB. May be called again. */
  elements(): AsyncIterable<readonly (readonly Buffer[])[]>;
  /** The arguments of all elements in their order, where they are in memory already and no more than a chunk. */
  readonly packed?: Packed;
  /** As `elements()`, the arguments of some thousand elements at a time. */
  readonly packedChunks?: () => AsyncIterable<Packed>;
}

/**
 * A hash, list, set or zset whose file is large and was not read yet, so that nobody knows whether it is one: for who
 * writes it somewhere aside while it is read, and can take it back.
 */
export interface UnjudgedCollection extends RecordBase {
  readonly kind: "unjudged";
  readonly type: CollectionType;
  readonly key: Buffer;
  /** Of the file; of the elements once it is judged. */
  readonly bytes: number;
  /** The expiry that stands at the file's end, if one does. A sign to go by, no more: the judged record tells what holds. */
  readonly expirySign: bigint | undefined;
  /**
   * The arguments of some thousand elements at a time, judged before they are handed out. Ends where the record turns
   * out to be at fault, and only `judged` tells of that. May be called again.
   * @throws RestoreError for what is no fault of the record
   */
  packedChunks(): AsyncIterable<Packed>;
  /** Reads the file, unless `packedChunks` came to its end. @throws RestoreError for what is no fault of the record */
  judged(): Promise<CollectionRecord | FaultyRecord>;
}

export interface StreamEntry {
  /** `<ms>-<seq>`, both uint64 in decimal. */
  readonly id: string;
  /** Name, value, name, value …; names may repeat, order matters. Never empty. */
  readonly fields: readonly Buffer[];
}

export interface StreamRecord extends RedisRecordBase {
  readonly kind: "stream";
  /** Readable entries; 0 for an empty stream, which exists all the same. */
  readonly count: number;
  /** The last id handed out: the higher of the meta line's and the last entry's. Absent: nothing known (empty, no meta). */
  readonly lastId?: string;
  /** Id of the last readable entry. */
  readonly topId?: string;
  /** Entries that could not be read: the stream ends as rejected, the others are written. */
  readonly faultyEntries: readonly { readonly id: string; readonly reason: string; readonly place: Place }[];
  /** In the dump's order, in chunks of at most 1,000 entries and about 1 MiB. May be called again. */
  entries(): AsyncIterable<readonly StreamEntry[]>;
  /** Id and fields of all entries in their order, where they are in memory already and no more than a chunk. */
  readonly packed?: Packed & {
    /** Of each entry, its id counted in. */
    readonly widths: Uint32Array;
  };
}

/** elastickv's exact member set (`members`) or a real Redis sketch that starts with `HYLL` (`sketch`). */
export interface HyperLogLogRecord extends RedisRecordBase {
  readonly kind: "hll";
  readonly content:
    | { readonly form: "members"; readonly count: number; members(): AsyncIterable<readonly Buffer[]> }
    | { readonly form: "sketch"; readonly value: Content };
}

export interface MessageAttribute {
  /** `String`, `Number` or `Binary`, perhaps with `.suffix`. */
  readonly dataType: string;
  readonly value: { readonly string: string } | { readonly binary: Buffer };
}

export interface MessageRecord extends RecordBase {
  readonly kind: "message";
  /** The source's id: for people, never a key. */
  readonly messageId: string;
  /** May hold what SQS cannot carry; the replayer decides. */
  readonly body: Buffer;
  readonly attributes: readonly (readonly [name: string, attribute: MessageAttribute])[];
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** Unix milliseconds; 0 when unknown. */
  readonly availableAtMs: number;
  readonly visibleAtMs: number;
}

export type RedisRecord = StringRecord | CollectionRecord | StreamRecord | HyperLogLogRecord;

export interface RecordByAdapter {
  dynamodb: ItemRecord;
  s3: ObjectRecord;
  redis: RedisRecord;
  sqs: MessageRecord;
}

interface SentByAdapter extends Omit<RecordByAdapter, "redis"> {
  redis: RedisRecord | UnjudgedCollection;
}

export type WritableRecord<A extends Adapter = Adapter> = RecordByAdapter[A];
/** What a replayer is given to write. */
export type SentRecord<A extends Adapter = Adapter> = SentByAdapter[A];
export type DumpRecord<A extends Adapter = Adapter> = RecordByAdapter[A] | FaultyRecord;

/** The lane of a scope whose records keep their order but may share a batch: one batch of it is under way at a time. */
export const SCOPE_LANE = "queue";

/** A FIFO queue's messages keep their order by group, a standard queue's all together. The prefix keeps a group from being SCOPE_LANE. */
export function laneOfMessage(fifo: boolean, groupId: string | undefined): string {
  return fifo ? `group:${groupId ?? ""}` : SCOPE_LANE;
}
