/**
 * `node dynamodb-sdk.mjs DUMP ENDPOINT`: the dump's tables and items by the AWS SDK, BatchWriteItem with 25 items, 16 calls
 * in flight. No check, no order; what the table leaves unprocessed is sent again.
 */
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, itemsIn, tablesIn } from "./dynamodb-tables.mjs";
import { inBatches, inFlight } from "./in-flight.mjs";

const [, , dump = "", endpoint = ""] = process.argv;
const client = new DynamoDBClient({ endpoint });

for (const { schema, items: folder } of tablesIn(dump)) {
  const TableName = schema.table_name;
  await createTable(client, schema);
  await inFlight(inBatches(itemsIn(folder), 25), async (items) => {
    /** @type {any} */
    let RequestItems = { [TableName]: items.map((Item) => ({ PutRequest: { Item } })) };
    while (RequestItems?.[TableName]?.length > 0) {
      ({ UnprocessedItems: RequestItems } = await client.send(new BatchWriteItemCommand({ RequestItems })));
    }
  });
}
client.destroy();
