/**
 * Writes HyperLogLogs: elastickv's member sets with PFADD, Redis's own sketches as the value that they are, checked by
 * the server before they take their key's place.
 */
import { isUtf8 } from "node:buffer";

import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { Content, HyperLogLogRecord } from "../../model/record.js";
import type { AddedContent } from "./added-content.js";
import { onlyChunk, writeChunks, writeWhole } from "./collection.js";
import { judge, momentNow, scriptModeOf, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { writeInPlace } from "./in-place.js";
import { SKIPPED_EMPTY } from "./outcomes.js";
import { temporaryKey } from "./own-keys.js";
import { typeOf } from "./read-back.js";
import { MERGE_SKETCH } from "./scripts.js";
import { type BuildAnswer, buildAndCommit, discard } from "./temporary.js";

/** Redis's largest sketch has 12,304 bytes. */
const LARGEST_SKETCH = 64 * 1024;
const MAX_TURNS = 10;

type Members = Extract<HyperLogLogRecord["content"], { form: "members" }>;

export async function writeHyperLogLog(
  context: WriteContext,
  record: HyperLogLogRecord,
  action: WriteAction,
): Promise<Outcome> {
  return record.content.form === "members"
    ? await writeMembers(context, { record, members: record.content }, action)
    : await writeSketch(context, { record, value: record.content.value }, action);
}

async function writeMembers(
  context: WriteContext,
  { record, members }: { readonly record: HyperLogLogRecord; readonly members: Members },
  action: WriteAction,
): Promise<Outcome> {
  const content: AddedContent = { record, kind: "string", command: "PFADD", chunks: () => members.members() };
  if (context.abilities.elastickv) {
    if (members.count === 0) return SKIPPED_EMPTY;
    if (!(await allUtf8(content))) return notUtf8();
    return await writeInPlace(context, content, action);
  }
  const only = members.count === 0 ? [] : await onlyChunk(content);
  if (only !== undefined) return await writeWhole(context, content, { action, args: only });
  return await writeChunks(context, content, action);
}

async function allUtf8(content: AddedContent): Promise<boolean> {
  for await (const members of content.chunks()) {
    if (!members.every((member) => isUtf8(member))) return false;
  }
  return true;
}

function notUtf8(): Outcome {
  return { kind: "rejected", reason: "not-utf8", detail: "the target takes no member that is not UTF-8" };
}

interface Sketch {
  readonly record: HyperLogLogRecord;
  readonly value: Content;
}

async function writeSketch(context: WriteContext, sketch: Sketch, action: WriteAction): Promise<Outcome> {
  if (!context.abilities.sketches) {
    const detail = "the target keeps HyperLogLogs as member sets and would take a sketch for a string";
    return { kind: "rejected", reason: "sketch-not-supported", detail };
  }
  if (sketch.value.size > LARGEST_SKETCH) {
    return { kind: "rejected", reason: "invalid-sketch", detail: "it is longer than any sketch" };
  }
  if (action !== "merge-into") return judge(context, action, await placeSketch(context, sketch, action));
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const there = (await typeOf(context.link, sketch.record.key)) !== "none";
    const answer = there ? await mergeSketch(context, sketch) : await placeSketch(context, sketch, "put-if-absent");
    if (answer.word !== "exists" && answer.word !== "gone") return judge(context, action, answer);
  }
  return judge(context, action, { word: "kept-changing" });
}

async function placeSketch(context: WriteContext, { record, value }: Sketch, action: WriteAction) {
  return await buildAndCommit(context, {
    key: record.key,
    kind: "string",
    mode: scriptModeOf(action),
    fill: async (temporary) => {
      await putSketch(context, temporary, value);
      return { elements: undefined, expireAtMs: record.expireAtMs };
    },
  });
}

/** Leaves the sketch under the temporary key when it is one. @throws RestoreError RECORD_REFUSED `invalid-sketch` */
async function putSketch(context: WriteContext, temporary: Buffer, value: Content): Promise<void> {
  const bytes = await value.buffer();
  const [set, count] = await context.link.request({
    build: () => [
      { name: "SET", args: [temporary, bytes] },
      { name: "PFCOUNT", args: [temporary] },
    ],
  });
  if (set instanceof Error) throw context.link.classify(set, "SET");
  if (!(count instanceof Error)) return;
  throw new RestoreError("RECORD_REFUSED", "the target does not take it for a HyperLogLog sketch", {
    reason: "invalid-sketch",
    cause: count,
  });
}

async function mergeSketch(context: WriteContext, { record, value }: Sketch): Promise<BuildAnswer> {
  if (!context.abilities.pfmerge) {
    throw new RestoreError("RECORD_REFUSED", "the target has no PFMERGE", { reason: "command-missing" });
  }
  const temporary = temporaryKey(context.policy.jobId, record.key);
  try {
    await putSketch(context, temporary, value);
    let moment: Moment = { how: "N" };
    const [reply] = await context.link.request({
      build: () => {
        moment = momentNow(context, record);
        const args = [MERGE_SKETCH, "2", record.key, temporary, ...scriptArgs(moment)];
        return moment.how === "skip" ? [] : [{ name: "EVAL", args }];
      },
    });
    if (reply instanceof Error) throw context.link.classify(reply, "PFMERGE");
    await discard(context, temporary);
    return { word: reply === undefined ? "expired" : String(reply), notes: notesOf(moment) };
  } catch (error) {
    await discard(context, temporary, error);
    throw error;
  }
}
