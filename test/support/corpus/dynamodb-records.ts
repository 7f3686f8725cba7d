/** Items of three tables: hash key alone, hash and range, and a numeric key. The body is the truth, the name an index. */
import { type DumpFile, tableSchema } from "../dump-builder.js";
import { BOM, deep, type RecordCase } from "./case.js";
import { type Holding, item, table } from "./holdings.js";

const TABLE = "corpus-items";
let count = 0;

/** A file of its own for each; an item's own key is `name`. */
function rejected(name: string, content: DumpFile, reason: string, by: "reader" | "target" = "reader"): RecordCase {
  const path = `dynamodb/${TABLE}/items/r${++count}.json`;
  return { name: `item: ${name}`, files: { [path]: content }, ends: [{ path, outcome: "rejected", reason, by }] };
}

/** `members`: JSON text of the attributes beside the key. */
const withKey = (members: string) => `{"id":{"S":"r${count + 1}"},${members}}`;

function restored(name: string, members: string): RecordCase {
  const text = withKey(members);
  const path = `dynamodb/${TABLE}/items/r${++count}.json`;
  return { name: `item: ${name}`, files: { [path]: text }, holds: [item(TABLE, text)] };
}

const syntax: readonly RecordCase[] = [
  rejected("an empty file", "", "malformed-json"),
  rejected("no JSON", "id=a", "malformed-json"),
  rejected("an array", "[]", "malformed-record"),
  rejected("null", "null", "malformed-record"),
  rejected("two items in a file", '{"id":{"S":"x"}}{"id":{"S":"y"}}', "malformed-json"),
  rejected("a byte order mark", `${BOM}{"id":{"S":"x"}}`, "byte-order-mark"),
  rejected("bad UTF-8", Buffer.from('{"id":{"S":"\xff"}}', "latin1"), "bad-utf8"),
  rejected("a lone surrogate", withKey('"a":{"S":"\\udfff"}'), "lone-surrogate"),
  rejected("an attribute twice", withKey('"a":{"S":"1"},"a":{"S":"2"}'), "duplicate-key"),
  rejected("a member twice within a map", withKey('"a":{"M":{"x":{"S":"1"},"x":{"S":"2"}}}'), "duplicate-key"),
  rejected("a hundred thousand levels", withKey(`"a":{"L":${deep(100_000)}}`), "too-deep"),
];

const values: readonly RecordCase[] = [
  rejected("an attribute without a type", withKey('"a":{}'), "invalid-item"),
  rejected("an attribute of two types", withKey('"a":{"S":"1","N":"1"}'), "invalid-item"),
  rejected("an attribute of an unknown type", withKey('"a":{"X":"1"}'), "invalid-item"),
  rejected("an attribute that is plain text", withKey('"a":"1"'), "malformed-record"),
  rejected("a string that is a number", withKey('"a":{"S":1}'), "malformed-record"),
  rejected("a number that is a number", withKey('"a":{"N":1}'), "malformed-record"),
  rejected("a truth that is text", withKey('"a":{"BOOL":"true"}'), "invalid-item"),
  rejected("a null that is false", withKey('"a":{"NULL":false}'), "invalid-item"),
  rejected("a binary without padding", withKey('"a":{"B":"_w"}'), "malformed-record"),
  rejected("a binary of another alphabet", withKey('"a":{"B":"_-_-"}'), "malformed-record"),
  rejected("a set that is text", withKey('"a":{"SS":"a"}'), "malformed-record"),
  rejected("a set of numbers that holds a number", withKey('"a":{"NS":[1]}'), "malformed-record"),
  rejected("a list that holds plain text", withKey('"a":{"L":["x"]}'), "malformed-record"),
  rejected("a map that is an array", withKey('"a":{"M":[]}'), "malformed-record"),
  rejected("no key", '{"other":{"S":"x"}}', "missing-key"),
  rejected("a key of another type", '{"id":{"N":"1"}}', "wrong-key-type"),
];

/** Well formed, and refused by the target: each alone, though batches hold many. */
const refused: readonly RecordCase[] = [
  ["an empty set", withKey('"a":{"SS":[]}')],
  ["an empty set within a list", '{"id":{"S":"rx"},"a":{"L":[{"NS":[]}]}}'],
  ["a set with a member twice", '{"id":{"S":"ry"},"a":{"SS":["a","a"]}}'],
  ["a number that is none", '{"id":{"S":"rz"},"a":{"N":"one"}}'],
  ["a number of 39 digits", `{"id":{"S":"rn"},"a":{"N":"${"1".repeat(39)}"}}`],
  ["a number beyond all powers", '{"id":{"S":"rp"},"a":{"N":"1e127"}}'],
  ["an empty key", '{"id":{"S":""}}'],
  ["a key of 2,049 bytes", `{"id":{"S":"${"k".repeat(2049)}"}}`],
  ["an item over 400 KB", `{"id":{"S":"rb"},"a":{"S":"${"x".repeat(410_000)}"}}`],
  ["33 levels", `{"id":{"S":"rl"},"a":${'{"L":['.repeat(33)}${"]}".repeat(33)}}`],
].map(([name = "", content = ""]): RecordCase => {
  const path = `dynamodb/${TABLE}/items/t${++count}.json`;
  return { name: `item: ${name}`, files: { [path]: content }, ends: [{ path, outcome: "rejected", by: "target" }] };
});

