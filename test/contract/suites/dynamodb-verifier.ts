/** What comparing a table with the dump finds, and what it does not take for a difference. */
import { describe, expect, it } from "vitest";
import type { TableIndex, TableSchema, TableScope } from "../../../src/model/scope.js";
import type { Comparing, HeldKey, Verifier } from "../../../src/replayers/verifier.js";
import { dynamoDb, itemRecords, keysOf, tableScope } from "../../support/dynamodb-records.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { dynamoDbBench } from "../../support/servers/dynamodb-bench.js";

const EXACTLY: Comparing = { allowMore: false, toleranceMs: 0, download: false, messages: "no" };

const byStatus: TableIndex = {
  name: "by_status",
  key: { hash: { name: "status", type: "S" }, range: { name: "total", type: "N" } },
  projection: { type: "INCLUDE", nonKeyAttributes: ["note", "day"] },
};
const byDay: TableIndex = {
  name: "by_day",
  key: { hash: { name: "pk", type: "S" }, range: { name: "day", type: "S" } },
  projection: { type: "ALL" },
};
const WHOLE_KEY = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;

export function dynamoDbVerifier(server: ContractServer): void {
  const bench = dynamoDbBench(server);

  async function newTable(schema: Partial<TableSchema> = {}): Promise<TableScope> {
    const scope = tableScope(bench.uniqueName(), schema);
    await bench.replayerFor("put").create(scope);
    return scope;
  }

  function verifier(): Required<Verifier<"dynamodb">> {
    return bench.replayerFor("put").verifier as Required<Verifier<"dynamodb">>;
  }

  async function put(scope: TableScope, ...items: readonly string[]): Promise<void> {
    for (const item of items) {
      await dynamoDb(bench.endpoint, "PutItem", `{"TableName":"${scope.target}","Item":${item}}`);
    }
  }

  async function compare(scope: TableScope, ...items: readonly string[]) {
    return await verifier().compare(scope, itemRecords(scope, ...items), EXACTLY);
  }

  /** What the comparison of each of these finds first. */
  async function kinds(scope: TableScope, ...items: readonly string[]): Promise<string[]> {
    const comparisons = await compare(scope, ...items);
    return comparisons.map(({ differences: [first], unproven }) => unproven?.join() ?? first?.kind ?? "equal");
  }

  /** An item of the dump beside one of the target, both of the key "a": `kind at`. */
  async function differences(scope: TableScope, dump: string, target: string): Promise<string[]> {
    await put(scope, `{"pk":{"S":"a"},${target}}`);
    const [comparison] = await compare(scope, `{"pk":{"S":"a"},${dump}}`);
    return (comparison?.differences ?? []).map(({ kind, at }) => `${kind} ${at}`);
  }

  async function held(scope: TableScope, from = verifier()): Promise<HeldKey[]> {
    const pages = from.held(scope);
    if (typeof pages === "string") throw new Error(pages);
    const keys: HeldKey[] = [];
    for await (const page of pages) keys.push(...page);
    return keys;
  }

  describe("an item that is not the dump's", () => {
    const DIGITS = "1234567890123456789012345678901234567";
    const damaged: readonly (readonly [what: string, dump: string, target: string, ...found: string[]])[] = [
      ["another string", '"v":{"S":"abc"}', '"v":{"S":"abd"}', "value v"],
      ["a string in other letters", '"v":{"S":"é"}', '"v":{"S":"e\\u0301"}', "value v"],
      ["a blank more", '"v":{"S":"abc"}', '"v":{"S":"abc "}', "value v"],
      ["another 38th digit", `"v":{"N":"${DIGITS}1"}`, `"v":{"N":"${DIGITS}2"}`, "value v"],
      ["another sign", '"v":{"N":"-1"}', '"v":{"N":"1"}', "value v"],
      ["another magnitude", '"v":{"N":"1E2"}', '"v":{"N":"1E3"}', "value v"],
      ["a string for a number", '"v":{"N":"1"}', '"v":{"S":"1"}', "type v"],
      ["a number for a string", '"v":{"S":"1"}', '"v":{"N":"1"}', "type v"],
      ["a list for a set", '"v":{"SS":["a"]}', '"v":{"L":[{"S":"a"}]}', "type v"],
      ["bytes for text", '"v":{"S":"AAAA"}', '"v":{"B":"AAAA"}', "type v"],
      ["another byte", '"v":{"B":"AAEC"}', '"v":{"B":"AAED"}', "value v"],
      ["a byte less", '"v":{"B":"AAEC"}', '"v":{"B":"AAE="}', "value v"],
      ["false for true", '"v":{"BOOL":true}', '"v":{"BOOL":false}', "value v"],
      ["false for nothing", '"v":{"NULL":true}', '"v":{"BOOL":false}', "type v"],
      ["no such attribute", '"v":{"S":"a"},"w":{"S":"b"}', '"v":{"S":"a"}', "missing-part w"],
      ["one attribute more", '"v":{"S":"a"}', '"v":{"S":"a"},"w":{"S":"b"}', "extra-part w"],
      [
        "no attribute called __proto__",
        '"__proto__":{"S":"a"}',
        '"v":{"S":"a"}',
        "missing-part __proto__",
        "extra-part v",
      ],
      ["another member of a map", '"v":{"M":{"x":{"N":"1"}}}', '"v":{"M":{"x":{"N":"2"}}}', "value v.x"],
      ["no such member", '"v":{"M":{"x":{"N":"1"},"y":{"N":"1"}}}', '"v":{"M":{"x":{"N":"1"}}}', "missing-part v.y"],
      ["one member more", '"v":{"M":{}}', '"v":{"M":{"y":{"N":"1"}}}', "extra-part v.y"],
      ["a member of another type", '"v":{"M":{"x":{"N":"1"}}}', '"v":{"M":{"x":{"S":"1"}}}', "type v.x"],
      ["another element", '"v":{"L":[{"S":"a"},{"S":"b"}]}', '"v":{"L":[{"S":"a"},{"S":"c"}]}', "value v[1]"],
      ["elements in another order", '"v":{"L":[{"S":"a"},{"S":"b"}]}', '"v":{"L":[{"S":"b"},{"S":"a"}]}', "order v"],
      [
        "an element less",
        '"v":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]}',
        '"v":{"L":[{"S":"b"},{"S":"c"}]}',
        "missing-part v[0]",
      ],
      ["an element more", '"v":{"L":[{"S":"a"}]}', '"v":{"L":[{"S":"a"},{"S":"a"}]}', "extra-part v[1]"],
      [
        "something deep down",
        '"lines":{"L":[{"M":{"sku":{"S":"x"},"tags":{"SS":["a","b"]}}}]}',
        '"lines":{"L":[{"M":{"sku":{"S":"y"},"tags":{"SS":["a","c"]}}}]}',
        "value lines[0].sku",
        "missing-part lines[0].tags",
        "extra-part lines[0].tags",
      ],
      ["a member of a set less", '"v":{"SS":["a","b"]}', '"v":{"SS":["a"]}', "missing-part v"],
      ["a member of a set more", '"v":{"NS":["1"]}', '"v":{"NS":["1","2"]}', "extra-part v"],
      [
        "another member of a set",
        '"v":{"BS":["AA==","AQ=="]}',
        '"v":{"BS":["AA==","Ag=="]}',
        "missing-part v",
        "extra-part v",
      ],
      [
        "odd names",
        '"a b":{"M":{"c.d":{"S":"1"},"\\"":{"S":"1"}}}',
        '"a b":{"M":{"c.d":{"S":"2"}}}',
        'value ["a b"]["c.d"]',
        'missing-part ["a b"]["\\""]',
      ],
    ];

    it.each(damaged)("%s: %s beside %s", async (_what, dump, target, ...found) => {
      expect(await differences(await newTable(), dump, target)).toEqual(found);
    });

    it("may not be there", async () => {
      const scope = await newTable();
      await put(scope, '{"pk":{"S":"b"}}');
      const [a, b] = await compare(scope, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}');
      expect(a).toEqual({
        differences: [{ kind: "missing", detail: "the table holds no item under this key" }],
      });
      expect(b).toEqual({ differences: [] });
    });

    it("is told without its values", async () => {
      const scope = await newTable();
      await put(
        scope,
        '{"pk":{"S":"a"},"s":{"S":"secret1"},"n":{"N":"777001"},"x":{"SS":["secret2"]},"b":{"B":"c2VjcmV0"}}',
      );
      const [comparison] = await compare(
        scope,
        '{"pk":{"S":"a"},"s":{"S":"secret3"},"n":{"N":"777002"},"x":{"SS":["secret4"]},"b":{"B":"c2VjcmVU"}}',
      );
      expect(comparison?.differences).toHaveLength(5);
      expect(JSON.stringify(comparison)).not.toMatch(/secret|7770|c2V/);
    });

    it("tells a hundred differences and counts all", async () => {
      const scope = await newTable();
      const list = (text: string) =>
        `"v":{"L":[${Array.from({ length: 250 }, (_, i) => `{"S":"${text}${i}"}`).join()}]}`;
      await put(scope, `{"pk":{"S":"a"},${list("x")}}`);
      const [comparison] = await compare(scope, `{"pk":{"S":"a"},${list("y")}}`);
      expect(comparison?.differences).toHaveLength(100);
      expect(comparison?.differenceCount).toBe(250);
    });
  });

  describe("an item that is the dump's", () => {
    const same: readonly (readonly [what: string, dump: string, target: string])[] = [
      [
        "numbers written otherwise",
        '"v":{"N":"1.0"},"w":{"N":"1E2"},"x":{"N":"-0"},"y":{"N":"0.00"}',
        '"v":{"N":"1"},"w":{"N":"100"},"x":{"N":"0"},"y":{"N":"0"}',
      ],
      [
        "numbers as the dump writes them",
        '"v":{"N":"1.0"},"w":{"N":"1e-130"},"x":{"N":"+0012"}',
        '"v":{"N":"1.0"},"w":{"N":"1e-130"},"x":{"N":"+0012"}',
      ],
      [
        "sets in another order",
        '"v":{"SS":["a","b","c"]},"w":{"NS":["3","1.0"]}',
        '"v":{"SS":["c","a","b"]},"w":{"NS":["1","3.00"]}',
      ],
      [
        "attributes in another order",
        '"v":{"S":"1"},"w":{"M":{"x":{"S":"1"},"y":{"S":"2"}}}',
        '"w":{"M":{"y":{"S":"2"},"x":{"S":"1"}}},"v":{"S":"1"}',
      ],
      ["escapes", '"v":{"S":"\\u00fc\\ud83d\\ude00\\u0000"}', '"v":{"S":"ü😀\\u0000"}'],
      [
        "what is empty",
        '"s":{"S":""},"l":{"L":[]},"m":{"M":{}},"b":{"B":""}',
        '"s":{"S":""},"l":{"L":[]},"m":{"M":{}},"b":{"B":""}',
      ],
      [
        "an attribute called __proto__",
        '"__proto__":{"M":{"__proto__":{"S":"1"}}}',
        '"__proto__":{"M":{"__proto__":{"S":"1"}}}',
      ],
      [
        "31 levels",
        `"v":${'{"L":['.repeat(31)}{"N":"1.0"}${"]}".repeat(31)}`,
        `"v":${'{"L":['.repeat(31)}{"N":"1"}${"]}".repeat(31)}`,
      ],
    ];

    it.each(same)("whatever the form of %s", async (_what, dump, target) => {
      expect(await differences(await newTable(), dump, target)).toEqual([]);
    });

    it("is found under its whole key, however that is written", async () => {
      const scope = await newTable({ key: WHOLE_KEY });
      await put(scope, '{"pk":{"S":"a"},"sk":{"N":"1000"}}', '{"pk":{"S":"a"},"sk":{"N":"2"},"v":{"S":"other"}}');
      const found = await kinds(scope, '{"pk":{"S":"a"},"sk":{"N":"1e3"}}', '{"pk":{"S":"a"},"sk":{"N":"3"}}');
      expect(found).toEqual(["equal", "missing"]);
    });
  });

  describe("a batch", () => {
    it("of more than a hundred, with what is missing and what differs, is answered in order", async () => {
      const scope = await newTable();
      const item = (i: number, v: string) => `{"pk":{"S":"${i}"},"v":{"S":"${v}"}}`;
      const items = Array.from({ length: 250 }, (_, i) => item(i, "same"));
      const held = items.flatMap((text, i) => (i % 10 === 3 ? [] : i % 10 === 7 ? [item(i, "other")] : [text]));
      await bench.replayerFor("put").write(scope, itemRecords(scope, ...held));
      const expected = items.map((_, i) => (i % 10 === 3 ? "missing" : i % 10 === 7 ? "value" : "equal"));
      expect(await kinds(scope, ...items)).toEqual(expected);
    });

    it("of large items is answered in pieces", async () => {
      const scope = await newTable();
      const items = Array.from({ length: 60 }, (_, i) => `{"pk":{"S":"${i}"},"v":{"S":"${"x".repeat(390_000)}"}}`);
      await bench.replayerFor("put").write(scope, itemRecords(scope, ...items));
      const found = await kinds(scope, ...items, '{"pk":{"S":"none"}}');
      expect(found).toEqual([...items.map(() => "equal"), "missing"]);
    });

    it("may name a key twice", async () => {
      const scope = await newTable({ key: { hash: { name: "pk", type: "N" } } });
      await put(scope, '{"pk":{"N":"1"},"v":{"S":"second"}}');
      const found = await kinds(scope, '{"pk":{"N":"1"},"v":{"S":"first"}}', '{"pk":{"N":"1.0"},"v":{"S":"second"}}');
      expect(found).toEqual(["value", "equal"]);
    });

    it("with a key that no table holds tells it missing, and compares the others", async () => {
      const scope = await newTable();
      await put(scope, '{"pk":{"S":"a"}}');
      const found = await kinds(scope, '{"pk":{"S":""}}', '{"pk":{"S":"a"}}', `{"pk":{"S":"${"k".repeat(2049)}"}}`);
      expect(found).toEqual(["missing", "equal", "missing"]);
    });

    it("finds nothing in a table that is gone, or that has another key", async () => {
      const gone = tableScope(bench.uniqueName());
      const other = await newTable({ key: { hash: { name: "id", type: "S" } } });
      await put(other, '{"id":{"S":"a"},"pk":{"S":"a"}}');
      for (const scope of [gone, tableScope(other.name)]) {
        expect(await kinds(scope, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}')).toEqual(["missing", "missing"]);
        expect(await held(scope)).toEqual([]);
      }
    });
  });

  describe("settings", () => {
    const indexed = { key: WHOLE_KEY, globalIndexes: [byStatus], localIndexes: [byDay] };

    async function settings(scope: TableScope, how: Comparing = EXACTLY): Promise<string[]> {
      const { exists, differences: found, unproven } = await verifier().settings(scope, how);
      expect({ exists, unproven }).toEqual({ exists: true, unproven: [] });
      return found.map(({ kind, at }) => `${kind} ${at}`);
    }

    it("of a table as the dump says are equal, whatever its throughput", async () => {
      const projection = { type: "INCLUDE", nonKeyAttributes: ["day", "note"] } as const;
      const scope = await newTable({ ...indexed, globalIndexes: [{ ...byStatus, projection }] });
      expect(await settings(tableScope(scope.name, { ...indexed, throughput: { read: 7, write: 3 } }))).toEqual([]);
    });

    it("of no table are none", async () => {
      expect(await verifier().settings(tableScope(bench.uniqueName()), EXACTLY)).toEqual({
        exists: false,
        differences: [],
        unproven: [],
      });
    });

    it.each([
      ["another hash key", { key: { ...WHOLE_KEY, hash: { name: "id", type: "S" } } }],
      ["a hash key of another type", { key: { ...WHOLE_KEY, hash: { name: "pk", type: "B" } } }],
      ["no range key", { key: { hash: WHOLE_KEY.hash }, globalIndexes: [] }],
    ] as const)("tell %s", async (_what, other) => {
      const scope = await newTable(other);
      expect(await settings(tableScope(scope.name, { key: WHOLE_KEY }))).toEqual(["setting key"]);
    });

    const others: readonly (readonly [what: string, globalIndexes: readonly TableIndex[]])[] = [
      ["missing", []],
      ["with another projection", [{ ...byStatus, projection: { type: "KEYS_ONLY" } }]],
      [
        "projecting another attribute",
        [{ ...byStatus, projection: { type: "INCLUDE", nonKeyAttributes: ["note", "dax"] } }],
      ],
      ["with another range key", [{ ...byStatus, key: { ...byStatus.key, range: { name: "sum", type: "N" } } }]],
      ["with a key of another type", [{ ...byStatus, key: { ...byStatus.key, range: { name: "total", type: "S" } } }]],
    ];

    it.each(others)("tell a global index %s, which is mended", async (_what, globalIndexes) => {
      const wanted = { key: WHOLE_KEY, globalIndexes: [byStatus] };
      const scope = await newTable({ ...wanted, globalIndexes });
      const own = tableScope(scope.name, wanted);
      expect(await settings(own)).toEqual(["setting global index by_status"]);
      expect(await verifier().mend(own)).toEqual([]);
      expect(await settings(own)).toEqual([]);
      await put(own, '{"pk":{"S":"a"},"sk":{"N":"1"},"status":{"S":"paid"},"total":{"N":"5"}}');
      expect(await keysOf(bench.endpoint, scope.name, "by_status")).toEqual(["a"]);
    });

    it("tell a local index that is missing, which no table is given", async () => {
      const scope = await newTable({ key: WHOLE_KEY });
      const own = tableScope(scope.name, { key: WHOLE_KEY, localIndexes: [byDay] });
      expect(await settings(own)).toEqual(["setting local index by_day"]);
      expect(await verifier().mend(own)).toEqual([
        'the local index "by_day" is missing: a table gets its local indexes only when it is made',
      ]);
    });

    it("tell an index that the dump lacks where nothing more may be there, and it is left", async () => {
      const scope = await newTable({ key: WHOLE_KEY, globalIndexes: [byStatus] });
      const own = tableScope(scope.name, { key: WHOLE_KEY });
      expect(await settings(own)).toEqual(["setting global index by_status"]);
      expect(await settings(own, { ...EXACTLY, allowMore: true })).toEqual([]);
      expect(await verifier().mend(own)).toEqual([
        'the global index "by_status" is not in the dump: it is left as it is',
      ]);
      expect(await settings(own)).toEqual(["setting global index by_status"]);
    });

    it("mend several indexes, and not another key", async () => {
      const more = { ...byStatus, name: "by_day_too", key: { hash: { name: "day", type: "B" } } } as const;
      const scope = await newTable({ key: WHOLE_KEY, throughput: { read: 5, write: 5 } });
      const own = tableScope(scope.name, { key: WHOLE_KEY, globalIndexes: [byStatus, more] });
      expect(await verifier().mend(own)).toEqual([]);
      expect(await settings(own)).toEqual([]);
      const otherKey = tableScope(scope.name, { globalIndexes: [byStatus] });
      expect(await verifier().mend(otherKey)).toEqual([
        "the table's key is pk (S), sk (N), the dump's is pk (S): only a table that is made anew gets another key",
      ]);
    });

    it("do not take an index away that they could not make anew", async () => {
      const other = { ...byStatus, name: "by_total", key: { hash: { name: "total", type: "S" } } } as const;
      const now = { ...byStatus, key: { hash: { name: "status", type: "S" } } } as const;
      const scope = await newTable({ key: WHOLE_KEY, globalIndexes: [now, other] });
      const [left] = await verifier().mend(tableScope(scope.name, { key: WHOLE_KEY, globalIndexes: [byStatus] }));
      expect(left).toMatch(/^the global index "by_status" has .*: the attribute "total" is of type S in another key/);
      expect(await settings(scope)).toEqual([]);
    });
  });

  describe("what a table holds", () => {
    it("is listed by the dump's keys, page by page", async () => {
      const scope = await newTable({ key: WHOLE_KEY });
      const items = Array.from(
        { length: 1_200 },
        (_, i) => `{"pk":{"S":"k${i % 7}"},"sk":{"N":"${i}.0"},"v":{"S":"x"}}`,
      );
      const records = itemRecords(scope, ...items);
      for (let at = 0; at < records.length; at += 25) {
        await bench.replayerFor("put").write(scope, records.slice(at, at + 25));
      }
      const keys = await held(scope);
      const own = records.map((record) => verifier().keyOf(scope, record).toString());
      expect(keys.map(({ key }) => key.toString()).sort()).toEqual(own.sort());
      expect(keys.map(({ displayKey }) => displayKey.replace(".0", ""))).toContain("k3 / 3");
    });

    it("is listed without what is not the key", async () => {
      const scope = await newTable();
      const items = Array.from({ length: 5 }, (_, i) => `{"pk":{"S":"${i}"},"v":{"S":"${"x".repeat(390_000)}"}}`);
      await bench.replayerFor("put").write(scope, itemRecords(scope, ...items));
      expect((await held(scope)).map(({ displayKey }) => displayKey).sort()).toEqual(["0", "1", "2", "3", "4"]);
    });

    it.each(["__proto__", "size", "a,b.c d"])("is listed whatever its key is called: %s", async (name) => {
      const scope = await newTable({ key: { hash: { name, type: "B" } } });
      await put(scope, `{"${name}":{"B":"AP8="},"v":{"S":"1"}}`);
      const replayer = bench.replayerFor("put");
      await replayer.probe();
      const [record] = itemRecords(scope, `{"${name}":{"B":"AP8="},"v":{"S":"1"}}`);
      const [found] = await held(scope, replayer.verifier as Required<Verifier<"dynamodb">>);
      expect(record === undefined ? undefined : verifier().keyOf(scope, record)).toEqual(found?.key);
      expect(await compare(scope, `{"${name}":{"B":"AP8="},"v":{"S":"1"}}`)).toEqual([{ differences: [] }]);
    });

    it("is deleted by its keys alone, as often as is asked", async () => {
      const scope = await newTable({ key: WHOLE_KEY });
      const numbers = Array.from({ length: 60 }, (_, i) => i);
      const items = numbers.map((i) => `{"pk":{"S":"\\"a\\\\ü"},"sk":{"N":"${i + 1}00"}}`);
      await bench.replayerFor("put").write(scope, itemRecords(scope, ...items));
      const keys = await held(scope);
      const gone = keys.filter(({ displayKey }) => Number(displayKey.split(" / ")[1]) > 300).map(({ key }) => key);
      expect(gone).toHaveLength(57);
      for (const _ of [1, 2]) await verifier().deleteKeys(scope, [...gone.slice(0, 3), ...gone]);
      const left = (await held(scope)).map(({ displayKey }) => displayKey.split(" / ")[1]);
      expect(left.sort()).toEqual(["100", "200", "300"]);
    });
  });
}
