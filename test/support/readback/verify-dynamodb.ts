/**
 * What a DynamoDB holds, asked with bare HTTP requests: a client library's deserialiser would be one more place to lose
 * an attribute in. The servers that tests start do not check signatures.
 */

import { itemFacets, itemKey } from "./dynamodb-values.js";
import type { Expected } from "./expected.js";
import { shapeOf } from "./expected-dynamodb.js";
import { digits, items, type Json, member, parseJson, text } from "./json.js";
import { compareStates, type Difference, type Exception, type State, withoutExceptions } from "./state.js";

/** Every difference between the dump's tables and the target's, all tables of the target included. */
export async function verifyDynamoDb(
  expected: Expected,
  endpoint: string,
  exceptions: readonly Exception[] = [],
): Promise<Difference[]> {
  return withoutExceptions(compareStates(expected.dynamodb, await dynamoDbState(endpoint)), exceptions);
}

/** All tables, their indexes and all their items. */
export async function dynamoDbState(endpoint: string): Promise<State> {
  const state: State = new Map();
  for (const table of await tableNames(endpoint)) {
    const shape = shapeOf(await call(endpoint, "DescribeTable", { TableName: table }));
    const held: [string, string][] = [];
    for (const index of shape.indexes.keys()) {
      const found = await scan(endpoint, { TableName: table, IndexName: index, Select: "COUNT" });
      held.push([`index ${index} holds`, String(found.count)]);
    }
    state.set(`dynamodb ${table}`, { ...shape.facets, ...Object.fromEntries(held) });
    for (const item of (await scan(endpoint, { TableName: table, ConsistentRead: true })).items) {
      state.set(`dynamodb ${table} ${itemKey(item, shape.keyNames)}`, itemFacets(item));
    }
  }
  return state;
}

async function tableNames(endpoint: string): Promise<string[]> {
  return items(member(await call(endpoint, "ListTables", {}), "TableNames")).map((name) => text(name) ?? "");
}

async function scan(endpoint: string, request: object): Promise<{ count: number; items: Json[] }> {
  const found: { count: number; items: Json[] } = { count: 0, items: [] };
  for (let start: Json = { kind: "null" }; ; ) {
    const from = start.kind === "null" ? "" : `,"ExclusiveStartKey":${render(start)}`;
    const answer = await send(endpoint, "Scan", `${JSON.stringify(request).slice(0, -1)}${from}}`);
    found.count += Number(digits(member(answer, "Count")));
    found.items.push(...items(member(answer, "Items")));
    start = member(answer, "LastEvaluatedKey");
    if (start.kind === "null") return found;
  }
}

async function call(endpoint: string, operation: string, request: object): Promise<Json> {
  return await send(endpoint, operation, JSON.stringify(request));
}

async function send(endpoint: string, operation: string, body: string): Promise<Json> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      authorization:
        "AWS4-HMAC-SHA256 Credential=elastickvlocal/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    },
    body,
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${operation} was answered with ${response.status}: ${answer}`);
  return parseJson(answer);
}

function render(value: Json): string {
  switch (value.kind) {
    case "null":
      return "null";
    case "boolean":
      return String(value.value);
    case "number":
      return value.text;
    case "string":
      return JSON.stringify(value.value);
    case "array":
      return `[${value.items.map(render).join(",")}]`;
    case "object":
      return `{${value.entries.map(([name, inner]) => `${JSON.stringify(name)}:${render(inner)}`).join(",")}}`;
  }
}
