/**
 * Writes streams: exact ids, repeated field names and their order, empty streams, last ids. What stands under the key
 * decides the way: built anew under a temporary key, entry by entry into what is there, or appended under new ids.
 */
import type { Note, Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { StreamRecord } from "../../model/record.js";
import { judge, momentNow, scriptModeOf, type WriteContext } from "./context.js";
import { SKIPPED_EXPIRED } from "./outcomes.js";
import { compareWithTarget, typeOf } from "./read-back.js";
import { appendEntries } from "./stream-append.js";
import { addByEntry, holdsOnly, settleStream } from "./stream-by-entry.js";
import { EntryTally } from "./stream-entries.js";
import { fillStream } from "./stream-fill.js";
import { type BuildInit, buildAndCommit } from "./temporary.js";

const MAX_TURNS = 10;

/** @throws RestoreError as the link does */
export async function writeStream(context: WriteContext, record: StreamRecord, action: WriteAction): Promise<Outcome> {
  if (action === "put" || action === "overwrite") return await buildStream(context, record, { action });
  if (action === "append") return await appendStream(context, record);
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const type = await typeOf(context.link, record.key);
    const outcome =
      type === "none"
        ? await buildStream(context, record, { action, unlessExists: true })
        : type === "stream"
          ? await intoExisting(context, record, action)
          : judge(context, action, { word: "wrong-type" });
    if (outcome !== undefined) return outcome;
  }
  return judge(context, action, { word: "kept-changing" });
}

interface BuildOptions {
  readonly action: WriteAction;
  /** Undefined instead of an outcome when the key is taken meanwhile. */
  readonly unlessExists?: boolean;
  readonly marker?: NonNullable<BuildInit["marker"]>;
}

/** Builds the stream under a temporary key and puts it in place. */
async function buildStream(context: WriteContext, record: StreamRecord, options: BuildOptions): Promise<Outcome>;
async function buildStream(
  context: WriteContext,
  record: StreamRecord,
  options: BuildOptions & { readonly unlessExists: boolean },
): Promise<Outcome | undefined>;
async function buildStream(
  context: WriteContext,
  record: StreamRecord,
  { action, unlessExists = false, marker }: BuildOptions,
): Promise<Outcome | undefined> {
  let tally = new EntryTally(record.faultyEntries);
  let notes: readonly Note[] = [];
  const answer = await buildAndCommit(context, {
    key: record.key,
    ...(marker === undefined ? {} : { marker }),
    kind: "stream",
    mode: unlessExists ? "absent" : scriptModeOf(action),
    fill: async (temporary) => {
      tally = new EntryTally(record.faultyEntries);
      notes = await fillStream(context, { record, key: temporary, tally });
      return { elements: tally.counts().restored, expireAtMs: record.expireAtMs };
    },
  });
  if (unlessExists && (answer.word === "exists" || answer.word === "wrong-type")) return undefined;
  const outcome = judge(context, action, { word: answer.word, notes: [...answer.notes, ...notes] });
  return outcome.kind === "restored" ? tally.outcome(outcome) : outcome;
}

/** Undefined: the stream vanished meanwhile. */
async function intoExisting(
  context: WriteContext,
  record: StreamRecord,
  action: WriteAction,
): Promise<Outcome | undefined> {
  if (action === "entry-by-entry" || action === "merge-into") return await addByEntry(context, record, { action });
  if (action !== "only-if-absent-or-equal") return judge(context, action, { word: "exists" });
  const held = await context.link.command("XLEN", [record.key]);
  // An empty stream has no entry to lose; its last id may still be above the dump's.
  if (held === 0 && record.count > 0) return await addByEntry(context, record, { action });
  if ((await compareWithTarget(context, record)) !== "equal") {
    // What an earlier process of the job had added of it is gone on with.
    const isBegun = record.announcedAt !== undefined && (await holdsOnly(context, record, Number(held)));
    return isBegun ? await addByEntry(context, record, { action }) : judge(context, action, { word: "exists" });
  }
  const tally = new EntryTally(record.faultyEntries);
  tally.present(record.count);
  if (momentNow(context, record).how === "skip") return SKIPPED_EXPIRED;
  const outcome: Outcome = { kind: "skipped-existing", reason: "already-equal" };
  return await settleStream(context, { record, tally, outcome });
}

async function appendStream(context: WriteContext, record: StreamRecord): Promise<Outcome> {
  return await appendEntries(context, record, {
    buildNew: async (marker) => await buildStream(context, record, { action: "append", unlessExists: true, marker }),
  });
}
