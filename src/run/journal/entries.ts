/** What a journal holds: entries, each kept whole or not at all, with the schema by which they are read again. */
import * as z from "zod";
import { NOTES, OUTCOMES } from "../../model/outcome.js";
import { ADAPTERS } from "../../model/scope.js";
import { tallySchema } from "../tally.js";
import { SCOPE_PHASES } from "./journal.js";

const count = z.int().nonnegative();

const range = z.tuple([count, count]);

const position = z.strictObject({
  path: z.string(),
  offset: count.exactOptional(),
  line: count.exactOptional(),
});

const note = z.strictObject({ kind: z.enum(NOTES), detail: z.string().exactOptional() });

const entryCounts = z.strictObject({
  restored: count,
  skippedExisting: count,
  rejected: count,
  refused: z.array(z.strictObject({ id: z.string(), reason: z.string() })).exactOptional(),
});

const outcome = z.strictObject({
  kind: z.enum(OUTCOMES),
  reason: z.string().exactOptional(),
  detail: z.string().exactOptional(),
  notes: z.array(note).exactOptional(),
  entries: entryCounts.exactOptional(),
});

export const listedRecordSchema = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  path: z.string().describe("file in the dump, relative to its root"),
  line: count.exactOptional(),
  key: z.string().describe("the record's key, printable; binary keys as base64:<base64url>"),
  outcome: z.enum(OUTCOMES),
  reason: z.string().exactOptional(),
  detail: z.string().exactOptional(),
  notes: z.array(note).readonly().exactOptional(),
  entries: entryCounts.exactOptional(),
});

const admission = z.strictObject({
  presence: z.enum(["absent", "empty", "holds-records"]),
  decision: z.enum(["create", "keep", "empty", "refuse", "skip"]),
});

const readiness = z.strictObject({
  warnings: z.array(z.string()),
  everyRecord: outcome.exactOptional(),
  error: z.string().exactOptional(),
});

/** All that is known of a scope. Announcements: first number, last number, Unix milliseconds. */
const scopeState = z.strictObject({
  scope: z.string(),
  phase: z.enum(SCOPE_PHASES),
  admission,
  readiness: readiness.exactOptional(),
  upTo: z.strictObject({ next: count, after: position }).exactOptional(),
  ahead: z.array(range),
  announced: z.array(z.tuple([count, count, count])),
  /** Records below the number were announced before the scope was rewound, then. */
  before: z.tuple([count, count]),
  tally: tallySchema,
  workedMs: count,
  notes: z.record(z.string(), z.string()),
});

/** `scope`: its label. */
export const entrySchema = z.discriminatedUnion("type", [
  /** Stands first in a segment and for everything before it. `listedBytes`: length of the list beside the journal. */
  z.strictObject({
    type: z.literal("checkpoint"),
    scopes: z.array(scopeState),
    listedBytes: count,
  }),
  z.strictObject({ type: z.literal("admitted"), scope: z.string(), admission }),
  z.strictObject({ type: z.literal("phase"), scope: z.string(), phase: z.enum(SCOPE_PHASES) }),
  z.strictObject({ type: z.literal("ready"), scope: z.string(), readiness }),
  z.strictObject({ type: z.literal("intent"), scope: z.string(), records: z.array(range), at: count }),
  z.strictObject({ type: z.literal("withdrawn"), scope: z.string(), records: z.array(range) }),
  z.strictObject({
    type: z.literal("settled"),
    scope: z.string(),
    records: z.array(range),
    upTo: z.strictObject({ next: count, after: position }).exactOptional(),
    tally: tallySchema,
    listed: z.array(listedRecordSchema).exactOptional(),
    workedMs: count,
  }),
  z.strictObject({ type: z.literal("rewound"), scope: z.string(), at: count }),
  z.strictObject({ type: z.literal("note"), scope: z.string(), name: z.string(), value: z.string().exactOptional() }),
]);

export type Entry = z.infer<typeof entrySchema>;
export type EntryOf<T extends Entry["type"]> = Extract<Entry, { type: T }>;
export type ScopeStateJson = z.infer<typeof scopeState>;
