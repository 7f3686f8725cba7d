/** Damages to tables: an item each, and tables of their own for what concerns a table. */
import { type DumpFile, tableSchema } from "../dump-builder.js";
import { dynamoDb } from "../dynamodb-records.js";
import { type Damage, foundAs } from "./damage.js";

type Attributes = Readonly<Record<string, unknown>>;

/** A client of one server. */
export class Tables {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async call(operation: string, body: object): Promise<void> {
    await dynamoDb(this.#endpoint, operation, body);
  }

  /** Replaces the item whole. */
  async put(pk: string, attributes: Attributes, table = "orders"): Promise<void> {
    await this.call("PutItem", { TableName: table, Item: { pk: { S: pk }, ...attributes } });
  }

  /** With this key, no index and no items. */
  async makeAnew(table: string, { name, type }: { readonly name: string; readonly type: string }): Promise<void> {
    await this.call("DeleteTable", { TableName: table });
    await this.call("CreateTable", {
      TableName: table,
      KeySchema: [{ AttributeName: name, KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: name, AttributeType: type }],
      BillingMode: "PAY_PER_REQUEST",
    });
  }

  async remove(pk: string): Promise<void> {
    await this.call("DeleteItem", { TableName: "orders", Key: { pk: { S: pk } } });
  }
}

const ALL = 38;
const DIGITS = "9".repeat(ALL - 1);

function item(key: string, attributes: Attributes, table = "orders"): Record<string, DumpFile> {
  return { [`dynamodb/${table}/items/${key}.json`]: { pk: { S: key }, ...attributes } };
}

/** The item that the dump holds, and that which the target holds in its place. */
function changed(key: string, own: Attributes, held: Attributes, ...found: string[]): Damage<Tables> {
  return {
    key,
    files: item(key, own),
    damage: (tables) => tables.put(key, held),
    found: foundAs({ scope: "dynamodb:orders", key }, ...found),
  };
}

const list = (...elements: string[]) => ({ list: { L: elements.map((S) => ({ S })) } });
const lines = (sku: string) => ({ lines: { L: [{ M: { sku: { S: sku }, count: { N: "1" } } }] } });

export const TABLE_DAMAGES: readonly Damage<Tables>[] = [
  changed("text", { v: { S: "ours" } }, { v: { S: "hers" } }, "value v"),
  changed("digit", { v: { N: `${DIGITS}8` } }, { v: { N: `${DIGITS}7` } }, "value v"),
  changed("type", { v: { N: "1" } }, { v: { S: "1" } }, "type v"),
  changed("truth", { v: { BOOL: true } }, { v: { BOOL: false } }, "value v"),
  changed("bytes", { v: { B: "AAEC" } }, { v: { B: "AAED" } }, "value v"),
  changed("nested", lines("a"), lines("b"), "value lines[0].sku"),
  changed("element", list("a", "b", "c"), list("a", "x", "c"), "value list[1]"),
  changed("order", list("a", "b", "c"), list("b", "a", "c"), "order list"),
  changed("list-less", list("a", "b", "c"), list("a", "c"), "missing-part list[1]"),
  changed("set-other", { v: { SS: ["a", "b"] } }, { v: { SS: ["a", "c"] } }, "missing-part v", "extra-part v"),
  changed("set-less", { v: { NS: ["1", "2"] } }, { v: { NS: ["1"] } }, "missing-part v"),
  changed("less", { v: { S: "x" }, w: { S: "y" } }, { v: { S: "x" } }, "missing-part w"),
  changed("more", { v: { S: "x" } }, { v: { S: "x" }, more: { NULL: true } }, "extra-part more"),
  {
    key: "is-gone",
    files: item("is-gone", { v: { S: "x" } }),
    damage: (tables) => tables.remove("is-gone"),
    found: foundAs({ scope: "dynamodb:orders", key: "is-gone" }, "missing"),
  },
  {
    key: "stranger",
    files: {},
    damage: (tables) => tables.put("stranger", { v: { S: "theirs" } }),
    found: foundAs({ scope: "dynamodb:orders", key: "stranger" }, "extra"),
  },
  {
    key: "index",
    files: {
      "dynamodb/indexed/_schema.json": withIndex("indexed"),
      ...item("one", { status: { S: "open" } }, "indexed"),
    },
    damage: async (tables) => {
      await tables.makeAnew("indexed", { name: "pk", type: "S" });
      await tables.put("one", { status: { S: "open" } }, "indexed");
    },
    found: foundAs({ scope: "dynamodb:indexed" }, "setting global index by_status"),
  },
  {
    key: "table",
    files: {
      "dynamodb/lost/_schema.json": tableSchema("lost", { name: "pk", type: "S" }),
      ...item("one", {}, "lost"),
      ...item("two", {}, "lost"),
    },
    damage: (tables) => tables.call("DeleteTable", { TableName: "lost" }),
    found: foundAs({ scope: "dynamodb:lost" }, "scope-missing"),
  },
];

function withIndex(name: string): DumpFile {
  const projection = { type: "ALL" };
  const key_schema = { hash_key: { name: "status", type: "S" }, range_key: {} };
  return {
    ...tableSchema(name, { name: "pk", type: "S" }),
    global_secondary_indexes: [{ name: "by_status", key_schema, projection }],
  };
}

export const TABLE_FILES: Readonly<Record<string, DumpFile>> = {
  "dynamodb/orders/_schema.json": tableSchema("orders", { name: "pk", type: "S" }),
  ...item("untouched", { v: { N: "1.50" }, ...list("x") }),
};
