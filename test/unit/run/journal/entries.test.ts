import { describe, expect, it } from "vitest";
import { type Entry, type EntryOf, entrySchema, listedRecordSchema } from "../../../../src/run/journal/entries.js";

const scope = "redis:db_0";
const outcome = {
  kind: "failed" as const,
  reason: "odd",
  detail: "it is",
  notes: [{ kind: "early" as const, detail: "so" }],
  entries: { restored: 1, skippedExisting: 2, rejected: 3, refused: [{ id: "1-0", reason: "id-below-top" }] },
};
const listed = {
  adapter: "redis" as const,
  scope: "db_0",
  path: "a.jsonl",
  line: 4,
  key: "k",
  outcome: "failed" as const,
  reason: "odd",
  detail: "it is",
  notes: outcome.notes,
  entries: outcome.entries,
};
const tally: EntryOf<"settled">["tally"] = { totals: { failed: 1 }, bytes: 3 };
const upTo = { next: 3, after: { path: "a.jsonl", offset: 90, line: 4 } };

const CHECKPOINT: EntryOf<"checkpoint"> = {
  type: "checkpoint",
  scopes: [
    {
      scope,
      phase: "writing",
      admission: { presence: "absent", decision: "create" },
      readiness: { warnings: ["w"], everyRecord: outcome, error: "no" },
      upTo,
      ahead: [[5, 6]],
      announced: [[7, 8, 1_700_000_000_000]],
      before: [9, 1_600_000_000_000],
      tally,
      workedMs: 12,
      notes: { upload: "u-1" },
    },
  ],
  listedBytes: 100,
};

/** One of each, with everything that it may hold. */
const ENTRIES: readonly Entry[] = [
  CHECKPOINT,
  { type: "admitted", scope, admission: { presence: "absent", decision: "create" } },
  { type: "phase", scope, phase: "done" },
  { type: "ready", scope, readiness: { warnings: ["w"], everyRecord: outcome, error: "no" } },
  { type: "intent", scope, records: [[0, 4]], at: 1_700_000_000_000 },
  { type: "withdrawn", scope, records: [[0, 4]] },
  { type: "settled", scope, records: [[0, 4]], upTo, tally, listed: [listed], workedMs: 12 },
  { type: "rewound", scope, at: 1_700_000_000_000 },
  { type: "note", scope, name: "upload", value: "u-1" },
];

/** Fields whose absence means something. */
const OPTIONAL = new RegExp(
  [
    String.raw`(everyRecord|listed\.\d+)\.(reason|notes|entries)$`,
    String.raw`\.(everyRecord|error|upTo|offset|line|detail|refused|listed|value|upload)$`,
    String.raw`scopes\.\d+\.readiness$|tally\.`,
  ].join("|"),
);
/** What another key says is not for the schema to judge. */
const IS_BY_NAME = /scopes\.\d+\.notes$|totals$/;
const MAY_BE_EMPTY = /(warnings|scopes|ahead|announced|records|listed|notes|refused)$/;

describe.each(ENTRIES.map((entry) => [entry.type, entry] as const))("an entry %s", (type, entry) => {
  it("is read as it was written", () => {
    expect(entrySchema.parse(JSON.parse(JSON.stringify(entry)))).toStrictEqual(entry);
  });

  it("is refused with anything missing, added, or of another kind", () => {
    const accepted: string[] = [];
    for (const [what, wrong] of wrongs(entry, type)) {
      if (entrySchema.safeParse(wrong).success) accepted.push(what);
    }
    expect(accepted).toEqual([]);
  });

  it("may leave out what is not known", () => {
    const refused = removals(entry, type).filter(
      ([path, without]) => OPTIONAL.test(path) && !entrySchema.safeParse(without).success,
    );
    expect(refused.map(([path]) => path)).toEqual([]);
  });
});

it("a scope is admitted whatever its target held and the mode made of it, and nothing else", () => {
  const accepts = (presence: string, decision: string) =>
    entrySchema.safeParse({ type: "admitted", scope, admission: { presence, decision } }).success;
  for (const presence of ["absent", "empty", "holds-records"]) expect(accepts(presence, "keep")).toBe(true);
  for (const decision of ["create", "keep", "empty", "refuse", "skip"]) expect(accepts("empty", decision)).toBe(true);
  expect([accepts("", "keep"), accepts("empty", "")]).toEqual([false, false]);
});

it("a listed record says to readers of its schema what path and key are", () => {
  const { path, key } = listedRecordSchema.shape;
  expect([path.description, key.description]).toEqual([
    expect.stringContaining("relative to its root"),
    expect.stringContaining("base64url"),
  ]);
});

type Changed = readonly [path: string, entry: unknown];

/** The value with each part of it replaced by what `change` makes of it, one at a time. */
function changes(value: unknown, path: string, change: (part: unknown, path: string) => readonly Changed[]): Changed[] {
  const own = [...change(value, path)];
  if (typeof value !== "object" || value === null) return own;
  const inner = Object.entries(value).flatMap(([name, part]) =>
    changes(part, `${path}.${name}`, change).map(([what, changed]): Changed => {
      if (!Array.isArray(value)) return [what, { ...value, [name]: changed }];
      return [what, value.map((each: unknown, i) => (String(i) === name ? changed : each))];
    }),
  );
  return [...own, ...inner];
}

function removals(entry: unknown, path: string): Changed[] {
  return changes(entry, path, (part, at) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return [];
    return Object.keys(part).map((name): Changed => {
      const rest = Object.entries(part).filter(([each]) => each !== name);
      return [`${at}.${name}`, Object.fromEntries(rest)];
    });
  });
}

function wrongs(entry: unknown, path: string): Changed[] {
  const wrong = changes(entry, path, (part, at) => {
    if (typeof part === "number") return [-1, 0.5, "1"].map((value): Changed => [`${at} = ${value}`, value]);
    if (typeof part === "string") return [[`${at} = 1`, 1]];
    if (Array.isArray(part)) {
      const longer: Changed = [`${at} longer`, [...(part as unknown[]), null]];
      return MAY_BE_EMPTY.test(at) ? [longer] : [longer, [`${at} empty`, []]];
    }
    return IS_BY_NAME.test(at) ? [] : [[`${at} with more`, { ...(part as object), more: 1 }]];
  });
  const needed = removals(entry, path).filter(([at]) => !OPTIONAL.test(at));
  return [...wrong, ...needed];
}
