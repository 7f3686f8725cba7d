/**
 * What an operator asserts of a restored dump: the shapes of the assertions file. All scalars arrive as text, as they stand
 * in the file, so that a number keeps its digits. Types and schemas; who reads the file is `assertion-file.ts`.
 */
import * as z from "zod";
import { isMatch } from "./pattern.js";

const text = z.string();
const named = { name: text.min(1).exactOptional() };

const wholeNumber = text.regex(/^(?:0|[1-9]\d{0,14})$/, "a whole number is expected").transform(Number);

const index = text
  .regex(/^-?(?:0|[1-9]\d{0,14})$/, "a whole number is expected, from the end when negative")
  .transform(Number);

/** `dynamodb:orders`, `redis:0` or `redis:db_0`. */
const scope = text
  .regex(/^(?:dynamodb|s3|redis|sqs):./s, "a scope is expected: dynamodb:orders, s3:photos, redis:0, sqs:jobs")
  .transform((label) => label.replace(/^redis:(?=\d+$)/, "redis:db_"));

const duration = text
  .regex(/^\d+(?:\.\d+)?(?:ms|s|m|h)$/, "a time is expected, such as 30s")
  .transform((value) => Number.parseFloat(value) * UNITS[value.replace(/^[\d.]+/, "") as keyof typeof UNITS]);

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const countSchema = z
  .strictObject({
    kind: z.literal("count"),
    ...named,
    scope,
    of: z.enum(["restored", "held"]).default("restored"),
    exact: wholeNumber.exactOptional(),
    min: wholeNumber.exactOptional(),
    max: wholeNumber.exactOptional(),
  })
  .refine(({ exact, min, max }) => (exact === undefined) !== (min === undefined && max === undefined), {
    error: "exact, or min and max, or one of these, has to be there",
  })
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, { error: "min is above max", path: ["min"] });

const pattern = text.refine((value) => isMatch.compiles(value), "it is no regular expression");

const RECORD_TYPES = ["item", "object", "string", "hash", "list", "set", "zset", "stream", "hll"] as const;

/** Which part of a record is meant; none: its value. */
const PARTS = ["attribute", "field", "index", "member", "entry", "header", "metadata"] as const;
export type PartName = (typeof PARTS)[number];

const recordSchema = z
  .strictObject({
    kind: z.literal("record"),
    ...named,
    scope,
    key: text,
    type: z.enum(RECORD_TYPES).exactOptional(),
    absent: z.literal("true", { error: "it is true, or left out" }).exactOptional(),
    attribute: text.exactOptional(),
    field: text.exactOptional(),
    index: index.exactOptional(),
    member: text.exactOptional(),
    entry: text.exactOptional(),
    header: z
      .enum(["content-type", "content-encoding", "cache-control", "content-disposition", "content-length"])
      .exactOptional(),
    metadata: text.exactOptional(),
    equals: text.exactOptional(),
    matches: pattern.exactOptional(),
  })
  .refine(({ equals, matches }) => equals === undefined || matches === undefined, {
    error: "equals and matches cannot stand together",
    path: ["matches"],
  })
  .refine((it) => partsOf(it).length <= (it.entry !== undefined && it.field !== undefined ? 2 : 1), {
    error: "only one part of a record can be meant (a field of an entry counts as one)",
  })
  .refine((it) => partsOf(it).length === 0 || it.equals !== undefined || it.matches !== undefined || isExistence(it), {
    error: "a part of a record is compared: equals or matches has to be there",
  })
  .refine((it) => it.absent === undefined || Object.keys(it).every((key) => ABSENT_WITH.includes(key)), {
    error: "of a record that is to be absent, nothing else can be said",
    path: ["absent"],
  });

const ABSENT_WITH: readonly string[] = ["kind", "name", "scope", "key", "absent"];

/** That a member or an entry is there says enough. */
function isExistence({ member, entry }: { readonly member?: string; readonly entry?: string }): boolean {
  return member !== undefined || entry !== undefined;
}

/** The parts that an assertion names. */
export function partsOf(assertion: { readonly [P in PartName]?: string | number }): PartName[] {
  return PARTS.filter((part) => assertion[part] !== undefined);
}

const commandSchema = z.strictObject({
  kind: z.literal("command"),
  ...named,
  run: z.array(text).min(1, "a program has to be named").readonly(),
  /** Milliseconds. */
  timeout: duration.default(60_000),
});

export const assertionSchema = z.discriminatedUnion("kind", [countSchema, recordSchema, commandSchema], {
  error: (issue) => (issue.code === "invalid_union" ? "kind is count, record or command" : undefined),
});

export const assertionFileSchema = z.strictObject({
  assertions: z.array(assertionSchema).min(1, "at least one assertion is expected"),
});

export type CountAssertion = z.output<typeof countSchema>;
export type RecordAssertion = z.output<typeof recordSchema>;
export type CommandAssertion = z.output<typeof commandSchema>;
export type Assertion = z.output<typeof assertionSchema>;

/** Where an assertion stands in its file. */
export interface AssertionPlace {
  readonly line: number;
  /** Of the assertion in its file, from 1. Several may stand on one line. */
  readonly number: number;
}

export type PlacedAssertion = Assertion & AssertionPlace;

/** For people, in reports. */
export function assertionName(assertion: Assertion): string {
  if (assertion.name !== undefined) return assertion.name;
  if (assertion.kind === "count") return `count of ${assertion.scope}`;
  return assertion.kind === "record" ? `${assertion.scope} ${assertion.key}` : assertion.run.join(" ");
}
