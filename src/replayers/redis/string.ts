/** Writes strings: value, condition and expiry in one SET, or in one script where a type has to be looked at first. */
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { StringRecord } from "../../model/record.js";
import type { Command, Reply } from "./connection.js";
import { judge, momentNow, scriptModeOf, type WriteContext } from "./context.js";
import { type Moment, notesOf, setOptions } from "./expiry.js";
import { SKIPPED_EXPIRED } from "./outcomes.js";
import { temporaryKey } from "./own-keys.js";
import { buildAndCommit } from "./temporary.js";

/** Values above this are streamed from the dump. */
export const STREAMED_BYTES = 4 * 1024 * 1024;

/** @throws RestoreError REPLY_LOST where a conditional write's answer was lost */
export async function writeString(context: WriteContext, record: StringRecord, action: WriteAction): Promise<Outcome> {
  const plain = action === "put" || action === "put-if-absent";
  if (record.value.size > STREAMED_BYTES) {
    // elastickv may answer that a write is in doubt, which only a temporary key can clear up, and its SET hides parts of
    // a large collection that it replaces.
    return plain && context.abilities.listable
      ? await setStreamed(context, record, action)
      : await buildStreamed(context, record, action);
  }
  const value = await record.value.buffer();
  if (plain && context.abilities.listable) return await set(context, record, { action, value });
  const answer = await context.whole.write({
    key: record.key,
    temporary: temporaryKey(context.policy.jobId, record.key),
    mode: scriptModeOf(action === "merge-into" || action === "append" ? "overwrite" : action),
    kind: "string",
    command: "SET",
    args: [value],
    deleteLimit: context.abilities.deleteLimit,
    moment: () => momentNow(context, record),
  });
  return judge(context, action, answer);
}

interface SetInit {
  readonly action: WriteAction;
  readonly value: Buffer;
}

async function set(context: WriteContext, record: StringRecord, { action, value }: SetInit): Promise<Outcome> {
  let moment: Moment = { how: "N" };
  const [reply] = await context.link.request({
    build: () => {
      moment = momentNow(context, record);
      return moment.how === "skip" ? [] : [setCommand(context, { key: record.key, value, action, moment })];
    },
    repeatable: action === "put",
  });
  if (reply instanceof Error) throw context.link.classify(reply, "SET");
  return outcomeOfSet(context, action, { reply, moment });
}

interface SetParts {
  readonly key: Buffer;
  /** Absent where the value is streamed in its place. */
  readonly value?: Buffer;
  readonly action: WriteAction;
  readonly moment: Moment;
}

function setCommand({ abilities }: WriteContext, { key, value, action, moment }: SetParts): Command {
  const options = [...(action === "put-if-absent" ? ["NX"] : []), ...setOptions(moment, abilities.absoluteTimes)];
  return { name: "SET", args: [key, ...(value === undefined ? [] : [value]), ...options] };
}

/** No reply: the request was not sent, because the key has expired. Null: the condition did not hold. */
function outcomeOfSet(
  context: WriteContext,
  action: WriteAction,
  { reply, moment }: { readonly reply: Reply | undefined; readonly moment: Moment },
): Outcome {
  const word = reply === null ? "exists" : "ok";
  return moment.how === "skip" ? SKIPPED_EXPIRED : judge(context, action, { word, notes: notesOf(moment) });
}

async function setStreamed(context: WriteContext, record: StringRecord, action: WriteAction): Promise<Outcome> {
  let moment = momentNow(context, record);
  if (moment.how === "skip") return SKIPPED_EXPIRED;
  const command = (): Command => {
    // Between attempts the key may have expired; then it is sent with its time, and is gone at once.
    const now = momentNow(context, record);
    if (now.how !== "skip") moment = now;
    return setCommand(context, { key: record.key, action, moment });
  };
  const reply = await context.sendStreamed(command, streamedValue(record), action === "put");
  return outcomeOfSet(context, action, { reply, moment });
}

async function buildStreamed(context: WriteContext, record: StringRecord, action: WriteAction): Promise<Outcome> {
  const answer = await buildAndCommit(context, {
    key: record.key,
    kind: "string",
    mode: scriptModeOf(action === "merge-into" || action === "append" ? "overwrite" : action),
    fill: async (temporary) => {
      await context.sendStreamed(() => ({ name: "SET", args: [temporary] }), streamedValue(record), true);
      return { elements: undefined, expireAtMs: record.expireAtMs };
    },
  });
  return judge(context, action, answer);
}

function streamedValue({ value }: StringRecord) {
  return { index: 1, size: value.size, blocks: () => value.blocks() };
}
