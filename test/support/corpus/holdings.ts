/** What a target has to hold, written down by hand for each case and never read from its dump. */
import { createHash } from "node:crypto";

import { itemFacets, itemKey } from "../readback/dynamodb-values.js";
import type { Expected } from "../readback/expected.js";
import {
  type HyperLogLog,
  hashValue,
  listValue,
  redisRecord,
  setValue,
  sortedSetValue,
  streamValue,
} from "../readback/expected-redis.js";
import { type ExpectedMessage, messageText } from "../readback/expected-sqs.js";
import { parseJson } from "../readback/json.js";
import { digestBytes, type Facets } from "../readback/state.js";

export type Holding =
  | { readonly in: "dynamodb" | "s3" | "redis"; readonly record: string; readonly facets: Facets }
  | { readonly in: "redis"; readonly record: string; readonly facets: Facets; readonly hyperLogLog: HyperLogLog }
  | {
      readonly in: "sqs";
      readonly queue: string;
      readonly fifo: boolean;
      readonly redrive?: string;
      readonly message?: ExpectedMessage;
    };

type Text = string | Buffer;

/** A key of database 0, unless `db` says another. `expiry`: Unix milliseconds. */
interface KeyOptions {
  readonly db?: number;
  readonly expiry?: bigint;
}

const bytes = (text: Text) => (typeof text === "string" ? Buffer.from(text) : text);

function redis(key: Text, facets: Facets, { db = 0, expiry }: KeyOptions = {}): Holding & { readonly in: "redis" } {
  const timed = expiry === undefined ? facets : { ...facets, expiry: { atMs: expiry } };
  return { in: "redis", record: redisRecord(`db_${db}`, bytes(key)), facets: timed };
}

export function string(key: Text, value: Text, options?: KeyOptions): Holding {
  return redis(key, { type: "string", value: digestBytes(bytes(value)) }, options);
}

export function hash(key: Text, fields: readonly (readonly [Text, Text])[], options?: KeyOptions): Holding {
  const pairs = fields.map(([name, value]) => [bytes(name), bytes(value)] as const);
  return redis(key, { type: "hash", value: hashValue(pairs) }, options);
}

export function list(key: Text, items: readonly Text[], options?: KeyOptions): Holding {
  return redis(key, { type: "list", value: listValue(items.map(bytes)) }, options);
}

export function set(key: Text, members: readonly Text[], options?: KeyOptions): Holding {
  return redis(key, { type: "set", value: setValue(members.map(bytes)) }, options);
}

/** Scores as text: they are compared as doubles. */
export function zset(key: Text, members: readonly (readonly [Text, string])[], options?: KeyOptions): Holding {
  const scored = members.map(([member, score]) => [bytes(member), score] as const);
  return redis(key, { type: "zset", value: sortedSetValue(scored) }, options);
}

export function stream(
  key: Text,
  entries: readonly (readonly [id: string, fields: readonly Text[]])[],
  lastId: string,
  options?: KeyOptions,
): Holding {
  const value = streamValue(entries.map(([id, fields]) => [id, fields.map(bytes)]));
  return redis(key, { type: "stream", value, "last id": lastId }, options);
}

export function hyperLogLog(key: Text, members: readonly Text[], options?: KeyOptions): Holding {
  const { record, facets } = redis(key, { type: "string" }, options);
  return { in: "redis", record, facets, hyperLogLog: { members: members.map(bytes) } };
}

/** `key`: as `id:S` or `pk:S, sk:N`. `indexes`: facets of its indexes, as the read-back shows them. */
export function table(name: string, key = "id:S", indexes: Facets = {}): Holding {
  return { in: "dynamodb", record: `dynamodb ${name}`, facets: { key, ...indexes } };
}

/** `json`: the item as DynamoDB JSON; `keys`: the names of its key attributes. */
export function item(tableName: string, json: string, keys: readonly string[] = ["id"]): Holding {
  const parsed = parseJson(json);
  return { in: "dynamodb", record: `dynamodb ${tableName} ${itemKey(parsed, keys)}`, facets: itemFacets(parsed) };
}

export function bucket(name: string): Holding {
  return { in: "s3", record: `s3 ${name}`, facets: {} };
}

/** Its content type is text/plain unless `facets` says otherwise; `user_metadata x` names a value of the user's. */
export function object(
  bucketName: string,
  key: string,
  body: Text,
  facets: Facets = { content_type: "text/plain" },
): Holding {
  const etag = createHash("md5").update(bytes(body)).digest("hex");
  return { in: "s3", record: `s3 ${bucketName} ${key}`, facets: { body: digestBytes(bytes(body)), etag, ...facets } };
}

/** `redrive`: the policy, as the read-back shows it. */
export function queue(name: string, redrive?: string): Holding & { readonly in: "sqs" } {
  return { in: "sqs", queue: name, fifo: name.endsWith(".fifo"), ...(redrive === undefined ? {} : { redrive }) };
}

/** `attributes`: as `attributeText` writes them. */
export function message(
  queueName: string,
  body: Text,
  { group = "", attributes = [] }: { readonly group?: string; readonly attributes?: readonly string[] } = {},
): Holding {
  const content = messageText(bytes(body), attributes);
  return { ...queue(queueName), message: { content, groupId: group, deduplicationId: undefined } };
}

/** All of it as the read-backs want it. Of queues, messages and redrive policies are compared. */
export function expectedOf(holdings: readonly Holding[]): Expected {
  const expected = {
    dynamodb: new Map<string, Facets>(),
    s3: new Map<string, Facets>(),
    redis: { state: new Map<string, Facets>(), hyperLogLogs: new Map<string, HyperLogLog>(), keys: new Map() },
    counts: new Map<string, number>(),
  };
  const queues = new Map<string, { fifo: boolean; redrive?: string; messages: ExpectedMessage[] }>();
  for (const holding of holdings) {
    if (holding.in === "sqs") {
      const messages = queues.get(holding.queue)?.messages ?? [];
      if (holding.message !== undefined) messages.push(holding.message);
      const redrive = holding.redrive ?? queues.get(holding.queue)?.redrive;
      queues.set(holding.queue, { fifo: holding.fifo, messages, ...(redrive === undefined ? {} : { redrive }) });
      continue;
    }
    if ("hyperLogLog" in holding) expected.redis.hyperLogLogs.set(holding.record, holding.hyperLogLog);
    (holding.in === "redis" ? expected.redis.state : expected[holding.in]).set(holding.record, holding.facets);
  }
  const sqs = [...queues].map(([name, { fifo, redrive, messages }]) => ({
    name,
    fifo,
    attributes: {
      ...(fifo ? { FifoQueue: "true" } : {}),
      ...(redrive === undefined ? {} : { RedrivePolicy: redrive }),
    },
    messages,
  }));
  return { ...expected, sqs };
}
