import { describe, expect, it } from "vitest";
import * as z from "zod";
import { schemaFaults, schemaFaultText } from "../../../src/support/schema-faults.js";

const form = z.union([
  z.strictObject({ kind: z.literal("a"), size: z.int() }),
  z.strictObject({ kind: z.literal("b"), name: z.string() }),
  z.strictObject({ kind: z.literal("b"), other: z.string(), more: z.string() }),
]);
const schema = z.strictObject({ form: form.exactOptional(), list: z.array(z.string()).exactOptional() });

function told(value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return error === undefined ? [] : schemaFaults(error).map((fault) => schemaFaultText(fault, "body"));
}

describe("what a schema refuses is told with its place", () => {
  it.each([
    [{ list: ["a", 5] }, ["body.list.1: expected string, received number"]],
    [
      { colour: 1, size: 2 },
      ["body.colour: nothing of this name can stand here", "body.size: nothing of this name can stand here"],
    ],
    [5, ["body: expected object, received number"]],
  ])("%j", (value, faults) => {
    expect(told(value)).toEqual(faults);
  });

  it("of several forms, by the one that was meant", () => {
    expect(told({ form: { kind: "a", size: "x" } })).toEqual(["body.form.size: expected number, received string"]);
    expect(told({ form: { kind: "b", name: 5 } })).toEqual(["body.form.name: expected string, received number"]);
  });

  it("of no form, with the words that tell them apart", () => {
    expect(told({ form: { kind: "c" } })).toEqual(["body.form.kind: expected one of a, b"]);
    expect(told({ form: "a" })).toEqual(["body.form: it has none of the forms that can stand here"]);
  });

  it("without the value, which may be a secret", () => {
    expect(told({ form: "s3cret", list: "s3cret" }).join()).not.toContain("s3cret");
  });
});
