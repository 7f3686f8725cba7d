/** Tables and items of a dump. The key of an item is read from its body, never from its file's name. */
import { join } from "node:path";

import { itemFacets, itemKey } from "./dynamodb-values.js";
import { entries, items, type Json, member, parseJson, parseLines, text } from "./json.js";
import type { Facets, State } from "./state.js";
import { filesBelow, scopeDirectories, textOf } from "./tree.js";

export interface TableShape {
  readonly keyNames: readonly string[];
  readonly facets: Facets;
  /** Key attributes of each global index, by its name. */
  readonly indexes: ReadonlyMap<string, readonly string[]>;
}

export function expectedTables(dump: string, counts: Map<string, number>): State {
  const state: State = new Map();
  for (const { name, path } of scopeDirectories(dump, "dynamodb")) {
    const shape = shapeOf(parseJson(textOf(join(path, "_schema.json"))));
    const found = itemsBelow(join(path, "items"));
    counts.set(`dynamodb:${name}`, found.length);
    state.set(`dynamodb ${name}`, { ...shape.facets, ...indexCounts(shape, found) });
    for (const item of found) state.set(`dynamodb ${name} ${itemKey(item, shape.keyNames)}`, itemFacets(item));
  }
  return state;
}

function itemsBelow(directory: string): Json[] {
  return filesBelow(directory).flatMap((path) => {
    const content = textOf(join(directory, path));
    return /^data-\d+\.jsonl$/u.test(path) ? parseLines(content) : [parseJson(content)];
  });
}

/** Indexes are not dumped but follow from the items: those that have all of the index's key attributes. */
function indexCounts(shape: TableShape, found: readonly Json[]): Facets {
  return Object.fromEntries(
    [...shape.indexes].map(([index, names]) => {
      const held = found.filter((item) => names.every((name) => entries(item).some(([own]) => own === name)));
      return [`index ${index} holds`, String(held.length)];
    }),
  );
}

/** Either of the format's own shapes, or a DescribeTable answer with or without its wrapper. */
export function shapeOf(schema: Json): TableShape {
  const wrapped = member(schema, "Table");
  const table = wrapped.kind === "object" ? wrapped : schema;
  return member(table, "KeySchema").kind === "array" ? describedShape(table) : ownShape(table);
}

function ownShape(table: Json): TableShape {
  const primary = keysOf(member(table, "primary_key"));
  const indexes = items(member(table, "global_secondary_indexes")).map((index) => ({
    name: text(member(index, "name")) ?? "",
    keys: keysOf(member(index, "key_schema")),
    projection: text(member(member(index, "projection"), "type")) ?? "",
    extra: items(member(member(index, "projection"), "non_key_attributes")).map((name) => text(name) ?? ""),
  }));
  return shape(primary, indexes);
}

function keysOf(schema: Json): Key[] {
  const parts = schema.kind === "array" ? schema.items : [member(schema, "hash_key"), member(schema, "range_key")];
  return parts.flatMap((part) => {
    const name = part.kind === "null" ? undefined : text(member(part, "name"));
    return name === undefined ? [] : [{ name, type: text(member(part, "type")) ?? "" }];
  });
}

function describedShape(table: Json): TableShape {
  const types = new Map(
    items(member(table, "AttributeDefinitions")).map((definition) => [
      text(member(definition, "AttributeName")) ?? "",
      text(member(definition, "AttributeType")) ?? "",
    ]),
  );
  const keys = (schema: Json): Key[] =>
    items(schema).map((part) => {
      const name = text(member(part, "AttributeName")) ?? "";
      return { name, type: types.get(name) ?? "" };
    });
  const indexes = items(member(table, "GlobalSecondaryIndexes")).map((index) => ({
    name: text(member(index, "IndexName")) ?? "",
    keys: keys(member(index, "KeySchema")),
    projection: text(member(member(index, "Projection"), "ProjectionType")) ?? "",
    extra: items(member(member(index, "Projection"), "NonKeyAttributes")).map((name) => text(name) ?? ""),
  }));
  return shape(keys(member(table, "KeySchema")), indexes);
}

interface Key {
  readonly name: string;
  readonly type: string;
}

interface Index {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly projection: string;
  readonly extra: readonly string[];
}

function shape(primary: readonly Key[], indexes: readonly Index[]): TableShape {
  const show = (keys: readonly Key[]) => keys.map(({ name, type }) => `${name}:${type}`).join(", ");
  const facets: Facets = { key: show(primary) };
  for (const { name, keys, projection, extra } of indexes) {
    facets[`index ${name}`] = `${show(keys)} projects ${[projection, ...[...extra].sort()].join(" ")}`;
  }
  return {
    keyNames: primary.map(({ name }) => name),
    facets,
    indexes: new Map(indexes.map(({ name, keys }) => [name, keys.map((key) => key.name)])),
  };
}
