/** `_schema.json`: shipped and design form, and a DescribeTable answer as DynamoDB's own tools write it. */
import type { KeySchema, KeyType, TableIndex, TableSchema, Throughput } from "../model/scope.js";
import type { JsonObject, JsonValue } from "../support/json.js";
import { asArray, asObject, asString, assertFormatVersion, FieldError, optionalNumber } from "./json-access.js";

export interface ReadSchema {
  readonly name: string;
  readonly schema: TableSchema;
  readonly warnings: readonly string[];
}

/** @throws FieldError */
export function readTableSchema(root: JsonObject): ReadSchema {
  const table = root.get("Table");
  if (table !== undefined) return describeTableForm(asObject(table, '"Table"'));
  return root.has("KeySchema") ? describeTableForm(root) : dumpForm(root);
}

function dumpForm(root: JsonObject): ReadSchema {
  assertFormatVersion(root);
  const primary = asObject(root.get("primary_key"), '"primary_key"');
  const indexes = root.get("global_secondary_indexes") ?? [];
  const globalIndexes = asArray(indexes, '"global_secondary_indexes"').map((value): TableIndex => {
    const index = asObject(value, "an index");
    const projection = asObject(index.get("projection"), '"projection"');
    return {
      name: asString(index.get("name"), "an index's name"),
      key: indexKey(index.get("key_schema")),
      projection: readProjection(projection.get("type"), projection.get("non_key_attributes")),
    };
  });
  const schema = { key: keyObject(primary), globalIndexes, localIndexes: [] };
  return { name: asString(root.get("table_name"), '"table_name"'), schema, warnings: [] };
}

/** Shipped: an object of two. Design: an array, hash first. */
function indexKey(value: JsonValue | undefined): KeySchema {
  if (!Array.isArray(value)) return keyObject(asObject(value, '"key_schema"'));
  if (value.length < 1 || value.length > 2) throw new FieldError('"key_schema" has neither one nor two attributes');
  const [hash, range] = value.map((part) => keyAttribute(asObject(part, "a key attribute")));
  if (hash === undefined) throw new FieldError('"key_schema" has no hash key');
  return range === undefined ? { hash } : { hash, range };
}

function keyObject(object: JsonObject): KeySchema {
  const hash = keyAttribute(asObject(object.get("hash_key"), '"hash_key"'));
  const range = object.get("range_key") ?? undefined;
  if (range === undefined) return { hash };
  const rangeObject = asObject(range, '"range_key"');
  return rangeObject.size === 0 ? { hash } : { hash, range: keyAttribute(rangeObject) };
}

function keyAttribute(object: JsonObject): KeySchema["hash"] {
  const name = asString(object.get("name"), "a key attribute's name");
  if (name === "") throw new FieldError("a key attribute has an empty name");
  return { name, type: keyType(object.get("type")) };
}

function keyType(value: JsonValue | undefined): KeyType {
  const type = asString(value, "a key attribute's type");
  if (type !== "S" && type !== "N" && type !== "B") throw new FieldError(`a key cannot have type "${type}"`);
  return type;
}

function readProjection(type: JsonValue | undefined, names: JsonValue | undefined): TableIndex["projection"] {
  const kind = asString(type, "a projection's type");
  if (kind !== "ALL" && kind !== "KEYS_ONLY" && kind !== "INCLUDE")
    throw new FieldError(`unknown projection "${kind}"`);
  const attributes = asArray(names ?? [], "a projection's attributes").map((name) => asString(name, "an attribute"));
  return attributes.length === 0 ? { type: kind } : { type: kind, nonKeyAttributes: attributes };
}

function describeTableForm(table: JsonObject): ReadSchema {
  const types = new Map<string, KeyType>();
  for (const value of asArray(table.get("AttributeDefinitions"), '"AttributeDefinitions"')) {
    const definition = asObject(value, "an attribute definition");
    types.set(asString(definition.get("AttributeName"), '"AttributeName"'), keyType(definition.get("AttributeType")));
  }
  const indexes = (field: string) =>
    asArray(table.get(field) ?? [], `"${field}"`).map((value) => describedIndex(asObject(value, "an index"), types));
  const own = throughput(table.get("ProvisionedThroughput"));
  const schema: TableSchema = {
    key: describedKey(table.get("KeySchema"), types),
    globalIndexes: indexes("GlobalSecondaryIndexes"),
    localIndexes: indexes("LocalSecondaryIndexes"),
    ...(own === undefined ? {} : { throughput: own }),
  };
  const warnings = ["StreamSpecification", "TimeToLiveDescription", "Tags"]
    .filter((field) => (table.get(field) ?? undefined) !== undefined)
    .map((field) => `${field} of the table is not restored`);
  return { name: asString(table.get("TableName"), '"TableName"'), schema, warnings };
}

function describedIndex(index: JsonObject, types: ReadonlyMap<string, KeyType>): TableIndex {
  const projection = asObject(index.get("Projection"), '"Projection"');
  const own = throughput(index.get("ProvisionedThroughput"));
  return {
    name: asString(index.get("IndexName"), '"IndexName"'),
    key: describedKey(index.get("KeySchema"), types),
    projection: readProjection(projection.get("ProjectionType"), projection.get("NonKeyAttributes")),
    ...(own === undefined ? {} : { throughput: own }),
  };
}

function describedKey(value: JsonValue | undefined, types: ReadonlyMap<string, KeyType>): KeySchema {
  const parts = new Map<string, KeySchema["hash"]>();
  for (const part of asArray(value, '"KeySchema"')) {
    const object = asObject(part, "a key part");
    const name = asString(object.get("AttributeName"), '"AttributeName"');
    const type = types.get(name);
    if (type === undefined) throw new FieldError(`the key attribute "${name}" has no definition`);
    parts.set(asString(object.get("KeyType"), '"KeyType"'), { name, type });
  }
  const [hash, range] = [parts.get("HASH"), parts.get("RANGE")];
  if (hash === undefined) throw new FieldError('"KeySchema" has no HASH part');
  return range === undefined ? { hash } : { hash, range };
}

function throughput(value: JsonValue | undefined): Throughput | undefined {
  if (!(value instanceof Map)) return undefined;
  const [read, write] = [optionalNumber(value, "ReadCapacityUnits"), optionalNumber(value, "WriteCapacityUnits")];
  return read !== undefined && write !== undefined && read > 0 && write > 0 ? { read, write } : undefined;
}
