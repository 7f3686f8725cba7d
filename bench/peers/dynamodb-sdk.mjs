/**
 * `node dynamodb-sdk.mjs DUMP ENDPOINT`: the dump's tables and items by the AWS SDK, BatchWriteItem with 25 items, 16 calls
 * in flight. No check, no order; what the table leaves unprocessed is sent again.
 */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { inBatches, inFlight } from "./in-flight.mjs";

const [, , dump = "", endpoint = ""] = process.argv;
const client = new DynamoDBClient({ endpoint });

for (const table of readdirSync(join(dump, "dynamodb"))) {
  const folder = join(dump, "dynamodb", table);
  const schema = JSON.parse(readFileSync(join(folder, "_schema.json"), "utf8"));
  const TableName = schema.table_name;
  await createTable(schema);
  await inFlight(inBatches(itemsIn(join(folder, "items")), 25), async (items) => {
    /** @type {any} */
    let RequestItems = { [TableName]: items.map((Item) => ({ PutRequest: { Item } })) };
    while (RequestItems?.[TableName]?.length > 0) {
      ({ UnprocessedItems: RequestItems } = await client.send(new BatchWriteItemCommand({ RequestItems })));
    }
  });
}
client.destroy();

async function createTable(/** @type {any} */ schema) {
  const TableName = schema.table_name;
  const { hash_key: hash, range_key: range } = schema.primary_key;
  const keys = [hash, range].filter((key) => key?.name !== undefined);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
      KeySchema: keys.map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? "HASH" : "RANGE" })),
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
}

/** @param {string} folder @returns {AsyncGenerator<any>} */
async function* itemsIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* itemsIn(path);
    else if (entry.name.endsWith(".json")) yield JSON.parse(readFileSync(path, "utf8"));
    else for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
  }
}
