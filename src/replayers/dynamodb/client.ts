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
import { carrying, type Exchange, exchangeConfig, prepareForExchanges, type RawAnswer } from "../exchange.js";

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

/** What the operations answer when there is nothing more to say. */
const ALL_WRITTEN = Buffer.from('{"UnprocessedItems":{}}');
const WRITTEN = Buffer.from("{}");

export function createClient(options: AwsOptions): DynamoDbClient {
  const sdk = new DynamoDBClient({ ...awsClientConfig(options), ...exchangeConfig(options.endpoint) });
  prepareForExchanges(sdk, options.endpoint);
  return {
    sdk,
    async batchWriteItem(table, body) {
      // The table's name stands here too, because the endpoint of an AWS account may follow from it.
      const input = { RequestItems: { [table]: [] } };
      return await exchanged({ body, plainAnswer: ALL_WRITTEN }, (exchange) =>
        sdk.send(new BatchWriteItemCommand(carrying(input, exchange))),
      );
    },
    async putItem(table, body) {
      const input = { TableName: table, Item: {} };
      return await exchanged({ body, plainAnswer: WRITTEN }, (exchange) =>
        sdk.send(new PutItemCommand(carrying(input, exchange))),
      );
    },
    async getItem(table, body) {
      const input = { TableName: table, Key: {} };
      return await exchanged({ body }, (exchange) => sdk.send(new GetItemCommand(carrying(input, exchange))));
    },
    async batchGetItem(table, body) {
      const input = { RequestItems: { [table]: { Keys: [] } } };
      return await exchanged({ body }, (exchange) => sdk.send(new BatchGetItemCommand(carrying(input, exchange))));
    },
    async scan(table, body) {
      const input = { TableName: table };
      return await exchanged({ body }, (exchange) => sdk.send(new ScanCommand(carrying(input, exchange))));
    },
    async listTables(body) {
      const asked = body === undefined ? {} : { body };
      return await exchanged(asked, (exchange) => sdk.send(new ListTablesCommand(carrying({ Limit: 1 }, exchange))));
    },
    destroy: () => sdk.destroy(),
  };
}

async function exchanged(exchange: Exchange, send: (exchange: Exchange) => Promise<unknown>): Promise<RawAnswer> {
  await send(exchange);
  if (exchange.answer === undefined) throw new TypeError("the client gave no answer");
  return exchange.answer;
}
