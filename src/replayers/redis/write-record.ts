/** Writes one record and answers its outcome: by type, with lost answers cleared up and errors told apart. */
import type { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { RedisRecord, SentRecord, UnjudgedCollection } from "../../model/record.js";
import { writeCollection } from "./collection.js";
import { judge, scriptModeOf, typeOfRecord, type WriteContext } from "./context.js";
import { writeHyperLogLog } from "./hll.js";
import { discardInPlace } from "./in-place.js";
import { isReplyLost, outcomeOfError, SKIPPED_EXPIRED } from "./outcomes.js";
import { temporaryKey } from "./own-keys.js";
import { compareWithTarget } from "./read-back.js";
import { writeStream } from "./stream.js";
import { settleStream } from "./stream-by-entry.js";
import { EntryTally } from "./stream-entries.js";
import { writeString } from "./string.js";
import { removeWhole } from "./temporary.js";
import { mayBeUnjudged, outcomeOfFault, writeUnjudged } from "./unjudged.js";

const MAX_ATTEMPTS = 5;

/**
 * `lost`: the REPLY_LOST of a write of it, under the condition that nothing stands under the key.
 * @throws RestoreError where no other record could be written either
 */
export async function writeRecord(
  context: WriteContext,
  record: SentRecord<"redis">,
  lost?: RestoreError,
): Promise<Outcome> {
  const action = context.policy.actionFor(typeOfRecord(record));
  try {
    // What an earlier process of the job had begun goes, however the record ends now.
    if (record.announcedAt !== undefined) await discardBegun(context, record.key);
    if (record.kind !== "unjudged") return await writeJudged(context, record, { action, lost });
    if (mayBeUnjudged(context, record, action)) return await writeUnjudged(context, record, action);
    return await judgeAndWrite(context, record, action);
  } catch (error) {
    return refusedByType(context, action, outcomeOfError(error));
  }
}

/** Takes away what a process that was killed had begun of a record, beside its key or in its place. Repeatable. */
export async function discardBegun(context: WriteContext, key: Buffer): Promise<void> {
  await removeWhole(context, temporaryKey(context.policy.jobId, key));
  await discardInPlace(context, key);
}

async function judgeAndWrite(context: WriteContext, record: UnjudgedCollection, action: WriteAction): Promise<Outcome> {
  const { announcedAt } = record;
  const judged = await record.judged();
  if (judged.kind === "faulty") return outcomeOfFault(judged);
  return await writeJudged(context, announcedAt === undefined ? judged : { ...judged, announcedAt }, { action });
}

interface Write {
  readonly action: WriteAction;
  readonly lost?: RestoreError | undefined;
}

async function writeJudged(context: WriteContext, record: RedisRecord, write: Write): Promise<Outcome> {
  if (context.policy.expiryOf(record.expireAtMs).kind === "skip") return SKIPPED_EXPIRED;
  return await clearedUp(context, record, write);
}

async function writeByType(context: WriteContext, record: RedisRecord, action: WriteAction): Promise<Outcome> {
  switch (record.kind) {
    case "string":
      return await writeString(context, record, action);
    case "collection":
      return await writeCollection(context, record, action);
    case "stream":
      return await writeStream(context, record, action);
    case "hll":
      return await writeHyperLogLog(context, record, action);
  }
}

async function clearedUp(context: WriteContext, record: RedisRecord, { action, lost }: Write): Promise<Outcome> {
  const found =
    lost === undefined
      ? await foundAgain(context, record, action)
      : await foundAfter(context, record, { action, lost });
  if (found !== undefined) return found;
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeByType(context, record, action);
    } catch (error) {
      if (!isReplyLost(error) || attempt >= MAX_ATTEMPTS) throw error;
      // The others begin by taking away what is there, so they can begin again.
      if (scriptModeOf(action) !== "absent") continue;
      const found = await foundAfter(context, record, { action, lost: error });
      if (found !== undefined) return found;
    }
  }
}

/** A conditional write whose answer was lost: what the target holds says whether it was applied. Undefined: it was not. */
async function foundAfter(
  context: WriteContext,
  record: RedisRecord,
  { action, lost }: Required<Write>,
): Promise<Outcome | undefined> {
  const found = await compareWithTarget(context, record);
  if (found === "equal") return await restoredBefore(context, record, { action, reason: "found-after-lost-reply" });
  if (found === "unknown") throw lost;
  // What a stream holds beside the dump's entries is looked at by those who add to it.
  return found === "differs" && record.kind !== "stream" ? judge(context, action, { word: "exists" }) : undefined;
}

/**
 * An earlier process of the job announced the record: a key that had to be free and holds just this record is ours.
 * Undefined: it is to be written.
 */
async function foundAgain(
  context: WriteContext,
  record: RedisRecord,
  action: WriteAction,
): Promise<Outcome | undefined> {
  if (record.announcedAt === undefined || scriptModeOf(action) !== "absent" || action === "append") return undefined;
  if ((await compareWithTarget(context, record)) !== "equal") return undefined;
  return await restoredBefore(context, record, { action, reason: "found-after-interruption" });
}

interface Found {
  readonly action: WriteAction;
  readonly reason: string;
}

async function restoredBefore(context: WriteContext, record: RedisRecord, { action, reason }: Found): Promise<Outcome> {
  const outcome: Outcome = { kind: "restored", reason };
  if (record.kind !== "stream") return outcome;
  const tally = new EntryTally(record.faultyEntries);
  tally.restored(record.count);
  // Where it stood before, it has the target's expiry: as those who add to a stream do, unless that is to stay.
  return action === "entry-by-entry" ? tally.outcome(outcome) : await settleStream(context, { record, tally, outcome });
}

/** A WRONGTYPE that came from the server and not from a script means the same. */
function refusedByType(context: WriteContext, action: WriteAction, outcome: Outcome): Outcome {
  return outcome.kind === "rejected" && outcome.reason === "wrong-type"
    ? judge(context, action, { word: "wrong-type" })
    : outcome;
}
