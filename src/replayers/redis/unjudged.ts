/**
 * Writes collections that nobody has judged yet: what is read goes under a temporary key, and is put in place only when
 * all of it was read and found right. One pass over the text does for both, and the server works meanwhile.
 *
 * A record ends as if it had been judged before: at fault, empty or past, it leaves nothing on the target, and says so
 * whatever the target had to say of it.
 */
import type { Outcome } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { CollectionRecord, FaultyRecord, UnjudgedCollection } from "../../model/record.js";
import { ADD_COMMANDS, addChunks } from "./collection.js";
import { judge, scriptModeOf, type WriteContext } from "./context.js";
import { outcomeOfError, SKIPPED_EMPTY, SKIPPED_EXPIRED } from "./outcomes.js";
import { buildAndCommit, type Filled } from "./temporary.js";

/**
 * Whether it can be written before it is judged: where it is renamed into place, whatever its size, and is not added to
 * what is there. Not one that an earlier process began, which is looked for first, nor one that seems to be past.
 */
export function mayBeUnjudged(
  { abilities, policy }: WriteContext,
  { announcedAt, expirySign }: UnjudgedCollection,
  action: WriteAction,
): boolean {
  return (
    announcedAt === undefined &&
    abilities.listable &&
    abilities.renameLimit === undefined &&
    action !== "append" &&
    action !== "merge-into" &&
    policy.expiryOf(expirySign).kind !== "skip"
  );
}

/** Thrown while a key is filled that is not to be put in place. */
class Unfit extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super("the record is not to be written");
    this.outcome = outcome;
  }
}

/** @throws RestoreError where no other record could be written either */
export async function writeUnjudged(
  context: WriteContext,
  record: UnjudgedCollection,
  action: WriteAction,
): Promise<Outcome> {
  try {
    const answer = await buildAndCommit(context, {
      key: record.key,
      kind: record.type,
      mode: scriptModeOf(action),
      fill: async (temporary, isRebuilt) => await fill(context, record, { temporary, isRebuilt }),
    });
    return judge(context, action, answer);
  } catch (error) {
    if (error instanceof Unfit) return error.outcome;
    const outcome = outcomeOfError(error);
    return endUnwritten(context, await record.judged()) ?? outcome;
  }
}

async function fill(
  context: WriteContext,
  record: UnjudgedCollection,
  { temporary, isRebuilt }: { readonly temporary: Buffer; readonly isRebuilt: boolean },
): Promise<Filled> {
  await addChunks(context, temporary, {
    command: ADD_COMMANDS[record.type],
    chunks: record.packedChunks(),
    isRebuilt,
  });
  const judged = await record.judged();
  const end = endUnwritten(context, judged);
  if (end !== undefined) throw new Unfit(end);
  const { count: elements, expireAtMs } = judged as CollectionRecord;
  return { elements, expireAtMs };
}

/** How a record ends that is not to be written. */
function endUnwritten({ policy }: WriteContext, judged: CollectionRecord | FaultyRecord): Outcome | undefined {
  if (judged.kind === "faulty") return outcomeOfFault(judged);
  if (policy.expiryOf(judged.expireAtMs).kind === "skip") return SKIPPED_EXPIRED;
  return judged.count === 0 ? SKIPPED_EMPTY : undefined;
}

export function outcomeOfFault({ outcome, reason, detail }: FaultyRecord): Outcome {
  return { kind: outcome, reason, detail };
}
