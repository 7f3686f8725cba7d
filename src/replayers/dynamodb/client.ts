/**
 * The DynamoDB client: SDK commands for tables, bodies of our own for items.
 *
 * Items never pass the SDK's serialiser: it loses an attribute called `__proto__` and replaces lone surrogates. A
 * command only carries the operation and the table's name; its body is put in its place before it is signed, and the
 * answer's body is kept as it came. Nothing here retries or classifies.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";

import { type AwsOptions, awsClientConfig } from "../aws-client.js";
import type { BuildMiddleware, DeserializeMiddleware, MiddlewareStack } from "../middleware.js";

/** An answer before the SDK has read it. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface DynamoDbClient {
  /** For operations on tables, whose shapes the SDK may translate. */
  readonly sdk: DynamoDBClient;
  batchWriteItem(table: string, body: Buffer): Promise<RawAnswer>;
  putItem(table: string, body: Buffer): Promise<RawAnswer>;
  getItem(table: string, body: Buffer): Promise<RawAnswer>;
  batchGetItem(table: string, body: Buffer): Promise<RawAnswer>;
  scan(table: string, body: Buffer): Promise<RawAnswer>;
  /** Lists one table: the least that shows a server which takes the credentials. `body`: the same request, otherwise written. */
  listTables(body?: Buffer): Promise<RawAnswer>;
  /** Closes the connections. Repeatable. */
  destroy(): void;
}

export function createClient(options: AwsOptions): DynamoDbClient {
  const sdk = new DynamoDBClient(awsClientConfig(options));
  return {
    sdk,
    async batchWriteItem(table, body) {
      // The table's name stands here too, because the endpoint of an AWS account may follow from it.
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: [] } });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    async putItem(table, body) {
      const command = new PutItemCommand({ TableName: table, Item: {} });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    async getItem(table, body) {
      const command = new GetItemCommand({ TableName: table, Key: {} });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    async batchGetItem(table, body) {
      const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [] } } });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    async scan(table, body) {
      const command = new ScanCommand({ TableName: table });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    async listTables(body) {
      const command = new ListTablesCommand({ Limit: 1 });
      return await exchanged(command.middlewareStack, body, () => sdk.send(command));
    },
    destroy: () => sdk.destroy(),
  };
}

/** Sends a command with this body in place of its own, and gives its answer as it came. */
async function exchanged(
  stack: MiddlewareStack,
  body: Buffer | undefined,
  send: () => Promise<unknown>,
): Promise<RawAnswer> {
  if (body !== undefined) stack.add(withBody(body), { step: "build", name: "itemBody", priority: "low" });
  let answer: RawAnswer | undefined;
  const keep = (raw: RawAnswer): void => {
    answer = raw;
  };
  stack.add(keepingAnswer(keep), { step: "deserialize", name: "rawAnswer", priority: "low" });
  await send();
  if (answer === undefined) throw new TypeError("the client gave no answer");
  return answer;
}

/** After the SDK has serialised and before it signs. */
function withBody(body: Buffer): BuildMiddleware {
  return (next) => (args) => {
    if (!isRequest(args.request)) throw new TypeError("the client made no HTTP request");
    args.request.body = body;
    args.request.headers["content-length"] = String(body.length);
    return next(args);
  };
}

/** Next to the wire: reads the body once and hands it on in one piece. */
function keepingAnswer(keep: (raw: RawAnswer) => void): DeserializeMiddleware {
  return (next) => async (args) => {
    const result = await next(args);
    const { response } = result;
    if (!isResponse(response)) throw new TypeError("the client took no HTTP answer");
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    keep({ status: response.statusCode, headers: response.headers, body });
    // A copy: the SDK changes the prototype of what it reads.
    response.body = new Uint8Array(body);
    return result;
  };
}

interface HttpRequest {
  body: unknown;
  headers: Record<string, string>;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  get body(): AsyncIterable<Uint8Array>;
  set body(body: AsyncIterable<Uint8Array> | Uint8Array);
}

function isRequest(value: unknown): value is HttpRequest {
  return typeof value === "object" && value !== null && "headers" in value && "body" in value;
}

function isResponse(value: unknown): value is HttpResponse {
  return (
    typeof value === "object" &&
    value !== null &&
    "statusCode" in value &&
    "headers" in value &&
    "body" in value &&
    typeof value.body === "object" &&
    value.body !== null &&
    Symbol.asyncIterator in value.body
  );
}
