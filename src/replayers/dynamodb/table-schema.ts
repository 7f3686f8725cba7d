/** A dump's table schema as CreateTable takes it, and compared with what DescribeTable says. Pure. */
import type {
  AttributeDefinition,
  CreateTableCommandInput,
  GlobalSecondaryIndex,
  KeySchemaElement,
  LocalSecondaryIndex,
  Projection,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import { escapeForDisplay } from "../../model/display.js";
import type { KeyAttribute, KeySchema, TableIndex, TableSchema, Throughput } from "../../model/scope.js";

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

function keyParts({ hash, range }: KeySchema): KeyAttribute[] {
  return range === undefined ? [hash] : [hash, range];
}

function keyElements({ hash, range }: KeySchema): KeySchemaElement[] {
  const elements: KeySchemaElement[] = [{ AttributeName: hash.name, KeyType: "HASH" }];
  if (range !== undefined) elements.push({ AttributeName: range.name, KeyType: "RANGE" });
  return elements;
}

function units({ read, write }: Throughput) {
  return { ReadCapacityUnits: read, WriteCapacityUnits: write };
}

/** An index of a table with its own throughput needs some too: the table's when the dump names none. */
function globalIndex(index: TableIndex, table: Throughput | undefined): GlobalSecondaryIndex {
  const own = table === undefined ? undefined : (index.throughput ?? table);
  return { ...localIndex(index), ...(own === undefined ? {} : { ProvisionedThroughput: units(own) }) };
}

function localIndex({ name, key, projection }: TableIndex): LocalSecondaryIndex {
  return { IndexName: name, KeySchema: keyElements(key), Projection: projectionOf(projection) };
}

/** INCLUDE of nothing is what KEYS_ONLY means, and refused under its own name; elastickv's dumps can hold it. */
function projectionOf({ type, nonKeyAttributes = [] }: TableIndex["projection"]): Projection {
  if (type !== "INCLUDE") return { ProjectionType: type };
  if (nonKeyAttributes.length === 0) return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: type, NonKeyAttributes: [...nonKeyAttributes] };
}

/** Why items of the dump's table cannot go into this one: another primary key. */
export function keyDifference(schema: TableSchema, table: TableDescription): string | undefined {
  const wanted = describeKey(schema.key);
  const found = describeElements(table.KeySchema, table.AttributeDefinitions);
  return wanted === found ? undefined : `the table's key is ${found}, the dump's is ${wanted}`;
}

/** How the table's indexes differ from the dump's, one sentence each. Their order and throughput do not count. */
export function indexDifferences(schema: TableSchema, table: TableDescription): string[] {
  return [
    ...differencesOf("global", schema.globalIndexes, table.GlobalSecondaryIndexes ?? [], table.AttributeDefinitions),
    ...differencesOf("local", schema.localIndexes, table.LocalSecondaryIndexes ?? [], table.AttributeDefinitions),
  ];
}

interface FoundIndex {
  readonly IndexName?: string | undefined;
  readonly KeySchema?: KeySchemaElement[] | undefined;
  readonly Projection?: Projection | undefined;
}

function differencesOf(
  kind: "global" | "local",
  wanted: readonly TableIndex[],
  found: readonly FoundIndex[],
  definitions: AttributeDefinition[] | undefined,
): string[] {
  const there = new Map(found.map((index) => [index.IndexName ?? "", describeFound(index, definitions)]));
  const named = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.flatMap((index) => {
      const label = `${kind} index "${escapeForDisplay(index.name)}"`;
      const [has, should] = [there.get(index.name), describeIndex(index)];
      if (has === undefined) return [`the ${label} is missing`];
      return has === should ? [] : [`the ${label} has ${has}, the dump's has ${should}`];
    }),
    ...[...there.keys()]
      .filter((name) => !named.has(name))
      .map((name) => `the ${kind} index "${escapeForDisplay(name)}" is not in the dump`),
  ];
}

function describeIndex(index: TableIndex): string {
  return `key ${describeKey(index.key)} and projects ${describeProjection(projectionOf(index.projection))}`;
}

function describeFound(index: FoundIndex, definitions: AttributeDefinition[] | undefined): string {
  const key = describeElements(index.KeySchema, definitions);
  return `key ${key} and projects ${describeProjection(index.Projection ?? {})}`;
}

function describeProjection({ ProjectionType, NonKeyAttributes = [] }: Projection): string {
  const names = [...(NonKeyAttributes ?? [])].sort().map(escapeForDisplay);
  const type = ProjectionType === "INCLUDE" && names.length === 0 ? "KEYS_ONLY" : (ProjectionType ?? "ALL");
  return names.length === 0 ? type : `${type} (${names.join(", ")})`;
}

function describeKey(key: KeySchema): string {
  return keyParts(key)
    .map(({ name, type }) => `${escapeForDisplay(name)} (${type})`)
    .join(", ");
}

function describeElements(
  elements: readonly KeySchemaElement[] | undefined,
  definitions: readonly AttributeDefinition[] | undefined,
): string {
  const types = new Map(definitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]));
  return (["HASH", "RANGE"] as const)
    .flatMap((keyType) => elements?.filter((element) => element.KeyType === keyType) ?? [])
    .map(({ AttributeName }) => `${escapeForDisplay(AttributeName ?? "")} (${types.get(AttributeName) ?? "?"})`)
    .join(", ");
}