const odd: readonly RecordCase[] = [
  restored(
    "attributes of JavaScript",
    '"__proto__":{"S":"1"},"constructor":{"M":{"__proto__":{"NULL":true}}},"toString":{"BOOL":false}',
  ),
  restored(
    "38 digits and powers",
    '"a":{"N":"12345678901234567890123456789012345678"},"b":{"N":"-0.00000000000000000001"},"c":{"N":"9.9E+125"}',
  ),
  restored("everything empty that may be", '"a":{"S":""},"b":{"B":""},"c":{"L":[]},"d":{"M":{}}'),
  restored(
    "sets and binaries",
    '"a":{"SS":["","x"]},"b":{"NS":["1","-2.50"]},"c":{"BS":["AA==","/w=="]},"d":{"B":"AP8="}',
  ),
  restored("names that are no words", '"":{"S":"x"}'.replace('""', '" "')),
  restored("escapes and awkward letters", '"\\u00e9\\n":{"S":"\\ud83d\\ude00\\u0000\\u202e"},"\u2028":{"S":"\u2029"}'),
  restored("32 levels", `"a":${'{"L":['.repeat(31)}${"]}".repeat(31)}`),
  {
    name: "item: a name that is not its key's",
    files: { [`dynamodb/${TABLE}/items/another.json`]: '\n {"id":{"S":"else"}} \n' },
    holds: [item(TABLE, '{"id":{"S":"else"}}')],
  },
  {
    name: "item: a key that stands in two files: the first in the order of paths wins",
    files: {
      [`dynamodb/${TABLE}/items/twin-a.json`]: '{"id":{"S":"twin"},"v":{"N":"1"}}',
      [`dynamodb/${TABLE}/items/twin-b.json`]: '{"id":{"S":"twin"},"v":{"N":"2"}}',
    },
    ends: [{ path: `dynamodb/${TABLE}/items/twin-b.json`, outcome: "rejected", reason: "duplicate-record" }],
    holds: [item(TABLE, '{"id":{"S":"twin"},"v":{"N":"1"}}')],
  },
];

const JSONL = `dynamodb/${TABLE}/items/data-00001.jsonl`;
const line = (name: string, text: string, reason: string): RecordCase => ({
  name: `item's line: ${name}`,
  lines: { [JSONL]: [text] },
  ends: [{ path: JSONL, own: 0, outcome: "rejected", reason }],
});

const lines: readonly RecordCase[] = [
  line("a blank one", "", "malformed-json"),
  line("one cut off", '{"id":{"S":"cut"', "malformed-json"),
  line("two items in one", '{"id":{"S":"x"}} {"id":{"S":"y"}}', "malformed-json"),
  line("a key that a file has", '{"id":{"S":"else"}}', "duplicate-record"),
  {
    name: "item's line: sound ones between them, with CR LF too",
    lines: { [JSONL]: ['{"id":{"S":"line 1"}}', '{"id":{"S":"line 2"}}\r'] },
    holds: [item(TABLE, '{"id":{"S":"line 1"}}'), item(TABLE, '{"id":{"S":"line 2"}}')],
  },
];

const NUMBERS = "corpus-numbers";
const RANGES = "corpus-ranges";
const range = '{"pk":{"B":"AAE="},"sk":{"S":"x"}}';

const keys: readonly RecordCase[] = [
  {
    name: "numeric keys: 0.5 in a file called 1%2F2, and 1.0, 1 and 1e0 are one",
    files: {
      [`dynamodb/${NUMBERS}/_schema.json`]: tableSchema(NUMBERS, { name: "id", type: "N" }),
      [`dynamodb/${NUMBERS}/items/1%2F2.json`]: '{"id":{"N":"0.5"}}',
      [`dynamodb/${NUMBERS}/items/1.json`]: '{"id":{"N":"1.0"}}',
      [`dynamodb/${NUMBERS}/items/1x.json`]: '{"id":{"N":"1"}}',
      [`dynamodb/${NUMBERS}/items/1y.json`]: '{"id":{"N":"1e0"}}',
    },
    ends: ["1x", "1y"].map((name) => ({
      path: `dynamodb/${NUMBERS}/items/${name}.json`,
      outcome: "rejected",
      reason: "duplicate-record",
    })),
    holds: [table(NUMBERS, "id:N"), item(NUMBERS, '{"id":{"N":"0.5"}}'), item(NUMBERS, '{"id":{"N":"1"}}')],
  },
  {
    name: "binary and range keys, in directories of their own",
    files: {
      [`dynamodb/${RANGES}/_schema.json`]: {
        ...tableSchema(RANGES),
        primary_key: { hash_key: { name: "pk", type: "B" }, range_key: { name: "sk", type: "S" } },
      },
      [`dynamodb/${RANGES}/items/b64.AAE/x.json`]: range,
      [`dynamodb/${RANGES}/items/b64.AAE/no%20range.json`]: '{"pk":{"B":"AAE="}}',
    },
    ends: [{ path: `dynamodb/${RANGES}/items/b64.AAE/no%20range.json`, outcome: "rejected", reason: "missing-key" }],
    holds: [table(RANGES, "pk:B, sk:S"), item(RANGES, range, ["pk", "sk"])],
  },
];

const scope: RecordCase = {
  name: "the table of all these items",
  files: { [`dynamodb/${TABLE}/_schema.json`]: tableSchema(TABLE) },
  holds: [table(TABLE)] satisfies Holding[],
};

export const DYNAMODB_RECORDS = [scope, ...syntax, ...values, ...refused, ...odd, ...lines, ...keys];
