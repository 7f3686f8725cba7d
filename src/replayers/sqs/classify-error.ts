/**
 * What SQS errors mean, beyond what all AWS services share: a missing queue is the queue's fault and no record's, and a
 * refused batch entry carries its own verdict.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { Outcome } from "../../model/outcome.js";
import { type AwsErrorContext, awsErrorName, awsErrorText, classifyAwsError } from "../aws-client.js";

/** One entry of a batch that the target did not take. */
export interface EntryRefusal {
  readonly code: string;
  readonly message: string;
  readonly senderFault: boolean;
}

/** The key that the queue is encrypted with; KmsThrottled alone passes. A batch's entries name the key service's own codes. */
const KEY_REFUSED = /^Kms(?!Throttled$)|^KMS\.(?!Throttling)|^InvalidSecurity$/;

const MISSING = new Set(["QueueDoesNotExist", "NonExistentQueue"]);

/** The older query protocol's codes carry a prefix, which some servers keep under JSON. */
export function sqsErrorName(error: unknown): string {
  return unprefixed(awsErrorName(error));
}

function unprefixed(code: string): string {
  return code.replace(/^AWS\.SimpleQueueService\./, "");
}

/** Turns any error of the SDK into a RestoreError; RestoreErrors pass unchanged. Reasons: `queue-missing`, `purge-in-progress`, `over-limit`. */
export function classifySqsError(error: unknown, operation: string, context: AwsErrorContext): RestoreError {
  if (error instanceof RestoreError) return error;
  const name = sqsErrorName(error);
  const init = { where: { ...context, operation }, cause: error };
  if (MISSING.has(name)) {
    return new RestoreError("CALL_FAILED", `${operation}: the queue does not exist`, {
      ...init,
      reason: "queue-missing",
    });
  }
  if (name === "PurgeQueueInProgress") {
    const message = `${operation}: a purge of this queue is under way`;
    return new RestoreError("CALL_FAILED", message, { ...init, reason: "purge-in-progress" });
  }
  if (name === "QueueDeletedRecently") {
    // SQS lets a deleted queue's name rest for 60 seconds.
    const message = `${operation}: a queue of this name was deleted less than 60 s ago`;
    return new RestoreError("THROTTLED", message, { ...init, retry: "yes", reason: "queue-deleted-recently" });
  }
  if (name === "OverLimit" && operation === "ReceiveMessage") {
    // As many messages are in flight as the queue allows; waiting does not help, for they are ours.
    return new RestoreError("CALL_FAILED", `${operation}: ${awsErrorText(error)}`, { ...init, reason: "over-limit" });
  }
  if (KEY_REFUSED.test(name)) {
    return new RestoreError("CALL_FAILED", `${operation}: ${awsErrorText(error)}`, { ...init, reason: "key-refused" });
  }
  return classifyAwsError(error, operation, context);
}

/** True for a queue that is not there. */
export function isQueueMissing(error: unknown): boolean {
  return error instanceof RestoreError && error.reason === "queue-missing";
}

/** What a refused entry comes to: `again` when it may pass later, else the record's outcome. */
export function judgeRefusal(refusal: EntryRefusal): Outcome | "again" {
  const code = unprefixed(refusal.code);
  const detail = escapeForDisplay(`${code}: ${refusal.message}`.slice(0, 300));
  if (MISSING.has(code)) return { kind: "failed", reason: "queue-missing", detail };
  if (KEY_REFUSED.test(code)) return { kind: "failed", reason: "key-refused", detail };
  if (!refusal.senderFault || /Throttl|OverLimit|ServiceUnavailable|Internal/.test(code)) return "again";
  return { kind: "rejected", reason: "refused-by-target", detail };
}
