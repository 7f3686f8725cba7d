/** Writes a stream's entries under their own ids, and its last id. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Note } from "../../model/outcome.js";
import type { StreamEntry, StreamRecord } from "../../model/record.js";
import { replyError } from "./classify-error.js";
import type { WriteContext } from "./context.js";
import type { Asker } from "./link.js";
import { ADD_ENTRIES } from "./scripts.js";
import { compareIds, type EntryTally, isWide, runsOf, unfit } from "./stream-entries.js";
import { Rebuild } from "./temporary.js";

interface Filling {
  readonly record: StreamRecord;
  /** The key that is written, which holds nothing yet. */
  readonly key: Buffer;
  readonly tally: EntryTally;
}

/** What became of the entries handed to `addEntries`; `gone` and `wrong-type` say that none was added. */
type AddAnswer =
  | { readonly word: "gone" | "wrong-type" }
  | { readonly word: "ok"; readonly refused: ReadonlyMap<number, string> };

interface AddInit {
  readonly key: Buffer;
  readonly entries: readonly StreamEntry[];
  /** Adds nothing when the stream is not there. */
  readonly mustExist: boolean;
}

/** Adds a run of entries. Refusals by index, as reasons. @throws RestoreError REPLY_LOST: not repeated by itself */
export async function addEntries(context: WriteContext, { key, entries, mustExist }: AddInit): Promise<AddAnswer> {
  const [first] = entries;
  if (first === undefined) return { word: "ok", refused: new Map() };
  if (isWide(first)) return await addWide(context, { key, entry: first, mustExist });
  const args = entries.flatMap(({ id, fields }) => [id, String(fields.length), ...fields]);
  const all = [ADD_ENTRIES, "1", key, mustExist ? "1" : "0", ...args];
  const reply = await context.link.command("EVAL", all, { repeatable: false });
  const [word, ...refusals] = Array.isArray(reply) ? reply.map(String) : [];
  if (word === "gone" || word === "wrong-type") return { word };
  const refused = new Map<number, string>();
  for (let i = 0; i + 1 < refusals.length; i += 2) {
    refused.set(Number(refusals[i]) - 1, reasonOf(context, (refusals[i + 1] ?? "").slice(1)));
  }
  return { word: "ok", refused };
}

/** More fields than a script takes: without the check in the same step, which no script can make. */
async function addWide(
  context: WriteContext,
  { key, entry, mustExist }: { readonly key: Buffer; readonly entry: StreamEntry; readonly mustExist: boolean },
): Promise<AddAnswer> {
  if (mustExist && (await context.link.command("EXISTS", [key])) !== 1) return { word: "gone" };
  const command = { name: "XADD", args: [key, entry.id, ...entry.fields] };
  const [reply] = await context.link.request({ build: () => [command], repeatable: false });
  return { word: "ok", refused: new Map(reply instanceof Error ? [[0, reasonOf(context, reply.message)]] : []) };
}

function reasonOf(context: WriteContext, text: string): string {
  const error = context.link.classify(replyError(text), "XADD");
  if (error.retry !== "no") throw error;
  return error.reason ?? "refused-by-target";
}

/** Writes the whole stream. @throws RestoreError REPLY_LOST when it is not known which entries are there */
export async function fillStream(context: WriteContext, { record, key, tally }: Filling): Promise<readonly Note[]> {
  let top: string | undefined;
  for await (const chunk of record.entries()) {
    const fit = chunk.filter((entry) => {
      const why = unfit(entry, context.abilities);
      if (why !== undefined) tally.refused(entry.id, why);
      return why === undefined;
    });
    for (const run of runsOf(fit)) {
      const answer = await addEntries(context, { key, entries: run, mustExist: top !== undefined });
      // Nobody else knows the key: whoever took it away, it has to be built again.
      if (answer.word !== "ok") throw new Rebuild();
      run.forEach((entry, i) => {
        const why = answer.refused.get(i);
        if (why !== undefined) tally.refused(entry.id, why);
        else {
          tally.restored(1);
          top = entry.id;
        }
      });
    }
  }
  return top === undefined
    ? await createEmpty(context, { key, lastId: record.lastId })
    : await raiseLastId(context, { key, top, lastId: record.lastId });
}

/** An empty stream that exists, with its last id where one is known. */
async function createEmpty(
  context: WriteContext,
  { key, lastId = "0-0" }: { readonly key: Buffer; readonly lastId: string | undefined },
): Promise<readonly Note[]> {
  if (lastId !== "0-0") {
    await context.link.command("XADD", [key, "MAXLEN", "0", lastId, "a", "b"], { repeatable: false });
    return [];
  }
  if (context.abilities.xgroup) {
    await context.link.command("XGROUP", ["CREATE", key, "g", "0", "MKSTREAM"], { repeatable: false });
    await context.link.command("XGROUP", ["DESTROY", key, "g"]);
    return [];
  }
  await context.link.command("XADD", [key, "MAXLEN", "0", "0-1", "a", "b"], { repeatable: false });
  return [{ kind: "last-id-not-restored", detail: "the target makes no empty stream whose last id is below 0-1" }];
}

interface LastId {
  readonly key: Buffer;
  readonly top: string;
  readonly lastId: string | undefined;
}

/** Sets the last id above the top entry, where it was; one that is higher already stays. May run twice. */
export async function raiseLastId(context: WriteContext, { key, top, lastId }: LastId): Promise<readonly Note[]> {
  if (lastId === undefined || compareIds(lastId, top) <= 0) return [];
  if (context.abilities.xsetid) {
    // XSETID would lower it as well, and ids that were handed out would be handed out again.
    const held = await lastGeneratedId(context.link, key);
    if (held === undefined || compareIds(lastId, held) > 0) await context.link.command("XSETID", [key, lastId]);
    return [];
  }
  return [{ kind: "last-id-not-restored", detail: `the stream may hand out ids up to ${lastId} again` }];
}

/** Undefined where the target does not tell. @throws RestoreError as `Link.command` */
export async function lastGeneratedId(link: Asker, key: Buffer): Promise<string | undefined> {
  const info = await streamInfo(link, key);
  const at = info.findIndex((each) => String(each) === "last-generated-id");
  return at < 0 ? undefined : String(info[at + 1]);
}

async function streamInfo(link: Asker, key: Buffer): Promise<readonly unknown[]> {
  try {
    const info = await link.command("XINFO", ["STREAM", key]);
    return Array.isArray(info) ? info : [];
  } catch (error) {
    if (error instanceof RestoreError && error.reason === "command-missing") return [];
    throw error;
  }
}
