import { describe, expect, it } from "vitest";
import { Selection, type SelectionOptions } from "../../../src/run/selection.js";

const OUTLINE = [
  { adapter: "dynamodb", name: "orders" },
  { adapter: "dynamodb", name: "orders_old" },
  { adapter: "dynamodb", name: "users" },
  { adapter: "redis", name: "db_0" },
  { adapter: "redis", name: "db_3" },
  { adapter: "sqs", name: "orders" },
] as const;

function selection(options: Partial<SelectionOptions>): Selection {
  return new Selection({ scopes: [], include: [], exclude: [], renames: [], ...options });
}

function wanted(options: Partial<SelectionOptions>): string[] {
  const made = selection(options);
  return OUTLINE.filter(({ adapter, name }) => made.wants(adapter, name)).map(
    ({ adapter, name }) => `${adapter}:${name}`,
  );
}

function fault(options: Partial<SelectionOptions>): unknown {
  try {
    selection(options).validate(OUTLINE);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("what a run takes", () => {
  it("is everything where nothing was said", () => {
    expect(wanted({})).toHaveLength(OUTLINE.length);
  });

  it("is the adapters that were named", () => {
    expect(wanted({ adapters: ["redis", "sqs"] })).toEqual(["redis:db_0", "redis:db_3", "sqs:orders"]);
  });

  it("is the scopes that were named, and of no other adapter any", () => {
    expect(wanted({ scopes: [{ adapter: "dynamodb", name: "orders" }] })).toEqual(["dynamodb:orders"]);
  });

  it("is the scopes that were named and all of the other adapters that were", () => {
    const scopes = [{ adapter: "dynamodb", name: "users" }] as const;
    expect(wanted({ adapters: ["dynamodb", "redis"], scopes })).toEqual(["dynamodb:users", "redis:db_0", "redis:db_3"]);
  });

  it("is the keys that some include and no exclude matches", () => {
    const made = selection({ include: ["user:*", "team:*"], exclude: ["*:tmp"] });
    const keys = ["user:1", "team:1", "user:tmp", "other"];
    expect(keys.filter((key) => made.wantsKey(key))).toEqual(["user:1", "team:1"]);
    expect(made.isPartial).toBe(true);
  });

  it("is every key but the excluded where nothing is included, and all without either", () => {
    expect(["a", "b"].filter((key) => selection({ exclude: ["a"] }).wantsKey(key))).toEqual(["b"]);
    expect(selection({}).wantsKey("")).toBe(true);
    expect(selection({}).isPartial).toBe(false);
  });

  it("that no key met is worth a warning, an empty dump is not", () => {
    expect(selection({ include: ["user:*"] }).warningFor(0)).toMatch(/no record's key matches/);
    expect(selection({ include: ["user:*"] }).warningFor(1)).toBeUndefined();
    expect(selection({}).warningFor(0)).toBeUndefined();
  });
});

describe("a rename", () => {
  it.each([
    ["orders", "orders_copy", "orders", "orders_copy"],
    ["orders", "orders_copy", "users", "users"],
    ["*", "dr-*", "users", "dr-users"],
    ["orders*", "*", "orders_old", "_old"],
    ["a*a", "x*", "a", "a"],
    ["a*a", "x*", "aa", "x"],
    ["*_old", "$&*$1", "orders_old", "$&orders$1"],
  ])("%s=%s makes %s %s", (from, to, name, target) => {
    const made = selection({ renames: [{ adapter: "dynamodb", from, to }] });
    expect(made.targetName("dynamodb", name)).toBe(target);
  });

  it("is of its adapter alone, and the first that matches holds", () => {
    const made = selection({
      renames: [
        { adapter: "dynamodb", from: "orders", to: "first" },
        { adapter: "dynamodb", from: "*", to: "all-*" },
      ],
    });
    expect(made.targetName("dynamodb", "orders")).toBe("first");
    expect(made.targetName("dynamodb", "users")).toBe("all-users");
    expect(made.targetName("sqs", "orders")).toBe("orders");
  });
});

describe("a name that the dump does not hold", () => {
  it("is refused as a scope, with the nearest names first", () => {
    const error = fault({ scopes: [{ adapter: "dynamodb", name: "order" }] });
    expect(error).toMatchObject({
      code: "SELECTION_UNKNOWN",
      exitStatus: 2,
      message: expect.stringContaining('no dynamodb table "order"'),
      hint: "It holds: orders, users, orders_old.",
    });
  });

  it.each([
    [{ scopes: [{ adapter: "redis", name: "db_1" }] }, /db_0, db_3/],
    [{ scopes: [{ adapter: "s3", name: "media" }] }, /inspect/],
    [{ renames: [{ adapter: "dynamodb", from: "oders", to: "x" }] }, /orders/],
    [{ renames: [{ adapter: "dynamodb", from: "zz*", to: "x*" }] }, /orders/],
    [{ adapters: ["s3"] }, /dynamodb/],
  ] as const)("is refused: %o", (options, hint) => {
    expect(fault(options)).toMatchObject({ code: "SELECTION_UNKNOWN", hint: expect.stringMatching(hint) });
  });
});

describe("two scopes with one target", () => {
  it("are refused", () => {
    const renames = [{ adapter: "dynamodb", from: "orders_old", to: "orders" }] as const;
    expect(fault({ renames })).toMatchObject({ code: "USAGE", message: expect.stringContaining("dynamodb:orders") });
    expect(fault({ renames: [{ adapter: "redis", from: "db_3", to: "db_0" }] })).toMatchObject({ code: "USAGE" });
  });

  it("are fine where one of them is not selected, where they change places, and in two adapters", () => {
    const swap = [
      { adapter: "dynamodb", from: "orders_old", to: "orders" },
      { adapter: "dynamodb", from: "orders", to: "orders_old" },
    ] as const;
    expect(fault({ renames: swap.slice(0, 1), scopes: [{ adapter: "dynamodb", name: "orders_old" }] })).toBeUndefined();
    expect(fault({ renames: swap })).toBeUndefined();
    expect(fault({})).toBeUndefined();
  });
});
