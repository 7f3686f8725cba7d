/**
 * The records that an operator's transform gets and returns: plain objects of its own, which it may change in place.
 *
 * Bytes come as Buffers; what is returned may hold any Uint8Array, or text, which becomes UTF-8. `adapter`, `scope` and
 * `kind` have to stay as they are. Members that a kind does not have are refused, for they are slips of the pen.
 */

/** What may be returned where bytes were given. */
export type Bytes = string | Uint8Array;

interface PlainBase<A extends string, K extends string> {
  readonly adapter: A;
  /** The scope's name in the dump: table, bucket, queue, or `db_<n>`. */
  readonly scope: string;
  readonly kind: K;
}

/** DynamoDB's own JSON: numbers are text, binary values base64 text (or returned bytes). */
export type PlainAttribute =
  | { S: string }
  | { N: string }
  | { B: Bytes }
  | { BOOL: boolean }
  | { NULL: true }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: Bytes[] }
  | { L: PlainAttribute[] }
  | { M: PlainAttributes };

/** Has no prototype, so that `item.constructor` is an attribute or undefined. */
export type PlainAttributes = { [name: string]: PlainAttribute };

export interface PlainItem extends PlainBase<"dynamodb", "item"> {
  /** For people, and not to be changed: the key is in the item's key attributes, which may be. */
  readonly key: string;
  item: PlainAttributes;
}

export interface PlainMetadata {
  contentType?: string;
  contentEncoding?: string;
  cacheControl?: string;
  contentDisposition?: string;
  /** Names without `x-amz-meta-`. */
  user: { name: string; value: string }[];
}

export interface PlainObject<B = Buffer> extends PlainBase<"s3", "object"> {
  key: string;
  /** Null for one above the limit: it stays as it is, unless another one is returned. */
  body: B | null;
  metadata: PlainMetadata;
}

interface PlainKeyBase<K extends string, B> extends PlainBase<"redis", K> {
  key: B;
  /** Absolute Unix time in milliseconds; absent: no expiry. */
  expireAtMs?: bigint | number;
}

export interface PlainField<B = Buffer> {
  name: B;
  value: B;
}

export interface PlainString<B = Buffer> extends PlainKeyBase<"string", B> {
  value: B;
}

export interface PlainHash<B = Buffer> extends PlainKeyBase<"hash", B> {
  fields: PlainField<B>[];
}

export interface PlainList<B = Buffer> extends PlainKeyBase<"list", B> {
  items: B[];
}

export interface PlainSet<B = Buffer> extends PlainKeyBase<"set", B> {
  members: B[];
}

export interface PlainSortedSet<B = Buffer> extends PlainKeyBase<"zset", B> {
  /** A score is given as text, digits as in the dump, `+inf` or `-inf`; a number may be returned. */
  members: { score: string | number; member: B }[];
}

export interface PlainStream<B = Buffer> extends PlainKeyBase<"stream", B> {
  /** Ids have to rise. Names may repeat. */
  entries: { id: string; fields: PlainField<B>[] }[];
}

/** Either elastickv's members or Redis's sketch, whichever was given. */
export interface PlainHyperLogLog<B = Buffer> extends PlainKeyBase<"hll", B> {
  members?: B[];
  sketch?: B;
}

export interface PlainMessage<B = Buffer> extends PlainBase<"sqs", "message"> {
  /** The source's message id, not to be changed: a target makes its own. */
  readonly key: string;
  body: B;
  /** The value of a `Binary` attribute is bytes, of any other text. */
  attributes: { name: string; dataType: string; value: B | string }[];
  groupId?: string;
  deduplicationId?: string;
  /** Unix milliseconds; 0 when unknown. */
  availableAtMs: number;
  visibleAtMs: number;
}

export type PlainKey<B = Buffer> =
  | PlainString<B>
  | PlainHash<B>
  | PlainList<B>
  | PlainSet<B>
  | PlainSortedSet<B>
  | PlainStream<B>
  | PlainHyperLogLog<B>;

export type TransformRecord<B = Buffer> = PlainItem | PlainObject<B> | PlainKey<B> | PlainMessage<B>;

type Returned = TransformRecord<Bytes> | null | undefined;

/**
 * Called with one record at a time; nothing returned leaves the record out. It should give the same answer for the same
 * record: a second reading (for a target that can only be asked key by key, or with `--fifo-dedup original`) calls it
 * again.
 */
export type TransformFunction = (record: TransformRecord) => Returned | Promise<Returned>;
