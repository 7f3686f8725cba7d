/**
 * What DynamoDB's errors mean for a run, and in which word and sentence a refused item is listed.
 *
 * The words are taken from the server's sentence, for there is but one error name for all of them; an unknown sentence
 * is `refused-by-target`. Values that a server quotes are taken out.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type AwsErrorContext, awsErrorName, awsErrorStatus, awsErrorText, classifyAwsError } from "../aws-client.js";

/** Reasons that the replayer itself acts upon. */
export const TABLE_NOT_FOUND = "table-not-found";
export const TABLE_IN_USE = "table-in-use";
export const CONDITION_FAILED = "condition-failed";
export const SERVER_ERROR = "server-error";

/** The table's key is another one than the request's: no item of the dump is in it. */
export const OTHER_KEY_REASONS: ReadonlySet<string> = new Set(["missing-key", "wrong-key-type"]);
/** No item can stand under the key. */
const KEY_REASONS: ReadonlySet<string> = new Set([
  ...OTHER_KEY_REASONS,
  "empty-key",
  "key-too-large",
  "invalid-number",
  "number-out-of-range",
]);

/** Whether a request that names nothing but a key was refused for it. */
export function isRefusedKey({ code, reason = "" }: RestoreError): boolean {
  return code === "RECORD_REFUSED" && KEY_REASONS.has(reason);
}

/** Whether the target does not know the operation at all. */
export function isMissingOperation({ cause }: RestoreError): boolean {
  return awsErrorName(cause) === "UnknownOperationException" || /unsupported operation/i.test(awsErrorText(cause));
}

/** Whether the credentials are known and may not use the operation. */
export function isDenied({ cause }: RestoreError): boolean {
  return awsErrorName(cause) === "AccessDeniedException";
}

/** The server's sentence, as DynamoDB, DynamoDB Local 2.6.1 and elastickv word it, and the word for it. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/set\s+may not be empty/i, "empty-set"],
  [/list of item keys contains duplicates|duplicate item in BatchWriteItem/i, "duplicate-key"],
  [/contains duplicates$/i, "duplicate-in-set"],
  [/item size (?:has exceeded|to update)|request body too large/i, "item-too-large"],
  [/key values must be under|size of (?:hash|range) ?key|aggregated size of all range keys/i, "key-too-large"],
  [/secondary index key is not supported/i, "empty-index-key"],
  [/key attribute cannot contain an empty/i, "empty-key"],
  [/type mismatch for index key/i, "wrong-index-key-type"],
  [/type mismatch for key|unsupported key attribute type/i, "wrong-key-type"],
  [
    /does not match the schema|number of conditions on the keys|required keys was not given|missing the key|missing (?:hash|range) key attribute/i,
    "missing-key",
  ],
  [/38 (?:significant )?digits|number (?:over|under)flow|magnitude/i, "number-out-of-range"],
  [/numeric value|converted into a number/i, "invalid-number"],
  [/nesting (?:levels|exceeds)/i, "too-deep"],
  [/AttributeValue (?:is empty|has more than one)|empty attribute name|null attribute value/i, "invalid-item"],
];

/** Turns anything thrown by the client into a RestoreError; RestoreErrors pass unchanged. */
export function classifyError(error: unknown, operation: string, context: AwsErrorContext): RestoreError {
  if (error instanceof RestoreError) return error;
  const init = { where: { ...context, operation }, cause: error };
  switch (awsErrorName(error)) {
    case "ConditionalCheckFailedException":
      return new RestoreError("RECORD_REFUSED", "an item stands under the key", { ...init, reason: CONDITION_FAILED });
    case "ResourceNotFoundException":
    case "TableNotFoundException":
      return new RestoreError("CALL_FAILED", `${operation}: the table is not there`, {
        ...init,
        reason: TABLE_NOT_FOUND,
      });
    case "ResourceInUseException":
      return new RestoreError("CALL_FAILED", `${operation}: the table is being changed or exists`, {
        ...init,
        reason: TABLE_IN_USE,
      });
    case "LimitExceededException":
      // Too many tables at once, which passes, or too many altogether: only the sentence tells.
      return new RestoreError("THROTTLED", awsErrorText(error), { ...init, retry: "yes", reason: "too-many-tables" });
    case "ItemCollectionSizeLimitExceededException":
      return new RestoreError("RECORD_REFUSED", awsErrorText(error), { ...init, reason: "item-collection-too-large" });
  }
  const classified = classifyAwsError(error, operation, context);
  return classified.code === "RECORD_REFUSED" ? refusal(error, init) : classified;
}

function refusal(error: unknown, init: { readonly cause: unknown; readonly where: AwsErrorContext }): RestoreError {
  const said = awsErrorText(error);
  const known = REFUSALS.find(([pattern]) => pattern.test(said))?.[1];
  const reason = known ?? (awsErrorStatus(error) === 413 ? "item-too-large" : "refused-by-target");
  return new RestoreError("RECORD_REFUSED", withoutValues(said), { ...init, reason });
}

/** A server's sentence without the record's values that some sentences quote. */
export function withoutValues(text: string): string {
  return text
    .replace(/\[.*\]/s, "[…]")
    .replace(/((?:numeric value|into a number):).*/is, "$1 …")
    .replace(/(["'`]).*\1/s, "$1…$1");
}
