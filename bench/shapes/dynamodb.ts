/** DynamoDB: very many items, in one JSONL file or in a file each. */
import {
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  paginateScan,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";

import { startDynamoDbLocal } from "../../testcontainers/dynamodb-local.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";
import { filler, type Shape, wrong } from "./shape.js";

const TABLE = "orders";
const FOLDER = `dynamodb/${TABLE}`;
const SCHEMA = {
  format_version: 1,
  table_name: TABLE,
  primary_key: { hash_key: { name: "id", type: "S" }, range_key: {} },
  attribute_definitions: [{ name: "id", type: "S" }],
};
/** Of a note: items are from 0.2 to 1 KB with it. */
const [LEAST_CHARS, MOST_CHARS] = [40, 840];
const EMPTIED_SECONDS = 60;

type Made = (index: number) => Item;

interface Item {
  readonly id: { readonly S: string };
  readonly total: { readonly N: string };
  readonly [name: string]: object;
}

const onDynamoDb = { adapter: "dynamodb", start: startDynamoDbLocal, warmsUp: true, empty } as const;

/** `size` items of three attributes in one file. */
export const dynamoDbSmallItems: Shape = itemsInOneFile(smallItem);

/** `size` items of 0.2 to 1 KB in one file. */
export const dynamoDbLines: Shape = itemsInOneFile(order);

/** The same, a file each. */
export const dynamoDbFiles: Shape = {
  ...onDynamoDb,
  async generate(dump, size) {
    await dump.add(`${FOLDER}/_schema.json`, [JSON.stringify(SCHEMA)]);
    for (let index = 0; index < size; index++) {
      const item = order(index);
      dump.addSmall(`${FOLDER}/items/${item.id.S}.json`, JSON.stringify(item));
    }
    return { records: size };
  },
  check: async (server, { size }) => await wrongInTable(server, size, order),
};

function itemsInOneFile(made: Made): Shape {
  return {
    ...onDynamoDb,
    async generate(dump, size) {
      await dump.add(`${FOLDER}/_schema.json`, [JSON.stringify(SCHEMA)]);
      await dump.add(`${FOLDER}/items/data-00001.jsonl`, lines(size, made));
      return { records: size };
    },
    check: async (server, { size }) => await wrongInTable(server, size, made),
  };
}

function smallItem(index: number): Item {
  return { id: { S: `order-${index}` }, total: { N: String(index) }, status: { S: "shipped" } };
}

function order(index: number): Item {
  const chars = LEAST_CHARS + ((index * 37) % (MOST_CHARS - LEAST_CHARS));
  return {
    ...smallItem(index),
    note: { S: filler(index, chars) },
    paid: { BOOL: index % 3 === 0 },
    tags: { SS: [`tag-${index % 7}`, `tag-${7 + (index % 5)}`] },
    address: { M: { city: { S: "Kyōto" }, zip: { N: String(6_000_000 + index) } } },
  };
}

function* lines(size: number, made: Made): Generator<string> {
  for (let index = 0; index < size; index++) yield `${JSON.stringify(made(index))}\n`;
}

async function wrongInTable(server: RunningServer, size: number, made: Made): Promise<string[]> {
  return await onServer(server, async (client) => {
    const last = made(size - 1);
    const request = new GetItemCommand({ TableName: TABLE, Key: { id: last.id }, ConsistentRead: true });
    const { Item = {} } = await client.send(request);
    return [
      ...wrong("items in the table", await count(client), size),
      ...wrong("the last item", sorted(Item), sorted(last)),
    ];
  });
}

/** As text, in the order of names; members of sets come back in any order. */
function sorted(item: object): string {
  const byName = (_: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.toSorted();
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
  };
  return JSON.stringify(item, byName);
}

async function count(client: DynamoDBClient): Promise<number> {
  let found = 0;
  for await (const { Count = 0 } of paginateScan({ client }, { TableName: TABLE, Select: "COUNT" })) found += Count;
  return found;
}

async function empty(server: RunningServer): Promise<void> {
  await onServer(server, async (client) => {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    if (!TableNames.includes(TABLE)) return;
    await client.send(new DeleteTableCommand({ TableName: TABLE }));
    await waitUntilTableNotExists({ client, maxWaitTime: EMPTIED_SECONDS, minDelay: 1 }, { TableName: TABLE });
  });
}

async function onServer<T>({ endpoint }: RunningServer, use: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const client = new DynamoDBClient({ endpoint, credentials: LOCAL_CREDENTIALS, region: "us-east-1" });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}
