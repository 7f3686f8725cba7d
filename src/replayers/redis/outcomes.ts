/** How a record's write ended, from the words of the scripts and from errors. */
import { RestoreError } from "../../errors/restore-error.js";
import { type Note, type Outcome, RESTORED } from "../../model/outcome.js";
import type { WriteAction, WritePolicy } from "../../model/policy.js";
import { classifyRedisError, replyError } from "./classify-error.js";

export const SKIPPED_EXPIRED: Outcome = { kind: "skipped-expired", reason: "expired" };
export const SKIPPED_EMPTY: Outcome = {
  kind: "skipped-empty",
  reason: "empty-collection",
  detail: "Redis cannot hold a collection without elements",
};

interface Verdict {
  readonly action: WriteAction;
  readonly policy: Pick<WritePolicy, "wrongType">;
  readonly endpoint: string;
  readonly notes?: readonly Note[];
}

/** What a script's word means for the record. */
export function outcomeOfWord(word: string, { action, policy, endpoint, notes = [] }: Verdict): Outcome {
  if (word.startsWith("!")) return outcomeOfRefusal(word.slice(1), { action, policy, endpoint });
  switch (word) {
    case "ok":
    case "deleted":
      return restored(notes);
    case "expired":
      return SKIPPED_EXPIRED;
    case "exists":
      return existing(action);
    case "wrong-type":
      return wrongType(action, policy);
    default:
      return { kind: "failed", reason: word, detail: `the key changed while it was written (${word})` };
  }
}

function restored(notes: readonly Note[]): Outcome {
  return notes.length === 0 ? RESTORED : { kind: "restored", notes };
}

/** Something stands under a key that had to be free. */
function existing(action: WriteAction): Outcome {
  return action === "reject-existing" || action === "only-if-absent-or-equal"
    ? { kind: "rejected", reason: "exists", detail: "the target holds this key" }
    : { kind: "skipped-existing", reason: "exists" };
}

function wrongType(action: WriteAction, policy: Pick<WritePolicy, "wrongType">): Outcome {
  const kind = action === "reject-existing" ? "rejected" : policy.wrongType;
  return { kind, reason: "wrong-type", detail: "the target holds another type under this key" };
}

/** A refusal that came as text out of a script. */
function outcomeOfRefusal(text: string, { action, policy, endpoint }: Verdict): Outcome {
  const error = classifyRedisError(replyError(text), "EVAL", { endpoint });
  return error.reason === "wrong-type" ? wrongType(action, policy) : outcomeOfError(error);
}

/** The outcome that an error means for its record. @throws the error itself where it ends the run */
export function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof RestoreError) || error.retry === "fatal") throw error;
  const of = (kind: "rejected" | "failed" | "ambiguous", reason: string): Outcome => ({
    kind,
    reason: error.reason ?? reason,
    detail: error.message,
  });
  switch (error.code) {
    case "RECORD_REFUSED":
      return of("rejected", "refused-by-target");
    case "CHANGED_AFTER_CHECK":
      return { kind: "failed", reason: "changed-after-check", detail: error.message };
    case "CALL_FAILED":
    case "THROTTLED":
      return of("failed", "kept-failing");
    case "REPLY_LOST":
      return of("ambiguous", "reply-lost");
    default:
      throw error;
  }
}

export function isReplyLost(error: unknown): error is RestoreError {
  return error instanceof RestoreError && error.code === "REPLY_LOST";
}
