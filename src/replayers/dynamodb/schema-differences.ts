/** How the target's table differs from the dump's, without its items and its throughput. Pure. */
import type { AttributeDefinition, KeySchemaElement, Projection, TableDescription } from "@aws-sdk/client-dynamodb";
import { escapeForDisplay } from "../../model/display.js";
import type { KeySchema, TableIndex, TableSchema } from "../../model/scope.js";
import { keyParts } from "./keys.js";
import { projectionOf } from "./table-schema.js";

/** Why items of the dump's table cannot go into this one: another primary key. */
export function keyDifference(schema: TableSchema, table: TableDescription): string | undefined {
  const wanted = describeKey(schema.key);
  const found = describeElements(table.KeySchema, table.AttributeDefinitions);
  return wanted === found ? undefined : `the table's key is ${found}, the dump's is ${wanted}`;
}

/** How the table's indexes differ from the dump's, one sentence each. Their order and throughput do not count. */
export function indexDifferences(schema: TableSchema, table: TableDescription): string[] {
  return indexFindings(schema, table).map(({ detail }) => detail);
}

export interface IndexFinding {
  readonly kind: "global" | "local";
  /** `extra`: the dump has none of this name. */
  readonly state: "missing" | "other" | "extra";
  readonly name: string;
  /** The dump's, but for `extra`. */
  readonly wanted?: TableIndex;
  /** One sentence. */
  readonly detail: string;
}

export function indexFindings(schema: TableSchema, table: TableDescription): IndexFinding[] {
  const definitions = table.AttributeDefinitions;
  // One that is on its way out answers nothing any more.
  const globals = (table.GlobalSecondaryIndexes ?? []).filter(({ IndexStatus }) => IndexStatus !== "DELETING");
  return [
    ...findingsOf("global", schema.globalIndexes, describedBy(globals, definitions)),
    ...findingsOf("local", schema.localIndexes, describedBy(table.LocalSecondaryIndexes ?? [], definitions)),
  ];
}

/** `global index by_status`, printable. */
export function indexLabel({ kind, name }: Pick<IndexFinding, "kind" | "name">): string {
  return `${kind} index ${escapeForDisplay(name)}`;
}

interface FoundIndex {
  readonly IndexName?: string | undefined;
  readonly KeySchema?: KeySchemaElement[] | undefined;
  readonly Projection?: Projection | undefined;
}

function describedBy(
  found: readonly FoundIndex[],
  definitions: AttributeDefinition[] | undefined,
): ReadonlyMap<string, string> {
  return new Map(found.map((index) => [index.IndexName ?? "", describeFound(index, definitions)]));
}

function findingsOf(
  kind: IndexFinding["kind"],
  indexes: readonly TableIndex[],
  there: ReadonlyMap<string, string>,
): IndexFinding[] {
  const named = new Set(indexes.map(({ name }) => name));
  const ours = indexes.flatMap((wanted): IndexFinding[] => {
    const { name } = wanted;
    const [has, should] = [there.get(name), describeIndex(wanted)];
    if (has === should) return [];
    const label = quoted(kind, name);
    if (has === undefined) return [{ kind, name, wanted, state: "missing", detail: `the ${label} is missing` }];
    return [{ kind, name, wanted, state: "other", detail: `the ${label} has ${has}, the dump's has ${should}` }];
  });
  const others = [...there.keys()].filter((name) => !named.has(name));
  return [
    ...ours,
    ...others.map((name): IndexFinding => {
      return { kind, name, state: "extra", detail: `the ${quoted(kind, name)} is not in the dump` };
    }),
  ];
}

function quoted(kind: IndexFinding["kind"], name: string): string {
  return `${kind} index "${escapeForDisplay(name)}"`;
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
