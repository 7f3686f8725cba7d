import type { ItemRecord } from "../../src/model/record.js";
import type { TableSchema, TableScope } from "../../src/model/scope.js";
import { readItem } from "../../src/readers/dynamodb-item.js";
import { type JsonObject, parseJson } from "../../src/support/json.js";

/** A table with the hash key `pk` (S), unless the schema says otherwise. */
export function tableScope(name: string, schema: Partial<TableSchema> = {}): TableScope {
  return {
    adapter: "dynamodb",
    name,
    target: name,
    path: `dynamodb/${name}`,
    warnings: [],
    schema: { key: { hash: { name: "pk", type: "S" } }, globalIndexes: [], localIndexes: [], ...schema },
  };
}

let places = 0;

/** The record that a reader makes of this JSON text. */
function itemRecord(scope: TableScope, text: string | Buffer): ItemRecord {
  const bytes = Buffer.from(text);
  const { keyText, displayKey } = readItem(bytes, scope.schema);
  const path = `${scope.path}/items/${++places}.json`;
  return { kind: "item", place: { path }, after: { path }, displayKey, bytes: bytes.length, text: bytes, keyText };
}

export function itemRecords(scope: TableScope, ...texts: readonly string[]): ItemRecord[] {
  return texts.map((text) => itemRecord(scope, text));
}

/** Sends a request as it is and parses the answer strictly: names like `__proto__` and all digits survive. */
export async function dynamoDb(endpoint: string, operation: string, body: string | object): Promise<JsonObject> {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-date": "20250101T000000Z",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=elastickvlocal/20250101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text.toString()}`);
  const parsed = parseJson(text, { maxDepth: 256 });
  if (!(parsed instanceof Map)) throw new Error(`${operation} answered no object`);
  return parsed;
}

/** All items of a table (small ones), or of one of its indexes. */
export async function itemsOf(endpoint: string, table: string, index?: string): Promise<JsonObject[]> {
  const request = { TableName: table, ConsistentRead: index === undefined, ...(index && { IndexName: index }) };
  const items = (await dynamoDb(endpoint, "Scan", request)).get("Items");
  if (!Array.isArray(items)) throw new Error("Scan answered no items");
  return items as JsonObject[];
}

/** The attribute's value, `{"S":"a"}` as `a`. */
export function attributeOf(item: JsonObject | undefined, name: string): unknown {
  const attribute = item?.get(name);
  return attribute instanceof Map ? [...attribute.values()][0] : undefined;
}

/** The `pk` values of a table's items, sorted. */
export async function keysOf(endpoint: string, table: string, index?: string): Promise<unknown[]> {
  return (await itemsOf(endpoint, table, index)).map((item) => attributeOf(item, "pk")).sort();
}
