/** A dump's table schema as CreateTable takes it. Pure. */
import type {
  AttributeDefinition,
  CreateTableCommandInput,
  GlobalSecondaryIndex,
  KeySchemaElement,
  LocalSecondaryIndex,
  Projection,
} from "@aws-sdk/client-dynamodb";
import type { KeySchema, TableIndex, TableSchema, Throughput } from "../../model/scope.js";
import { keyParts } from "./keys.js";

/** Only the attributes that a key uses are defined: CreateTable refuses others, and dumps may name them. */
export function createTableInput(table: string, schema: TableSchema): CreateTableCommandInput {
  const { key, globalIndexes, localIndexes, throughput } = schema;
  return {
    TableName: table,
    AttributeDefinitions: keyAttributes(schema),
    KeySchema: keyElements(key),
    BillingMode: throughput === undefined ? "PAY_PER_REQUEST" : "PROVISIONED",
    ...(throughput === undefined ? {} : { ProvisionedThroughput: units(throughput) }),
    ...(globalIndexes.length === 0
      ? {}
      : { GlobalSecondaryIndexes: globalIndexes.map((i) => globalIndex(i, throughput)) }),
    ...(localIndexes.length === 0 ? {} : { LocalSecondaryIndexes: localIndexes.map(localIndex) }),
  };
}

function keyAttributes({ key, globalIndexes, localIndexes }: TableSchema): AttributeDefinition[] {
  const defined = new Map<string, AttributeDefinition>();
  for (const part of [key, ...globalIndexes.map((i) => i.key), ...localIndexes.map((i) => i.key)].flatMap(keyParts)) {
    // Two types for one name stay two definitions, for the target to refuse.
    defined.set(`${part.type}${part.name}`, { AttributeName: part.name, AttributeType: part.type });
  }
  return [...defined.values()];
}

function keyElements({ hash, range }: KeySchema): KeySchemaElement[] {
  const elements: KeySchemaElement[] = [{ AttributeName: hash.name, KeyType: "HASH" }];
  if (range !== undefined) elements.push({ AttributeName: range.name, KeyType: "RANGE" });
  return elements;
}

function units({ read, write }: Throughput) {
  return { ReadCapacityUnits: read, WriteCapacityUnits: write };
}

/** As CreateTable and UpdateTable take it. An index of a table with its own throughput needs some too: the table's when the dump names none. */
export function globalIndex(index: TableIndex, table: Throughput | undefined): GlobalSecondaryIndex {
  const own = table === undefined ? undefined : (index.throughput ?? table);
  return { ...localIndex(index), ...(own === undefined ? {} : { ProvisionedThroughput: units(own) }) };
}

function localIndex({ name, key, projection }: TableIndex): LocalSecondaryIndex {
  return { IndexName: name, KeySchema: keyElements(key), Projection: projectionOf(projection) };
}

/** INCLUDE of nothing is what KEYS_ONLY means, and refused under its own name; elastickv's dumps can hold it. */
export function projectionOf({ type, nonKeyAttributes = [] }: TableIndex["projection"]): Projection {
  if (type !== "INCLUDE") return { ProjectionType: type };
  if (nonKeyAttributes.length === 0) return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: type, NonKeyAttributes: [...nonKeyAttributes] };
}
