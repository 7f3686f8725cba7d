/** DynamoDB: very many items in one JSONL file. */
import { DynamoDBClient, GetItemCommand, ScanCommand, type ScanCommandOutput } from "@aws-sdk/client-dynamodb";

import { startDynamoDbLocal } from "../../testcontainers/dynamodb-local.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import type { Scenario } from "../scenario.js";
import { LIMIT_BYTES } from "./limit.js";

const SCHEMA = {
  format_version: 1,
  table_name: "orders",
  primary_key: { hash_key: { name: "id", type: "S" }, range_key: {} },
  attribute_definitions: [{ name: "id", type: "S" }],
};

export const dynamoDbItems: Scenario = {
  name: "memory/dynamodb-items",
  title: "DynamoDB items in one file",
  adapter: "dynamodb",
  size: 1_000_000,
  limitBytes: LIMIT_BYTES,
  start: startDynamoDbLocal,
  async generate(dump, size) {
    await dump.add("dynamodb/orders/_schema.json", [JSON.stringify(SCHEMA)]);
    await dump.add("dynamodb/orders/items/data-00001.jsonl", lines(size));
    return { records: size };
  },
  async check({ endpoint }, size) {
    const client = new DynamoDBClient({ endpoint, credentials: LOCAL_CREDENTIALS, region: "us-east-1" });
    try {
      const found = await count(client);
      const last = item(size - 1);
      const Key = { id: last.id };
      const { Item } = await client.send(new GetItemCommand({ TableName: "orders", Key, ConsistentRead: true }));
      return [
        ...(found === size ? [] : [`the table holds ${found} items instead of ${size}`]),
        ...(Item?.["total"]?.N === last.total.N ? [] : ["the last item is another one"]),
      ];
    } finally {
      client.destroy();
    }
  },
};

function item(index: number) {
  return { id: { S: `order-${index}` }, total: { N: String(index) }, status: { S: "shipped" } };
}

function* lines(size: number): Generator<string> {
  for (let index = 0; index < size; index++) yield `${JSON.stringify(item(index))}\n`;
}

async function count(client: DynamoDBClient): Promise<number> {
  let found = 0;
  for (let key: ScanCommandOutput["LastEvaluatedKey"], first = true; first || key !== undefined; first = false) {
    const request = new ScanCommand({ TableName: "orders", Select: "COUNT", ExclusiveStartKey: key });
    const page: ScanCommandOutput = await client.send(request);
    found += page.Count ?? 0;
    key = page.LastEvaluatedKey;
  }
  return found;
}
