/**
 * Adds entries one at a time to a stream that exists: present with the same fields is skipped; another entry under the
 * id, or an id at or below the top that is not there, is refused as `id-below-top`. The server's "equal or smaller" says
 * only that a higher id exists, so the entry itself is asked for.
 *
 * A stream that vanishes meanwhile is not brought back half: the caller starts over.
 */
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { StreamEntry, StreamRecord } from "../../model/record.js";
import { isEntry } from "./compare/entries.js";
import { judge, momentNow, type WriteContext } from "./context.js";
import { notesOf } from "./expiry.js";
import type { Asker } from "./link.js";
import { isReplyLost, SKIPPED_EXPIRED } from "./outcomes.js";
import { compareIds, EntryTally, runsOf, unfit } from "./stream-entries.js";
import { addEntries, raiseLastId } from "./stream-fill.js";

/** Undefined: the stream vanished meanwhile. */
export async function addByEntry(
  context: WriteContext,
  record: StreamRecord,
  { action }: { readonly action: WriteAction },
): Promise<Outcome | undefined> {
  const moment = momentNow(context, record);
  if (moment.how === "skip") return SKIPPED_EXPIRED;
  const tally = new EntryTally(record.faultyEntries);
  const top = await topIdOf(context.link, record.key);
  for await (const chunk of record.entries()) {
    const split = chunk.findIndex(({ id }) => top === undefined || compareIds(id, top) > 0);
    const below = split < 0 ? chunk : chunk.slice(0, split);
    await compareAll(context, { record, entries: below, tally });
    for (const run of runsOf(fitOnes(context, split < 0 ? [] : chunk.slice(split), tally))) {
      const word = await addRun(context, { record, entries: run, tally });
      if (word === "gone") return undefined;
      if (word === "wrong-type") return judge(context, action, { word });
    }
  }
  // What is there may be what an earlier process of the job added.
  const found = record.announcedAt === undefined ? "skipped-existing" : "restored";
  // What skip-existing finds keeps its expiry and its last id; merging gives it the dump's.
  if (action === "entry-by-entry") return tally.outcome({ kind: found, reason: "already-equal" });
  return await settleStream(context, { record, tally, outcome: { kind: "restored" } });
}

/** Gives a stream that now holds the dump's entries the dump's last id and expiry. May run twice. */
export async function settleStream(
  context: WriteContext,
  { record, tally, outcome }: { readonly record: StreamRecord; readonly tally: EntryTally; readonly outcome: Outcome },
): Promise<Outcome> {
  const top = await topIdOf(context.link, record.key);
  const lastIdNotes =
    top === undefined || tally.counts().rejected > 0
      ? []
      : await raiseLastId(context, { key: record.key, top, lastId: record.lastId });
  const moment = momentNow(context, record);
  if (moment.how === "A") await context.link.command("PEXPIREAT", [record.key, moment.ms]);
  if (moment.how === "R") await context.link.command("PEXPIRE", [record.key, moment.ms]);
  if (moment.how === "P") await context.link.command("PERSIST", [record.key]);
  if (moment.how === "X") await context.link.command("DEL", [record.key]);
  const notes = [...notesOf(moment), ...lastIdNotes];
  return tally.outcome(notes.length === 0 ? outcome : { ...outcome, notes });
}

function fitOnes(context: WriteContext, entries: readonly StreamEntry[], tally: EntryTally): StreamEntry[] {
  return entries.filter((entry) => {
    const why = unfit(entry, context.abilities);
    if (why !== undefined) tally.refused(entry.id, why);
    return why === undefined;
  });
}

interface Run {
  readonly record: StreamRecord;
  readonly entries: readonly StreamEntry[];
  readonly tally: EntryTally;
}

async function addRun(context: WriteContext, run: Run): Promise<"ok" | "gone" | "wrong-type"> {
  const { record, entries, tally } = run;
  try {
    const answer = await addEntries(context, { key: record.key, entries, mustExist: true });
    if (answer.word !== "ok") return answer.word;
    const doubtful = entries.filter((_, i) => answer.refused.get(i) === "id-below-top");
    entries.forEach(({ id }, i) => {
      const why = answer.refused.get(i);
      if (why === undefined) tally.restored(1);
      else if (why !== "id-below-top") tally.refused(id, why);
    });
    await compareAll(context, { record, entries: doubtful, tally });
    return "ok";
  } catch (error) {
    if (!isReplyLost(error)) throw error;
    return await addAgain(context, run);
  }
}

/** They were above the top before: those found now are ours, the others are still to be written. */
async function addAgain(context: WriteContext, { record, entries, tally }: Run): Promise<"ok" | "gone" | "wrong-type"> {
  const held = await ask(context, record.key, entries);
  const missing = entries.filter((entry, i) => !isEntry(held[i], entry));
  tally.restored(entries.length - missing.length);
  return missing.length === 0 ? "ok" : await addRun(context, { record, entries: missing, tally });
}

async function compareAll(context: WriteContext, { record, entries, tally }: Run): Promise<void> {
  if (entries.length === 0) return;
  const held = await ask(context, record.key, entries);
  entries.forEach((entry, i) => {
    if (isEntry(held[i], entry)) {
      if (record.announcedAt === undefined) tally.present(1);
      else tally.restored(1);
    } else tally.refused(entry.id, "id-below-top");
  });
}

/** Whether all of the target's `held` entries are the record's. */
export async function holdsOnly(context: WriteContext, record: StreamRecord, held: number): Promise<boolean> {
  let found = 0;
  for await (const entries of record.entries()) {
    const replies = await ask(context, record.key, entries);
    found += entries.filter((entry, i) => isEntry(replies[i], entry)).length;
  }
  return found === held;
}

/** What stands under each entry's id: the entry's reply, or undefined. */
async function ask(context: WriteContext, key: Buffer, entries: readonly StreamEntry[]) {
  const replies = await context.link.request({
    build: () => entries.map(({ id }) => ({ name: "XRANGE", args: [key, id, id] })),
  });
  return replies.map((reply) => {
    if (reply instanceof Error) throw context.link.classify(reply, "XRANGE");
    return Array.isArray(reply) ? reply[0] : undefined;
  });
}

/** Id of the highest entry; undefined for an empty stream. */
export async function topIdOf(link: Asker, key: Buffer): Promise<string | undefined> {
  const reply = await link.command("XREVRANGE", [key, "+", "-", "COUNT", "1"]);
  const entry: unknown = Array.isArray(reply) ? reply[0] : undefined;
  return Array.isArray(entry) ? String(entry[0]) : undefined;
}
