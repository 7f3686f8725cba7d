import { describe, expect, it } from "vitest";
import { parseSelection } from "../../../src/cli/selection.js";

describe("options for what to restore", () => {
  it("are lists with commas, repeated, or both", () => {
    const selection = parseSelection({
      adapter: ["dynamodb,s3", "s3", "redis"],
      scope: ["dynamodb=orders,users", "redis=0", "redis=db_3"],
      include: ["user:*"],
      exclude: ["*:tmp", "a,b"],
    });
    expect(selection).toEqual({
      adapters: ["dynamodb", "s3", "redis"],
      scopes: [
        { adapter: "dynamodb", name: "orders" },
        { adapter: "dynamodb", name: "users" },
        { adapter: "redis", name: "db_0" },
        { adapter: "redis", name: "db_3" },
      ],
      include: ["user:*"],
      exclude: ["*:tmp", "a,b"],
      renames: [],
    });
  });

  it.each([
    ["sqs:a=b", "sqs:a=c"],
    ["redis:0=1", "redis:db_0=2"],
    ["s3:*=a*", "s3:*=b*"],
  ])("give no scope two names: %s, %s", (...rename) => {
    expect(() => parseSelection({ rename })).toThrow(/two names/);
    expect(parseSelection({ rename: [rename[0], "dynamodb:other=x"] }).renames).toHaveLength(2);
  });

  it("select everything where none is given", () => {
    expect(parseSelection({})).toEqual({ scopes: [], include: [], exclude: [], renames: [] });
  });

  it.each([
    ["dynamodb:orders=orders_copy", { adapter: "dynamodb", from: "orders", to: "orders_copy" }],
    ["s3:*=dr-*", { adapter: "s3", from: "*", to: "dr-*" }],
    ["redis:0=3", { adapter: "redis", from: "db_0", to: "db_3" }],
    ["redis:db_0=db_15", { adapter: "redis", from: "db_0", to: "db_15" }],
    ["sqs:jobs.fifo=new.fifo", { adapter: "sqs", from: "jobs.fifo", to: "new.fifo" }],
  ])("--rename takes %s", (text, rename) => {
    expect(parseSelection({ rename: [text] }).renames).toEqual([rename]);
  });

  it.each([
    [{ rename: ["orders=copy"] }, "--rename"],
    [{ rename: ["dynamodb:orders"] }, "--rename"],
    [{ rename: ["dynamodb:orders="] }, "--rename"],
    [{ rename: ["dynamodb:=x"] }, "--rename"],
    [{ rename: ["dynamo:a=b"] }, "--rename"],
    [{ rename: ["s3:a*=b"] }, "--rename"],
    [{ rename: ["s3:a=b*"] }, "--rename"],
    [{ rename: ["s3:*a*=*b*"] }, "--rename"],
    [{ rename: ["redis:0=x"] }, "--rename"],
    [{ rename: ["redis:00=1"] }, "--rename"],
    [{ rename: ["redis:-1=1"] }, "--rename"],
    [{ scope: ["orders"] }, "--scope"],
    [{ scope: ["=orders"] }, "--scope"],
    [{ scope: ["dynamodb="] }, "--scope"],
    [{ scope: ["dynamodb=a,,b"] }, "--scope"],
    [{ scope: ["redis=zero"] }, "--scope"],
    [{ adapter: ["dynamo"] }, "--adapter"],
    [{ adapter: [""] }, "--adapter"],
    [{ include: ["[z-a]"] }, "--include"],
    [{ exclude: ["[b-a]"] }, "--exclude"],
  ])("refuses %o, naming %s and what it takes", (args, option) => {
    expect(() => parseSelection(args)).toThrow(
      expect.objectContaining({
        code: "USAGE",
        message: expect.stringContaining(`${option} does not take`),
        hint: expect.stringMatching(/^It takes /),
      }),
    );
  });
});
