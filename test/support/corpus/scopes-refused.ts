/** What describes a table, a bucket, a queue: malformed, contradicting its directory, or impossible on the target. */
import { type DumpFile, s3Object, tableSchema } from "../dump-builder.js";
import { BOM, type RefusedCase, soundWith, soundWithout } from "./case.js";

const SCHEMA = "dynamodb/sound-table/_schema.json";
const BUCKET = "s3/sound-bucket/_bucket.json";
const QUEUE = "sqs/sound-queue/_queue.json";

const metadata =
  (path: string) =>
  (name: string, content: DumpFile, ...says: string[]): RefusedCase => ({
    name,
    dump: soundWith({ [path]: content }),
    says: [path, ...says],
  });

/** What no metadata file may be, whichever it is. */
const malformed: readonly RefusedCase[] = [SCHEMA, BUCKET, QUEUE].flatMap((path) => {
  const refused = metadata(path);
  const kind = path.slice(path.lastIndexOf("/") + 1);
  return [
    refused(`${kind} is empty`, ""),
    refused(`${kind} is an array`, "[]"),
    refused(`${kind} is cut off`, '{"format_version":1,'),
    refused(`${kind} begins with a byte order mark`, `${BOM}{}`),
    refused(`${kind} is not UTF-8`, Buffer.from('{"name":"\xff"}', "latin1")),
    refused(`${kind} has a name twice`, '{"name":"a","name":"b"}', "twice"),
    refused(`${kind} is of a newer format`, { format_version: 2 }, "format_version"),
    refused(`${kind} has a version that is text`, { format_version: "1" }, "format_version"),
    refused(`${kind} names nothing`, { format_version: 1, primary_key: { hash_key: { name: "id", type: "S" } } }),
    { name: `${kind} is missing`, dump: soundWithout(path), says: [path.slice(0, path.lastIndexOf("/")), kind] },
  ];
});

const schema = metadata(SCHEMA);
const sound = tableSchema("sound-table");
const keyed = (primary_key: unknown) => ({ ...sound, primary_key });
const ID = { name: "id", type: "S" };
const gsi = (fields: Readonly<Record<string, unknown>>) => ({
  ...sound,
  global_secondary_indexes: [{ name: "by-g", key_schema: { hash_key: ID }, projection: { type: "ALL" }, ...fields }],
});
const DESCRIBED = {
  TableName: "sound-table",
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
};

const tables: readonly RefusedCase[] = [
  schema("a schema names another table", tableSchema("other"), "other"),
  schema("a schema differs from its directory by case", tableSchema("Sound-table"), "Sound-table"),
  schema("a schema has no primary key", keyed(undefined), "primary_key"),
  schema("a schema has no hash key", keyed({ range_key: ID }), "hash_key"),
  schema("a hash key has no type", keyed({ hash_key: { name: "id" } }), "type"),
  schema("a hash key has no name", keyed({ hash_key: { type: "S" } }), "name"),
  schema("a hash key's name is empty", keyed({ hash_key: { name: "", type: "S" } })),
  schema("a hash key is BOOL", keyed({ hash_key: { name: "id", type: "BOOL" } }), "BOOL"),
  schema("a range key is half told", keyed({ hash_key: ID, range_key: { name: "n" } }), "type"),
  schema("indexes are an object", { ...sound, global_secondary_indexes: {} }, "global_secondary_indexes"),
  schema("an index has no name", gsi({ name: undefined }), "name"),
  schema("an index has no keys", gsi({ key_schema: undefined }), "key_schema"),
  schema("an index has an empty list of keys", gsi({ key_schema: [] }), "key_schema"),
  schema("an index has three keys", gsi({ key_schema: [ID, ID, ID] }), "key_schema"),
  schema("an index has no projection", gsi({ projection: undefined }), "projection"),
  schema("an index has an unknown projection", gsi({ projection: { type: "SOME" } }), "SOME"),
  schema("DescribeTable names another table", { Table: { ...DESCRIBED, TableName: "other" } }, "other"),
  schema(
    "DescribeTable has no HASH part",
    { ...DESCRIBED, KeySchema: [{ AttributeName: "id", KeyType: "RANGE" }] },
    "HASH",
  ),
  schema("DescribeTable does not define its key", { ...DESCRIBED, AttributeDefinitions: [] }, "id"),
  schema("DescribeTable is wrapped twice", { Table: { Table: DESCRIBED } }),
];

const bucketFile = metadata(BUCKET);
const BUCKET_SOUND = { format_version: 1, name: "sound-bucket" };

