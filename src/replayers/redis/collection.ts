/**
 * Writes hashes, lists, sets and zsets. One of a single chunk goes in one script call; a longer one is built under a
 * temporary key and renamed, or merged chunk by chunk into what is there.
 */
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { CollectionRecord, CollectionType, Packed } from "../../model/record.js";
import { present } from "../../support/present.js";
import { type AddCommand, type AddedContent, elementsOf } from "./added-content.js";
import { appendToList } from "./append.js";
import type { Command } from "./connection.js";
import { judge, momentNow, scriptModeOf, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { writeInPlace } from "./in-place.js";
import { SKIPPED_EMPTY } from "./outcomes.js";
import { temporaryKey } from "./own-keys.js";
import { typeOf } from "./read-back.js";
import { ADD_TO_EXISTING, type ScriptMode } from "./scripts.js";
import { buildAndCommit, Rebuild } from "./temporary.js";

/** The command that adds to a collection of a type. */
export const ADD_COMMANDS: Record<CollectionType, AddCommand> = {
  hash: "HSET",
  list: "RPUSH",
  set: "SADD",
  zset: "ZADD",
};
const CHUNK_ELEMENTS = 1_000;
/** Commands of one build that are under way at once: the server need not wait for one. */
const ADDS_AT_ONCE = 8;
/** Arguments of text longer than this go alone: they may be of tens of megabytes. */
const SMALL_TEXT_BYTES = 2 * 1024 * 1024;
const MAX_TURNS = 10;
/** Answers after which what stands under the key is another than before. */
const CHANGED: ReadonlySet<string> = new Set(["gone", "exists", "again"]);

/** @throws RestoreError REPLY_LOST where a conditional write's answer was lost */
export async function writeCollection(
  context: WriteContext,
  record: CollectionRecord,
  action: WriteAction,
): Promise<Outcome> {
  if (record.count === 0) return SKIPPED_EMPTY;
  if (action === "append") return await appendToList(context, record);
  const content: AddedContent = {
    record,
    kind: record.type,
    command: ADD_COMMANDS[record.type],
    elements: record.count,
    chunks: () => argumentChunks(record),
    // Of the servers, only Redis takes so much at once.
    ...(context.abilities.listable ? present({ packedChunks: record.packedChunks }) : {}),
  };
  const { renameLimit } = context.abilities;
  if (renameLimit !== undefined && record.count > renameLimit) return await writeInPlace(context, content, action);
  const only = record.count <= CHUNK_ELEMENTS ? await onlyChunk(content) : undefined;
  if (only !== undefined) return await writeWhole(context, content, { action, args: only });
  return await writeChunks(context, content, action);
}

async function* argumentChunks(record: CollectionRecord): AsyncGenerator<readonly Buffer[]> {
  for await (const chunk of record.elements()) yield chunk.flat();
}

/** The arguments, when there is but one chunk of them. */
export async function onlyChunk(content: AddedContent): Promise<readonly Buffer[] | undefined> {
  let only: readonly Buffer[] | undefined;
  for await (const chunk of content.chunks()) {
    if (only !== undefined) return undefined;
    only = chunk;
  }
  return only;
}

export async function writeWhole(
  context: WriteContext,
  content: AddedContent,
  { action, args }: { readonly action: WriteAction; readonly args: readonly Buffer[] },
): Promise<Outcome> {
  const { record, kind, command } = content;
  const answer = await context.whole.write({
    key: record.key,
    temporary: temporaryKey(context.policy.jobId, record.key),
    mode: scriptModeOf(action),
    kind,
    command,
    args,
    deleteLimit: context.abilities.deleteLimit,
    moment: () => momentNow(context, record),
  });
  return answer.word === "crowded" ? await writeChunks(context, content, action) : judge(context, action, answer);
}

export async function writeChunks(context: WriteContext, content: AddedContent, action: WriteAction): Promise<Outcome> {
  if (action !== "merge-into") return judge(context, action, await build(context, content, scriptModeOf(action)));
  // What is merged into may come and go meanwhile: then the other way is taken, from the first chunk.
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const there = (await typeOf(context.link, content.record.key)) !== "none";
    const answer = there ? await addToExisting(context, content) : await build(context, content, "absent");
    if (!CHANGED.has(answer.word)) return judge(context, action, answer);
  }
  return judge(context, action, { word: "kept-changing" });
}

