/** `node dynamodb-requests.mjs DUMP ENDPOINT FOLDER LANES`: BatchWriteItem for the dump's tables, 25 items each. */
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createTable, itemsIn, tablesIn } from "../peers/dynamodb-tables.mjs";
import { inBatches } from "../peers/in-flight.mjs";
import { Recorder, RequestFile } from "./requests.mjs";

const [, , dump = "", endpoint = "", folder = "", lanes = "1"] = process.argv;
const recorder = new Recorder();
const recording = new DynamoDBClient({ endpoint, requestHandler: recorder });
const client = new DynamoDBClient({ endpoint });
const requests = new RequestFile(folder, Number(lanes));

let batches = 0;
for (const table of tablesIn(dump)) {
  await createTable(client, table.schema);
  for await (const items of inBatches(itemsIn(table.items), 25)) {
    const RequestItems = { [table.schema.table_name]: items.map((Item) => ({ PutRequest: { Item } })) };
    const request = await recorder.requestOf(recording.send(new BatchWriteItemCommand({ RequestItems })));
    requests.add(batches++ % Number(lanes), request);
  }
}
requests.close();
client.destroy();
