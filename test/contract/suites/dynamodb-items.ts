/** Items: what is written, left and refused, and in what batches. */
import { describe, expect, it } from "vitest";
import type { WriteAction } from "../../../src/model/policy.js";
import type { TableIndex, TableSchema, TableScope } from "../../../src/model/scope.js";
import { attributeOf, itemRecords, itemsOf, keysOf, tableScope } from "../../support/dynamodb-records.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { dynamoDbBench } from "../../support/servers/dynamodb-bench.js";

export function dynamoDbItems(server: ContractServer): void {
  const bench = dynamoDbBench(server);

  async function newTable(schema: Partial<TableSchema> = {}): Promise<TableScope> {
    const scope = tableScope(bench.uniqueName(), schema);
    await bench.replayerFor("put").create(scope);
    return scope;
  }

  async function write(scope: TableScope, action: WriteAction, ...texts: readonly string[]) {
    return await bench.replayerFor(action).write(scope, itemRecords(scope, ...texts));
  }

  async function itemOf(scope: TableScope, pk: string) {
    return (await itemsOf(bench.endpoint, scope.target)).find((item) => attributeOf(item, "pk") === pk);
  }

  const PUTS = ["put", "overwrite"] as const;
  const ALL = [...PUTS, "put-if-absent"] as const;

  describe.each(ALL)("an item that the table lacks, %s", (action) => {
    it("is written among other records, which stay", async () => {
      const scope = await newTable();
      await write(scope, "put", '{"pk":{"S":"other"},"v":{"S":"theirs"}}');
      expect(await write(scope, action, '{"pk":{"S":"ours"}}')).toEqual([{ kind: "restored" }]);
      expect(await keysOf(bench.endpoint, scope.target)).toEqual(["other", "ours"]);
    });
  });

  describe("an item that the table has", () => {
    it.each(PUTS)("%s replaces it whole", async (action) => {
      const scope = await newTable();
      await write(scope, "put", '{"pk":{"S":"a"},"old":{"S":"1"}}');
      expect(await write(scope, action, '{"pk":{"S":"a"},"new":{"S":"2"}}')).toEqual([{ kind: "restored" }]);
      expect([...((await itemOf(scope, "a")) ?? new Map()).keys()].sort()).toEqual(["new", "pk"]);
    });

    it("skip-existing leaves a differing item untouched", async () => {
      const scope = await newTable();
      await write(scope, "put", '{"pk":{"S":"a"},"v":{"S":"theirs"}}');
      const outcomes = await write(scope, "put-if-absent", '{"pk":{"S":"a"},"v":{"S":"ours"}}', '{"pk":{"S":"b"}}');
      expect(outcomes).toEqual([{ kind: "skipped-existing", reason: "exists" }, { kind: "restored" }]);
      expect(attributeOf(await itemOf(scope, "a"), "v")).toBe("theirs");
    });

    it("skip-existing knows an item by its whole key", async () => {
      const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
      const scope = await newTable({ key });
      await write(scope, "put", '{"pk":{"S":"a"},"sk":{"N":"1"}}');
      const outcomes = await write(
        scope,
        "put-if-absent",
        '{"pk":{"S":"a"},"sk":{"N":"1.0"}}',
        '{"pk":{"S":"a"},"sk":{"N":"2"}}',
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(["skipped-existing", "restored"]);
    });
  });

  describe("what arrives", () => {
    it.each(ALL)("an attribute called __proto__ survives %s", async (action) => {
      const scope = await newTable();
      const text = '{"pk":{"S":"a"},"__proto__":{"M":{"__proto__":{"S":"inner"}}},"constructor":{"S":"c"}}';
      expect(await write(scope, action, text)).toEqual([{ kind: "restored" }]);
      const item = await itemOf(scope, "a");
      expect([...(item ?? new Map()).keys()].sort()).toEqual(["__proto__", "constructor", "pk"]);
      expect(attributeOf(item, "__proto__")).toEqual(new Map([["__proto__", new Map([["S", "inner"]])]]));
    });

    it("keeps numbers of 38 digits exactly", async () => {
      const scope = await newTable();
      const numbers = [
        "12345678901234567890123456789012345678",
        "0.00000000000000000012345678901234567890123456789012345678",
      ];
      await write(scope, "put", ...numbers.map((n, i) => `{"pk":{"S":"${i}"},"n":{"N":"${n}"},"set":{"NS":["${n}"]}}`));
      expect(attributeOf(await itemOf(scope, "0"), "n")).toBe(numbers[0]);
      expect(attributeOf(await itemOf(scope, "1"), "n")).toMatch(/12345678901234567890123456789012345678/);
      expect(attributeOf(await itemOf(scope, "0"), "set")).toEqual([numbers[0]]);
    });

    it("keeps text outside ASCII, escapes, bytes and 31 levels of nesting", async () => {
      const scope = await newTable();
      const deep = `${'{"L":['.repeat(31)}{"S":"x"}${"]}".repeat(31)}`;
      const text = `{"pk":{"S":"a"},"s":{"S":"\\ud83d\\ude00 ü \\u0000 \\"\\\\"},"b":{"B":"AP/+"},"deep":${deep}}`;
      expect(await write(scope, "put", text)).toEqual([{ kind: "restored" }]);
      const item = await itemOf(scope, "a");
      expect(attributeOf(item, "s")).toBe('😀 ü \u0000 "\\');
      expect(attributeOf(item, "b")).toBe("AP/+");
    });

    it("indented items arrive as well", async () => {
      const scope = await newTable();
      expect(
        await write(scope, "put", '{\n  "pk": {\n    "S": "a b"\n  }\n}', '{\n  "pk": {"S": "c"}\n}'),
      ).toHaveLength(2);
      expect(await keysOf(bench.endpoint, scope.target)).toEqual(["a b", "c"]);
    });
  });

  /** A batch of 25 with this item in it. */
  function among24(text: string): string[] {
    const good = Array.from({ length: 24 }, (_, i) => `{"pk":{"S":"good ${String(i).padStart(2, "0")}"}}`);
    return [...good.slice(0, 13), text, ...good.slice(13)];
  }

  const byStatus: TableIndex = {
    name: "by_status",
    key: { hash: { name: "status", type: "S" } },
    projection: { type: "ALL" },
  };

  describe("an item that the target refuses", () => {
    const refused: readonly (readonly [what: string, reason: string, text: string])[] = [
      ["an empty set", "empty-set", '{"pk":{"S":"bad"},"set":{"SS":[]}}'],
      ["an empty key value", "empty-key", '{"pk":{"S":""}}'],
      ["a key over 2048 bytes", "key-too-large", `{"pk":{"S":"${"k".repeat(2049)}"}}`],
      ["over 400 KB", "item-too-large", `{"pk":{"S":"bad"},"v":{"S":"${"x".repeat(410_000)}"}}`],
      ["39 digits", "number-out-of-range", `{"pk":{"S":"bad"},"n":{"N":"${"1".repeat(39)}"}}`],
      ["no number at all", "invalid-number", '{"pk":{"S":"bad"},"n":{"N":"none"}}'],
      ["a set with duplicates", "duplicate-in-set", '{"pk":{"S":"bad"},"set":{"SS":["a","a"]}}'],
      ["an index key of another type", "wrong-index-key-type", '{"pk":{"S":"bad"},"status":{"N":"1"}}'],
      ["an empty index key", "empty-index-key", '{"pk":{"S":"bad"},"status":{"S":""}}'],
    ];

    it.each(refused)("with %s is rejected as %s, alone in its batch", async (_what, reason, text) => {
      const scope = await newTable({ globalIndexes: [byStatus] });
      const outcomes = await write(scope, "put", ...among24(text));
      expect(outcomes[13]).toMatchObject({ kind: "rejected", reason });
      expect(outcomes.filter(({ kind }) => kind === "restored")).toHaveLength(24);
      const keys = await keysOf(bench.endpoint, scope.target);
      expect(keys).toHaveLength(24);
      expect(keys.every((key) => String(key).startsWith("good"))).toBe(true);
    });

    it.each(refused)("with %s is rejected as %s under skip-existing", async (_what, reason, text) => {
      const scope = await newTable({ globalIndexes: [byStatus] });
      const outcomes = await write(scope, "put-if-absent", '{"pk":{"S":"good"}}', text);
      expect(outcomes).toMatchObject([{ kind: "restored" }, { kind: "rejected", reason }]);
    });

    it("does not quote the item's values", async () => {
      const scope = await newTable();
      const outcomes = await write(scope, "put", '{"pk":{"S":"a"},"n":{"N":"secret-number"},"s":{"S":"secret"}}');
      expect(JSON.stringify(outcomes)).not.toContain("secret");
    });

    it("is told from its neighbours when several are refused", async () => {
      const scope = await newTable();
      const bad = (i: number) => `{"pk":{"S":"bad ${i}"},"n":{"N":"none"}}`;
      const texts = among24(bad(0)).map((text, i) => (i % 5 === 0 ? bad(i) : text));
      const outcomes = await write(scope, "put", ...texts);
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        texts.map((text) => (text.includes("bad") ? "rejected" : "restored")),
      );
    });
  });

  describe("batches", () => {
    it("keep the same key in two spellings apart, and the later item wins", async () => {
      const scope = await newTable({ key: { hash: { name: "pk", type: "N" } } });
      const spellings = ["1", "1.0", "1e0", "10e-1"];
      const texts = spellings.map((spelling) => `{"pk":{"N":"${spelling}"},"v":{"S":"${spelling}"}}`);
      expect(await write(scope, "put", ...texts)).toEqual(spellings.map(() => ({ kind: "restored" })));
      const items = await itemsOf(bench.endpoint, scope.target);
      expect(items.map((item) => attributeOf(item, "v"))).toEqual(["10e-1"]);
    });

    it("skip-existing writes the first of two spellings of a key", async () => {
      const scope = await newTable({ key: { hash: { name: "pk", type: "N" } } });
      const outcomes = await write(
        scope,
        "put-if-absent",
        '{"pk":{"N":"1"},"v":{"S":"first"}}',
        '{"pk":{"N":"1.0"},"v":{"S":"second"}}',
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(["restored", "skipped-existing"]);
      expect((await itemsOf(bench.endpoint, scope.target)).map((item) => attributeOf(item, "v"))).toEqual(["first"]);
    });

    it("of 25 items of the largest size go in one request where the target takes it", async () => {
      const scope = await newTable();
      const replayer = bench.replayerFor("put");
      await replayer.probe();
      const texts = Array.from({ length: 25 }, (_, i) => `{"pk":{"S":"${i}"},"v":{"S":"${"x".repeat(409_000)}"}}`);
      const outcomes = await replayer.write(scope, itemRecords(scope, ...texts));
      expect(outcomes).toEqual(texts.map(() => ({ kind: "restored" })));
      expect(replayer.stats.requests).toBe(1);
    });
  });

  it("replace leaves exactly the dump", async () => {
    const scope = await newTable();
    await write(scope, "put", '{"pk":{"S":"theirs"}}', '{"pk":{"S":"ours"},"old":{"S":"1"}}');
    const replayer = bench.replayerFor("put");
    await replayer.empty(scope);
    await replayer.write(scope, itemRecords(scope, '{"pk":{"S":"ours"},"new":{"S":"2"}}'));
    const items = await itemsOf(bench.endpoint, scope.target);
    expect(items.map((item) => [...item.keys()].sort())).toEqual([["new", "pk"]]);
  });

  it.each(ALL)("records of a table that is gone fail, %s", async (action) => {
    const scope = tableScope("never.made");
    const outcomes = await write(scope, action, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}');
    expect(outcomes).toMatchObject([
      { kind: "failed", reason: "table-not-found" },
      { kind: "failed", reason: "table-not-found" },
    ]);
  });
}