const buckets: readonly RefusedCase[] = [
  bucketFile("a bucket's file names another", { ...BUCKET_SOUND, name: "other" }, "other"),
  bucketFile("a bucket's name is null", { ...BUCKET_SOUND, name: null }, "name"),
  bucketFile("an ACL is unknown", { ...BUCKET_SOUND, acl: "public-read-write" }, "public-read-write"),
  bucketFile("an ACL is an object", { ...BUCKET_SOUND, acl: {} }, "acl"),
  bucketFile("versioning is unknown", { ...BUCKET_SOUND, versioning: "On" }, "On"),
  bucketFile("a policy is an object", { ...BUCKET_SOUND, policy_json: { Statement: [] } }, "policy_json"),
  {
    name: "a sidecar has no body",
    dump: soundWith({ "s3/sound-bucket/lost.elastickv-meta.json": { format_version: 1, size_bytes: 0 } }),
    says: ["s3/sound-bucket/lost.elastickv-meta.json"],
  },
  {
    name: "a bucket's directory is empty",
    dump: soundWith({ "s3/deleted-bucket": null }),
    says: ["s3/deleted-bucket", "--allow-orphan-buckets"],
  },
  {
    name: "a deleted bucket's data is still there",
    dump: soundWith(s3Object("s3/deleted-bucket/a", "x")),
    says: ["s3/deleted-bucket", "--allow-orphan-buckets"],
  },
];

const queueFile = metadata(QUEUE);
const QUEUE_SOUND = { format_version: 1, name: "sound-queue" };
const queueField = (name: string, fields: Readonly<Record<string, unknown>>) =>
  queueFile(name, { ...QUEUE_SOUND, ...fields }, ...Object.keys(fields));

const queues: readonly RefusedCase[] = [
  queueFile("a queue's file names another", { ...QUEUE_SOUND, name: "other" }, "other"),
  queueField("fifo is text", { fifo: "true" }),
  queueField("a delay is negative", { delay_seconds: -1 }),
  queueField("a delay is text", { delay_seconds: "0" }),
  queueFile(
    "a timeout is a fraction",
    '{"format_version":1,"name":"sound-queue","visibility_timeout_seconds":1.5}',
    "visibility_timeout_seconds",
  ),
  queueField("a retention is beyond all numbers", { message_retention_seconds: 10n ** 30n }),
  queueField("a redrive policy is an object", { redrive_policy: { maxReceiveCount: 1 } }),
  queueField("a redrive policy is no JSON", { redrive_policy: "{" }),
  queueField("a redrive policy is JSON and no object", { redrive_policy: "[]" }),
  queueField("a redrive permission is no JSON", { redrive_allow_policy: "all" }),
  { name: "a queue's directory is empty", dump: soundWith({ "sqs/other": null }), says: ["sqs/other", "_queue.json"] },
  {
    name: "a table's directory is empty",
    dump: soundWith({ "dynamodb/other": null }),
    says: ["dynamodb/other", "_schema.json"],
  },
];

/** A name that no such target can take: known before the first write, with the rename that helps. */
const impossible = (name: string, files: Readonly<Record<string, DumpFile>>, ...says: string[]): RefusedCase => ({
  name,
  dump: soundWith(files),
  status: 5,
  verified: 0,
  says: [...says, "--rename"],
});
const tableFiles = (name: string, directory = name) => ({ [`dynamodb/${directory}/_schema.json`]: tableSchema(name) });
const bucketFiles = (name: string, directory = name) => ({
  [`s3/${directory}/_bucket.json`]: { format_version: 1, name },
});
const queueFiles = (name: string, directory = name, fields = {}) => ({
  [`sqs/${directory}/_queue.json`]: { format_version: 1, name, ...fields },
});

const targets: readonly RefusedCase[] = [
  impossible("a table's name has two letters", tableFiles("ab"), "ab"),
  impossible("a table's name leads out of a directory", tableFiles("../evil", "..%2Fevil"), "../evil"),
  impossible("a table's name holds an escape sequence", tableFiles("\u001b[31mred", "%1B%5B31mred"), "\\u{1b}[31mred"),
  impossible("a bucket's name is in upper case", bucketFiles("UP_CASE"), "UP_CASE"),
  impossible("a bucket's name is an address", bucketFiles("127.0.0.1"), "127.0.0.1"),
  impossible("a bucket's name reverses the line", bucketFiles("\u202egpj.exe", "%E2%80%AEgpj.exe"), "\\u{202e}gpj.exe"),
  impossible("a database is beyond the target's", { "redis/db_16/strings/k.bin": "v" }, "16"),
  impossible("a database is far beyond any target's", { "redis/db_4294967296/strings/k.bin": "v" }, "4294967296"),
  impossible("a queue's name has 81 letters", queueFiles("q".repeat(81)), "q".repeat(81)),
  impossible("a queue's name holds a line feed", queueFiles("two\nlines", "two%0Alines"), "two\\u{a}lines"),
  impossible("a FIFO queue's name does not say so", queueFiles("orders", "orders", { fifo: true }), "orders", ".fifo"),
  {
    name: "a scope is asked for that the dump does not hold",
    dump: soundWith({}),
    options: ["--scope", "s3=sound-\u202ebucket"],
    status: 2,
    verified: 0,
    says: ["sound-\\u{202e}bucket", "sound-bucket"],
  },
];

export const SCOPES_REFUSED = [...malformed, ...tables, ...buckets, ...queues, ...targets];