async function build(context: WriteContext, content: AddedContent, mode: ScriptMode) {
  const { record, kind, command, elements, chunks, packedChunks = chunks } = content;
  return await buildAndCommit(context, {
    key: record.key,
    kind,
    mode,
    fill: async (temporary, isRebuilt) => {
      await addChunks(context, temporary, { command, chunks: packedChunks(), isRebuilt });
      return { elements, expireAtMs: record.expireAtMs };
    },
  });
}

interface Chunks {
  readonly command: AddedContent["command"];
  readonly chunks: AsyncIterable<Packed | readonly Buffer[]>;
  /** Went wrong before: now step by step, where that is safer. */
  readonly isRebuilt: boolean;
}

/**
 * Adds to a key that nobody else knows and that was not there.
 * @throws as the link and the chunks do, and Rebuild, with nothing under way any more
 */
export async function addChunks(context: WriteContext, key: Buffer, chunks: Chunks): Promise<void> {
  const { link } = context;
  const { command } = chunks;
  // RPUSH is the one that adds again what it added before, and whose elements have an order.
  const isList = command === "RPUSH";
  let length = 0;
  const write = async (add: Command): Promise<void> => {
    length += elementsOf(add);
    const expected = length;
    const [reply] = await link.request({ build: () => [add], repeatable: !isList });
    if (reply instanceof Error) throw link.classify(reply, command);
    // One that was put off came behind another.
    if (isList && reply !== expected) throw new Rebuild(`the list has ${String(reply)} elements, not ${expected}`);
  };
  await writeAhead(commandsOf(key, chunks), { write, atOnce: isList && chunks.isRebuilt ? 1 : ADDS_AT_ONCE });
}

async function* commandsOf(key: Buffer, { command, chunks }: Chunks): AsyncGenerator<Command> {
  for await (const chunk of chunks) {
    if ("ranges" in chunk) yield { name: command, args: [key], packed: chunk };
    else yield { name: command, args: [key, ...chunk] };
  }
}

interface Ahead {
  readonly write: (command: Command) => Promise<void>;
  /** The most that may be under way. One: in order. */
  readonly atOnce: number;
}

/** The next one is made while others are under way. None is any more when this ends, also where it throws. */
async function writeAhead(commands: AsyncIterable<Command>, { write, atOnce }: Ahead): Promise<void> {
  const underWay: Promise<void>[] = [];
  try {
    for await (const command of commands) {
      const { packed } = command;
      const most = packed !== undefined && packed.bytes.length <= SMALL_TEXT_BYTES ? atOnce : 1;
      while (underWay.length >= most) await underWay.shift();
      const writing = write(command);
      // Whether it failed is asked when there is no room for another, or at the end.
      writing.catch(() => undefined);
      underWay.push(writing);
    }
    await Promise.all(underWay);
  } finally {
    // One that comes late would bring back a key that was taken away because another failed.
    await Promise.allSettled(underWay);
  }
}

/** The expiry goes with the first chunk: a crash must not leave new elements without it. May run again. */
async function addToExisting(context: WriteContext, { record, kind, command, chunks }: AddedContent) {
  const most = String(context.abilities.deleteLimit ?? "");
  let moment: Moment = { how: "N" };
  for await (const args of chunks()) {
    const [reply] = await context.link.request({
      build: () => {
        moment = momentNow(context, record);
        const fixed = [ADD_TO_EXISTING, "1", record.key, kind, command, ...scriptArgs(moment), most];
        return moment.how === "skip" ? [] : [{ name: "EVAL", args: [...fixed, ...args] }];
      },
    });
    if (reply instanceof Error) throw context.link.classify(reply, command);
    const word = reply === undefined ? "expired" : String(reply);
    if (word !== "ok") return { word, notes: notesOf(moment) };
  }
  return { word: "ok", notes: notesOf(moment) };
}
