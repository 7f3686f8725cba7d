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
  const begun = noteOf(record);
  const isOurs = record.announcedAt !== undefined && context.notebook.find(context.scope, begun).size > 0;
  const type = await typeOf(context.link, record.key);
  const why = hindranceOf(type, mode, content.kind);
  if (why === "wrong-type" || (why === "exists" && !isOurs)) return judge(context, action, { word: why });
  if (type !== "none" && (mode !== "merge" || moment.how === "X")) await removeWhole(context, record.key);
  // A part of it that a crash leaves would otherwise pass for somebody else's.
  if (mode === "absent") await context.notebook.note(context.scope, begun, "begun");
  if (moment.how !== "X") await addAll(context, content);
  if (mode === "absent") await context.notebook.note(context.scope, begun);
  return judge(context, action, { word: "ok", notes: notesOf(moment) });
}

function noteOf({ key }: AddedContent["record"]): string {
  return `in-place:${createHash("sha256").update(key).digest("hex")}`;
}

async function addAll(context: WriteContext, { record, command, chunks }: AddedContent): Promise<void> {
  let held = command === "RPUSH" ? 0 : undefined;
  let first = true;
  for await (const args of chunks()) {
    const add = async () =>
      await context.link.command(command, [record.key, ...args], { repeatable: held === undefined });
    if (held === undefined) await add();
    else held = await pushed(context, { key: record.key, held, items: args.length, push: add });
    if (first) await expire(context, record);
    first = false;
  }
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

async function expire(context: WriteContext, record: AddedContent["record"]): Promise<void> {
  const moment = momentNow(context, record);
  if (moment.how !== "R" && moment.how !== "A") return;
  const command = moment.how === "A" ? "PEXPIREAT" : "PEXPIRE";
  if ((await context.link.command(command, [record.key, moment.ms])) === 1) return;
  throw new RestoreError("CALL_FAILED", "the key vanished while it was written", { reason: "vanished" });
}
