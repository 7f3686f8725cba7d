import { describe, expect, it } from "vitest";
import { drillName, drillRenames, sandboxRenames } from "../../../../src/run/drill/names.js";

const id = "0123456789ab";

describe("the names of a drill", () => {
  it("hold the drill's id and the scope's own name", () => {
    expect(drillName("dynamodb", "orders.v2", id)).toBe("drill-0123456789ab-orders.v2");
    expect(drillName("s3", "photos", id)).toBe("drill-0123456789ab-photos");
  });

  it("keep the suffix by which a FIFO queue is one", () => {
    expect(drillName("sqs", "jobs.fifo", id)).toBe("drill-0123456789ab-jobs.fifo");
    expect(drillName("sqs", `${"j".repeat(75)}.fifo`, id)).toMatch(/^.{75}\.fifo$/);
  });

  it.each([
    ["dynamodb", 255, /^[A-Za-z0-9_.-]+$/],
    ["s3", 63, /^[a-z0-9][a-z0-9-]*[a-z0-9]$/],
    ["sqs", 80, /^[A-Za-z0-9_-]+$/],
  ] as const)("of %s are within %i characters that the service takes", (adapter, most, taken) => {
    for (const name of ["x", "UP_CASE", "with.dots.", "é", "-", `${"n".repeat(300)}`, "ends-s3alias", "a--x-s3"]) {
      const made = drillName(adapter, name, id);
      expect(made.length).toBeLessThanOrEqual(most);
      expect(made).toMatch(taken);
      expect(made.startsWith(`drill-${id}-`)).toBe(true);
    }
    expect(drillName("s3", "a--x-s3", id)).not.toMatch(/--x-s3$/);
  });

  it("are different for names that are cut or cleaned to the same", () => {
    const names = ["UP", "up", "u_p", "u.p", "u p", `${"n".repeat(90)}1`, `${"n".repeat(90)}2`];
    expect(new Set(names.map((name) => drillName("s3", name, id))).size).toBe(names.length);
  });

  it("give databases the numbers that were named, in the order of their own", () => {
    const scopes = [
      { adapter: "redis", name: "db_10" },
      { adapter: "redis", name: "db_2" },
    ] as const;
    expect(drillRenames(scopes, { id, databases: [8, 9] })).toEqual([
      { adapter: "redis", from: "db_2", to: "db_8" },
      { adapter: "redis", from: "db_10", to: "db_9" },
    ]);
  });

  it.each([[[]], [[3, 4]]])("refuse %j for one database", (databases) => {
    expect(() => drillRenames([{ adapter: "redis", name: "db_0" }], { id, databases })).toThrow(
      /--drill-database names/,
    );
  });

  it("refuse one number for two databases, and a number for none", () => {
    const two = [
      { adapter: "redis", name: "db_0" },
      { adapter: "redis", name: "db_1" },
    ] as const;
    expect(() => drillRenames(two, { id, databases: [5, 5] })).toThrow(/5, 5/);
    expect(() => drillRenames([{ adapter: "s3", name: "b" }], { id, databases: [5] })).toThrow(/restores none/);
  });
});

describe("the names in a sandbox", () => {
  it("are the scopes' own, but for those that its servers would not take", () => {
    const scopes = [
      { adapter: "dynamodb", name: "orders" },
      { adapter: "dynamodb", name: "ab" },
      { adapter: "s3", name: "photos.2026" },
      { adapter: "s3", name: "UP_CASE" },
      { adapter: "s3", name: "10.0.0.1" },
      { adapter: "s3", name: "a..b" },
      { adapter: "sqs", name: "jobs.fifo" },
      { adapter: "sqs", name: `${"q".repeat(76)}.fifo` },
      { adapter: "redis", name: "db_15" },
      { adapter: "redis", name: "db_16" },
    ] as const;
    const renames = sandboxRenames(scopes, id);
    expect(renames.map(({ from }) => from)).toEqual([
      "ab",
      "UP_CASE",
      "10.0.0.1",
      "a..b",
      `${"q".repeat(76)}.fifo`,
      "db_16",
    ]);
    expect(renames.at(-1)?.to).toBe("db_14");
    expect(renames[0]?.to).toBe("drill-0123456789ab-ab");
  });
});
