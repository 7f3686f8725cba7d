/** The dump of the crash tests: a few records of every kind, in several batches where that takes few. */
import { type DumpFile, s3Object, sqsMessage, tableSchema } from "../dump-builder.js";
import { MIB, patterned } from "../s3-records.js";

/** Two requests' worth, and a collection that takes several commands. */
const ITEMS = 30;
const ELEMENTS = 1_500;
const MESSAGES = 23;
/** What the objects' upload in parts starts at: the least that S3 knows. */
export const PART_BYTES = 5 * MIB;

const numbered = (count: number, name: string) =>
  Array.from({ length: count }, (_, i) => `${name}${String(i).padStart(4, "0")}`);

const FAR = 4_102_444_800_000;

export const DUMP_FILES: Readonly<Record<string, DumpFile>> = {
  ...tables(),
  ...buckets(),
  ...database(),
  ...queues(),
};

function tables(): Record<string, DumpFile> {
  const items = numbered(ITEMS, "i").map((pk) => [
    `dynamodb/orders/items/${pk}.json`,
    { pk: { S: pk }, v: { S: "ours" } },
  ]);
  return {
    "dynamodb/orders/_schema.json": tableSchema("orders", { name: "pk", type: "S" }),
    ...Object.fromEntries(items),
    // A record that no target takes.
    "dynamodb/orders/items/refused.json": { pk: { S: "refused" }, v: { SS: [] } },
    "dynamodb/users/_schema.json": tableSchema("users", { name: "pk", type: "S" }),
    "dynamodb/users/items/a.json": { pk: { S: "a" }, v: { S: "ours" } },
  };
}

function buckets(): Record<string, DumpFile> {
  const small = numbered(5, "o").map((key) =>
    s3Object(`s3/photos/${key}`, `ours ${key}`, { cache_control: "no-store" }),
  );
  return {
    "s3/photos/_bucket.json": { name: "photos" },
    ...Object.assign({}, ...small),
    ...s3Object("s3/photos/large", patterned(PART_BYTES + 100_000), { user_metadata: { by: "us" } }),
    "s3/empty/_bucket.json": { name: "empty" },
  };
}

function database(): Record<string, DumpFile> {
  const version = { format_version: 1 };
  const elements = numbered(ELEMENTS, "e");
  const entries = Array.from({ length: 1_100 }, (_, i) => ({ id: `7-${i + 1}`, fields: { n: String(i) } }));
  return {
    "redis/db_0/strings/string.bin": "ours",
    "redis/db_0/strings/turned.bin": "ours",
    "redis/db_0/strings/new.bin": "ours",
    "redis/db_0/strings_ttl.jsonl": [{ key: "new", expire_at_ms: FAR }],
    "redis/db_0/hashes/hash.json": { ...version, fields: { a: "ours", b: "ours" }, expire_at_ms: FAR },
    "redis/db_0/hashes/none.json": { ...version, fields: {} },
    "redis/db_0/sets/large-set.json": { ...version, members: elements },
    "redis/db_0/zsets/zset.json": { ...version, members: [{ member: "a", score: 1 }] },
    "redis/db_0/lists/list.json": { ...version, items: ["b", "a", "b"] },
    "redis/db_0/lists/large-list.json": { ...version, items: elements },
    "redis/db_0/streams/stream.jsonl": [
      { id: "5-1", fields: { f: "ours" } },
      { id: "5-2", fields: { f: "ours" } },
    ],
    "redis/db_0/streams/large-stream.jsonl": entries,
    "redis/db_0/hll/members.bin": Buffer.from("\u0000RS\u0001\n\u0001a\n\u0001b", "latin1"),
  };
}

function queues(): Record<string, DumpFile> {
  const message = (body: string, more = {}) => sqsMessage(body, { message_id: body, ...more });
  const steps = Array.from({ length: 12 }, (_, i) =>
    message(`step${i}`, { message_group_id: `g${i % 3}`, message_deduplication_id: `d${i}`, sequence_number: i + 1 }),
  );
  const redrive = { deadLetterTargetArn: "arn:aws:sqs:us-east-1:000000000000:letters", maxReceiveCount: 3 };
  return {
    "sqs/jobs/_queue.json": { name: "jobs", visibility_timeout_seconds: 45, redrive_policy: JSON.stringify(redrive) },
    "sqs/jobs/messages.jsonl": numbered(MESSAGES, "m").map((body) => message(body)),
    "sqs/letters/_queue.json": { name: "letters" },
    "sqs/letters/messages.jsonl": [message("letter")],
    "sqs/steps.fifo/_queue.json": { name: "steps.fifo", fifo: true },
    "sqs/steps.fifo/messages.jsonl": steps,
  };
}
