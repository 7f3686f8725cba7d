/** What the DynamoDB peers know of the dump's format: a table is a folder with a schema, and items in files of one or of many. */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateTableCommand, waitUntilTableExists } from "@aws-sdk/client-dynamodb";

/** @param {string} dump @returns {Generator<{ schema: any, items: string }>} `items`: their folder */
export function* tablesIn(dump) {
  for (const table of readdirSync(join(dump, "dynamodb"))) {
    const folder = join(dump, "dynamodb", table);
    yield { schema: JSON.parse(readFileSync(join(folder, "_schema.json"), "utf8")), items: join(folder, "items") };
  }
}

/** @param {import("@aws-sdk/client-dynamodb").DynamoDBClient} client @param {any} schema */
export async function createTable(client, schema) {
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
export async function* itemsIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* itemsIn(path);
    else if (entry.name.endsWith(".json")) yield JSON.parse(readFileSync(path, "utf8"));
    else for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line);
  }
}
