/**
 * Writes under the key itself where the target has no way round: elastickv neither renames nor deletes a collection over
 * 100,000 elements, and turns a HyperLogLog into a string when it renames one.
 *
 * Not atomic: a reader can see the first part, and a crash leaves it. Its expiry is set right behind the first chunk.
 */
import { createHash } from "node:crypto";

import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { AddedContent } from "./added-content.js";
import { judge, momentNow, scriptModeOf, type WriteContext } from "./context.js";
import { notesOf } from "./expiry.js";
import { isReplyLost, SKIPPED_EXPIRED } from "./outcomes.js";
import { typeOf } from "./read-back.js";
import { hindranceOf } from "./scripts.js";
import { removeWhole } from "./temporary.js";

/** @throws RestoreError as `Link.request`; REPLY_LOST when it is not known whether items were appended twice */
export async function writeInPlace(
  context: WriteContext,
  content: AddedContent,
  action: WriteAction,
): Promise<Outcome> {
  const { record } = content;
  const moment = momentNow(context, record);
  if (moment.how === "skip") return SKIPPED_EXPIRED;
  const mode = scriptModeOf(action);
  const type = await typeOf(context.link, record.key);
  const why = hindranceOf(type, mode, content.kind);
  if (why !== undefined) return judge(context, action, { word: why });
  const isFree = type === "none" || mode !== "merge" || moment.how === "X";
  if (type !== "none" && isFree) await removeWhole(context, record.key);
  if (moment.how === "X") return judge(context, action, { word: "ok", notes: notesOf(moment) });
  // A part of it that a crash leaves would otherwise pass for somebody else's, or stay for good.
  if (isFree) await context.notebook.note(context.scope, noteOf(record.key), "begun");
  const isThere = await addAll(context, content, isFree);
  if (isFree) await context.notebook.note(context.scope, noteOf(record.key));
  return isThere ? judge(context, action, { word: "ok", notes: notesOf(moment) }) : SKIPPED_EXPIRED;
}

/** Takes away what an earlier process of the job began under the key, where nothing else stood. Repeatable. */
export async function discardInPlace(context: WriteContext, key: Buffer): Promise<void> {
  const note = noteOf(key);
  if (context.notebook.find(context.scope, note).size === 0) return;
  await removeWhole(context, key);
  await context.notebook.note(context.scope, note);
}

function noteOf(key: Buffer): string {
  return `in-place:${createHash("sha256").update(key).digest("hex")}`;
}

/** False: its time came meanwhile. `isFree`: nobody else's is under the key. */
async function addAll(context: WriteContext, content: AddedContent, isFree: boolean): Promise<boolean> {
  const { record, command, chunks } = content;
  let held = command === "RPUSH" ? 0 : undefined;
  let done = 0;
  for await (const args of chunks()) {
    const add = async () =>
      await context.link.command(command, [record.key, ...args], { repeatable: held === undefined });
    if (held === undefined) await add();
    else held = await pushed(context, { key: record.key, held, items: args.length, push: add });
    if (++done === 1 && !(await expire(context, record))) {
      if (isFree) await removeWhole(context, record.key);
      return false;
    }
  }
  if (done === 1 || (await expire(context, record))) return true;
  // The key went at its time, and what was added behind that came back without one.
  await removeWhole(context, record.key);
  return false;
}

interface Push {
  readonly key: Buffer;
  readonly held: number;
  readonly items: number;
  readonly push: () => Promise<unknown>;
}

/** A lost answer to RPUSH is cleared up by the length of the list. */
async function pushed(context: WriteContext, { key, held, items, push }: Push): Promise<number> {
  for (;;) {
    try {
      await push();
      return held + items;
    } catch (error) {
      if (!isReplyLost(error)) throw error;
      const length = await context.link.command("LLEN", [key]);
      if (length === held + items) return held + items;
      if (length !== held) throw error;
    }
  }
}

/** False: its time is past. */
async function expire(context: WriteContext, record: AddedContent["record"]): Promise<boolean> {
  const moment = momentNow(context, record);
  if (moment.how === "X" || moment.how === "skip") return false;
  if (moment.how !== "R" && moment.how !== "A") return true;
  const command = moment.how === "A" ? "PEXPIREAT" : "PEXPIRE";
  if ((await context.link.command(command, [record.key, moment.ms])) === 1) return true;
  throw new RestoreError("CALL_FAILED", "the key vanished while it was written", { reason: "vanished" });
}
