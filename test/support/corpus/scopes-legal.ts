/** Tables, buckets and queues that are described oddly, or hold what is odd. */
import { type DumpFile, s3Object, sqsMessage, tableSchema } from "../dump-builder.js";
import type { LegalCase } from "./case.js";
import { bucket, item, message, object, queue, string, table } from "./holdings.js";

const ID = { name: "id", type: "S" };

/** As DescribeTable answers. */
const described = (TableName: string) => ({
  TableName,
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
});
const tableFiles = (name: string) => ({ [`dynamodb/${name}/_schema.json`]: tableSchema(name) });
const bucketFiles = (name: string) => ({ [`s3/${name}/_bucket.json`]: { format_version: 1, name } });
const queueFiles = (name: string) => ({ [`sqs/${name}/_queue.json`]: { format_version: 1, name } });

const TABLES: readonly (readonly [
  name: string,
  schema: DumpFile,
  key?: string,
  indexes?: Readonly<Record<string, string>>,
])[] = [
  ["corpus-shipped", { ...tableSchema("corpus-shipped"), extra: { a: 1 } }],
  [
    "corpus-null-range",
    { ...tableSchema("corpus-null-range"), primary_key: { hash_key: ID, range_key: null }, billing_mode: null },
  ],
  ["corpus-unused", { ...tableSchema("corpus-unused"), attribute_definitions: [ID, { name: "nobody", type: "N" }] }],
  [
    "corpus-index-object",
    {
      ...tableSchema("corpus-index-object"),
      global_secondary_indexes: [
        {
          name: "by-g",
          key_schema: { hash_key: { name: "g", type: "N" }, range_key: {} },
          projection: { type: "INCLUDE", non_key_attributes: ["v"] },
        },
      ],
    },
    "id:S",
    { "index by-g": "g:N projects INCLUDE v", "index by-g holds": "0" },
  ],
  [
    "corpus-index-array",
    {
      ...tableSchema("corpus-index-array"),
      global_secondary_indexes: [
        {
          name: "by-g",
          key_schema: [{ name: "g", type: "S" }, ID],
          projection: { type: "KEYS_ONLY", non_key_attributes: null },
        },
      ],
    },
    "id:S",
    { "index by-g": "g:S, id:S projects KEYS_ONLY", "index by-g holds": "0" },
  ],
  [
    "corpus-described-index",
    {
      Table: {
        ...described("corpus-described-index"),
        AttributeDefinitions: [
          { AttributeName: "id", AttributeType: "S" },
          { AttributeName: "g", AttributeType: "N" },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: "by-g",
            KeySchema: [
              { AttributeName: "id", KeyType: "RANGE" },
              { AttributeName: "g", KeyType: "HASH" },
            ],
            Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["v"] },
            IndexStatus: "ACTIVE",
          },
        ],
        ProvisionedThroughput: { ReadCapacityUnits: 3, WriteCapacityUnits: 2, NumberOfDecreasesToday: 0 },
      },
    },
    "id:S",
    { "index by-g": "g:N, id:S projects INCLUDE v", "index by-g holds": "0" },
  ],
  ["corpus-described", { ...described("corpus-described"), TableStatus: "ACTIVE", ItemCount: 10n ** 20n }],
  [
    "corpus-wrapped",
    {
      Table: {
        ...described("corpus-wrapped"),
        ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
      },
    },
  ],
];

export const SCOPES_LEGAL: readonly LegalCase[] = [
  {
    name: "schemas in all the forms there are",
    dump: {
      files: Object.fromEntries(
        TABLES.flatMap(([name, content]) => [
          [`dynamodb/${name}/_schema.json`, content],
          [`dynamodb/${name}/items/a.json`, { id: { S: "a" } }],
        ]),
      ),
    },
    holds: TABLES.flatMap(([name, , key, indexes]) => [table(name, key, indexes), item(name, '{"id":{"S":"a"}}')]),
  },
  {
    name: "scopes called as what JavaScript has",
    dump: {
      files: {
        ...tableFiles("__proto__"),
        "dynamodb/__proto__/items/constructor.json": { id: { S: "constructor" } },
        ...bucketFiles("constructor"),
        ...s3Object("s3/constructor/__proto__", "x"),
        "sqs/__proto__.fifo/_queue.json": { format_version: 1, name: "__proto__.fifo", fifo: true },
        "sqs/__proto__.fifo/messages.jsonl": [
          sqsMessage("x", { message_group_id: "__proto__", message_deduplication_id: "__proto__" }),
        ],
      },
    },
    holds: [
      table("__proto__"),
      item("__proto__", '{"id":{"S":"constructor"}}'),
      bucket("constructor"),
      object("constructor", "__proto__", "x"),
      message("__proto__.fifo", "x", { group: "__proto__" }),
    ],
  },
  {
    name: "empty scopes of every kind, and a queue of which only orphans are left",
    dump: {
      files: {
        ...tableFiles("corpus-empty"),
        ...bucketFiles("corpus-empty"),
        ...queueFiles("corpus-empty"),
        "redis/db_5": null,
        "sqs/gone.orphan/_internals/side_records.jsonl": ["{"],
        "sqs/corpus-empty/_internals/side_records.jsonl": ["{"],
        "sqs/_internals/x": "x",
      },
    },
    holds: [table("corpus-empty"), bucket("corpus-empty"), queue("corpus-empty")],
  },
  {
    name: "a bucket that was public, with fields unknown and null",
    dump: {
      files: {
        "s3/corpus-public/_bucket.json": {
          format_version: 1,
          name: "corpus-public",
          acl: "public-read",
          policy_json: null,
          versioning: "Disabled",
          owner: 7,
          region: "",
        },
      },
    },
    holds: [bucket("corpus-public")],
  },
  {
    name: "objects with the names of the dump's own files, and forensics",
    dump: {
      files: {
        ...s3Object("s3/corpus-shadow/_bucket.json", '{"format_version":99}'),
        ...s3Object("s3/corpus-shadow/KEYMAP.jsonl", "not a keymap"),
        ...s3Object("s3/corpus-shadow/_orphans/mine", "1"),
        "s3/corpus-shadow/_orphans/theirs": "2",
        "s3/corpus-shadow/_incomplete_uploads/part": "3",
        ...s3Object("s3/corpus-shadow/_incomplete_uploads/whole", "4"),
        ...s3Object("s3/corpus-shadow/deep/_bucket.json", "5"),
        "s3/corpus-shadow/deep/KEYMAP.jsonl": "6",
        ...s3Object("s3/corpus-shadow/a.elastickv-meta.json", "7"),
        ...s3Object("s3/corpus-shadow/.elastickv-meta.json", "8"),
      },
    },
    holds: [
      bucket("corpus-shadow"),
      object("corpus-shadow", "_bucket.json", '{"format_version":99}'),
      object("corpus-shadow", "KEYMAP.jsonl", "not a keymap"),
      object("corpus-shadow", "_orphans/mine", "1"),
      object("corpus-shadow", "_incomplete_uploads/whole", "4"),
      object("corpus-shadow", "deep/_bucket.json", "5"),
      object("corpus-shadow", "deep/KEYMAP.jsonl", "6", {}),
      object("corpus-shadow", "a.elastickv-meta.json", "7"),
      object("corpus-shadow", ".elastickv-meta.json", "8"),
    ],
    warns: ["_bucket.json", "KEYMAP.jsonl", "settings cannot be known", "_orphans/theirs", "deep/KEYMAP.jsonl"],
  },
  {
    name: "a bucket without its file, when that is allowed",
    dump: { files: s3Object("s3/corpus-orphan/a", "x") },
    options: ["--allow-orphan-buckets"],
    holds: [bucket("corpus-orphan"), object("corpus-orphan", "a", "x")],
    warns: ["_bucket.json"],
  },
  {
    name: "a queue that says little, and one that says null",
    dump: {
      files: {
        "sqs/corpus-little/_queue.json": { name: "corpus-little" },
        "sqs/corpus-little/messages.jsonl": [sqsMessage("a")],
        "sqs/corpus-nulls/_queue.json": {
          format_version: 1,
          name: "corpus-nulls",
          fifo: null,
          redrive_policy: null,
          redrive_allow_policy: "",
          message_retention_seconds: 0,
          maximum_message_size: 0,
          unknown: [],
        },
        "sqs/corpus-nulls/messages.jsonl": [sqsMessage("b")],
      },
    },
    holds: [message("corpus-little", "a"), message("corpus-nulls", "b")],
  },
  {
    name: "a queue whose dead-letter queue stands behind it, with the number of receipts as text",
    dump: {
      files: {
        "sqs/corpus-a-source/_queue.json": {
          format_version: 1,
          name: "corpus-a-source",
          redrive_policy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-north-1:1:corpus-b-dead","maxReceiveCount":"5"}',
          partition_count: 0,
          fifo_throughput_limit: "",
          deduplication_scope: "",
        },
        "sqs/corpus-a-source/messages.jsonl": [sqsMessage("a")],
        ...queueFiles("corpus-b-dead"),
      },
    },
    holds: [queue("corpus-a-source", "corpus-b-dead after 5"), message("corpus-a-source", "a"), queue("corpus-b-dead")],
  },
  {
    name: "KEYMAP.jsonl where nothing needs one",
    dump: {
      files: {
        ...tableFiles("corpus-keymapped"),
        "dynamodb/corpus-keymapped/KEYMAP.jsonl": "{",
        ...queueFiles("corpus-keymapped"),
        "sqs/corpus-keymapped/KEYMAP.jsonl": "{",
      },
    },
    holds: [table("corpus-keymapped"), queue("corpus-keymapped")],
  },
  {
    name: "files of a scope that the format does not know",
    dump: { files: { "redis/db_0/strings/k.bin": "v", "redis/db_0/notes.txt": "x", "redis/db_0/modules/m.bin": "x" } },
    holds: [string("k", "v")],
    warns: ["redis/db_0/notes.txt", "redis/db_0/modules/m.bin"],
  },
];
