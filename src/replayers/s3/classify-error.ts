/** What S3's errors mean for a run, and in which word a refused object is listed. By the error's name and status alone. */
import type { ErrorCode } from "../../errors/codes.js";
import { RestoreError, type RestoreErrorInit } from "../../errors/restore-error.js";
import { type AwsErrorContext, awsErrorName, awsErrorStatus, awsErrorText, classifyAwsError } from "../aws-client.js";

/** Reasons that the replayer itself acts upon. */
export const EXISTS = "exists";
export const NOT_FOUND = "not-found";
export const NO_SUCH_BUCKET = "bucket-missing";
export const NO_SUCH_UPLOAD = "upload-missing";
export const NOT_IMPLEMENTED = "not-implemented";
export const ACCESS_DENIED = "access-denied";
export const OTHER_REGION = "other-region";
export const SIGNATURE_REFUSED = "signature-refused";
export const BUCKET_TAKEN = "bucket-taken";
export const ACLS_DISABLED = "acls-disabled";
export const BUCKET_NOT_EMPTY = "bucket-not-empty";

type Meaning = readonly [code: ErrorCode, reason: string, retry: "yes" | "no" | "fatal"];

const BY_NAME: Readonly<Record<string, Meaning>> = {
  PreconditionFailed: ["RECORD_REFUSED", EXISTS, "no"],
  NoSuchBucket: ["CALL_FAILED", NO_SUCH_BUCKET, "no"],
  NoSuchUpload: ["CALL_FAILED", NO_SUCH_UPLOAD, "no"],
  NoSuchKey: ["CALL_FAILED", NOT_FOUND, "no"],
  NotFound: ["CALL_FAILED", NOT_FOUND, "no"],
  NotImplemented: ["CALL_FAILED", NOT_IMPLEMENTED, "no"],
  MethodNotAllowed: ["CALL_FAILED", NOT_IMPLEMENTED, "no"],
  BucketAlreadyOwnedByYou: ["CALL_FAILED", "bucket-exists", "no"],
  // AWS answers so when the bucket is another account's; some servers also when it is one's own.
  BucketAlreadyExists: ["CALL_FAILED", BUCKET_TAKEN, "no"],
  BucketNotEmpty: ["CALL_FAILED", BUCKET_NOT_EMPTY, "no"],
  AccessControlListNotSupported: ["RECORD_REFUSED", ACLS_DISABLED, "no"],
  // While the names of a new bucket spread; no key is at fault as it is with other servers' 307.
  TemporaryRedirect: ["CALL_FAILED", "redirected", "yes"],
  PermanentRedirect: ["CALL_FAILED", OTHER_REGION, "no"],
  AuthorizationHeaderMalformed: ["TARGET_CREDENTIALS", OTHER_REGION, "fatal"],
  // Another writer holds the key: the request may be made again.
  ConditionalRequestConflict: ["THROTTLED", "throttled", "yes"],
  SlowDownRead: ["THROTTLED", "throttled", "yes"],
  SlowDownWrite: ["THROTTLED", "throttled", "yes"],
  // What arrived is not what was sent: nothing was stored.
  BadDigest: ["CALL_FAILED", "digest-mismatch", "yes"],
  XAmzContentSHA256Mismatch: ["CALL_FAILED", "digest-mismatch", "yes"],
  XAmzContentChecksumMismatch: ["CALL_FAILED", "digest-mismatch", "yes"],
  IncompleteBody: ["CONNECTION", "incomplete-body", "yes"],
  RequestTimeout: ["CONNECTION", "incomplete-body", "yes"],
  XMinioStorageFull: ["TARGET_FULL", "target-full", "fatal"],
  InsufficientStorage: ["TARGET_FULL", "target-full", "fatal"],
  XMinioAdminBucketQuotaExceeded: ["TARGET_FULL", "target-full", "fatal"],
  EntityTooLarge: ["RECORD_REFUSED", "object-too-large", "no"],
  KeyTooLongError: ["RECORD_REFUSED", "key-too-long", "no"],
  MetadataTooLarge: ["RECORD_REFUSED", "metadata-too-large", "no"],
  XMinioInvalidObjectName: ["RECORD_REFUSED", "key-refused", "no"],
  XMinioInvalidResourceName: ["RECORD_REFUSED", "key-refused", "no"],
  InvalidURI: ["RECORD_REFUSED", "key-refused", "no"],
};

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  301: ["CALL_FAILED", OTHER_REGION, "no"],
  // Go's HTTP server sends paths with `//` and dot segments elsewhere before any handler sees them.
  307: ["RECORD_REFUSED", "key-refused", "no"],
  404: ["CALL_FAILED", NOT_FOUND, "no"],
  405: ["CALL_FAILED", NOT_IMPLEMENTED, "no"],
  412: ["RECORD_REFUSED", EXISTS, "no"],
  501: ["CALL_FAILED", NOT_IMPLEMENTED, "no"],
  507: ["TARGET_FULL", "target-full", "fatal"],
};

/** Turns anything thrown by the client into a RestoreError; RestoreErrors pass unchanged. `ownRegion`: as far as known. */
export function classifyError(
  error: unknown,
  operation: string,
  context: AwsErrorContext,
  ownRegion?: string,
): RestoreError {
  if (error instanceof RestoreError) return error;
  const init: RestoreErrorInit = { where: { ...context, operation }, cause: error };
  const name = awsErrorName(error);
  const status = awsErrorStatus(error);
  const region = otherRegion(error, status, ownRegion);
  if (region !== undefined) {
    const hint = `Restore there with --region ${region}; or give the bucket another name with --rename.`;
    const message = `${operation}: the bucket lies in the region ${region}`;
    return new RestoreError("CALL_FAILED", message, { ...init, hint, reason: OTHER_REGION });
  }
  if (name.startsWith("KMS.")) {
    return new RestoreError("CALL_FAILED", `${operation}: ${awsErrorText(error)}`, { ...init, reason: "key-refused" });
  }
  const meaning =
    (Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined) ??
    (isNamelessConflict(name, status) ? BY_NAME["ConditionalRequestConflict"] : undefined) ??
    (status === undefined ? undefined : BY_STATUS[status]);
  if (meaning !== undefined) {
    const [code, reason, retry] = meaning;
    const hint = code === "TARGET_FULL" ? { hint: "Make room on the target, then take the job up again." } : {};
    const said = status === 307 ? "the target sends requests for such a key elsewhere" : awsErrorText(error);
    return new RestoreError(code, `${operation}: ${said}`, { ...init, ...hint, reason, retry });
  }
  const classified = classifyAwsError(error, operation, context);
  if (classified.code !== "TARGET_CREDENTIALS") return classified;
  const reason =
    name === "SignatureDoesNotMatch" ? SIGNATURE_REFUSED : isDenied(name, status) ? ACCESS_DENIED : undefined;
  if (reason === undefined) return classified;
  return new RestoreError(classified.code, classified.message, {
    ...init,
    reason,
    retry: "fatal",
    ...(classified.hint === undefined ? {} : { hint: classified.hint }),
  });
}

/**
 * The region that AWS names when a bucket is asked for in another one: with 301, or 400 in regions that opened later, and
 * in a header, for the answer to a HEAD has no body (API reference, HeadBucket). Other 400s name the bucket's region, too.
 */
function otherRegion(error: unknown, status: number | undefined, own: string | undefined): string | undefined {
  if (status !== 301 && status !== 400) return undefined;
  const region = answerHeader(error, "x-amz-bucket-region");
  if (region === undefined || !/^[a-z0-9-]{3,40}$/.test(region)) return undefined;
  return status === 301 || (own !== undefined && region !== own) ? region : undefined;
}

function answerHeader(error: unknown, name: string): string | undefined {
  const response: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "$response") : undefined;
  const headers: unknown = typeof response === "object" && response !== null ? Reflect.get(response, "headers") : {};
  const value: unknown = typeof headers === "object" && headers !== null ? Reflect.get(headers, name) : undefined;
  return typeof value === "string" ? value : undefined;
}

/** An answer to a HEAD has no body that names it: `OperationAborted` and its like pass. */
function isNamelessConflict(name: string, status: number | undefined): boolean {
  return status === 409 && (name === "Conflict" || name === "409" || name.startsWith("Unknown"));
}

/** Known, and not allowed to: not the same as credentials that are wrong. A HEAD's refusal has no name of its own. */
function isDenied(name: string, status: number | undefined): boolean {
  return (
    name === "AccessDenied" ||
    (status === 403 && (name === "Forbidden" || name.startsWith("Unknown") || name === "403"))
  );
}

/** A bucket with Object Lock takes no object without a digest in a header of its own (API reference, PutObject). */
export function asksForDigest(error: unknown): boolean {
  return awsErrorName(error) === "InvalidRequest" && /content-md5|x-amz-checksum/i.test(awsErrorText(error));
}

/** Of errors that are told by it. */
const STATUS_OF_ONE: Readonly<Record<string, number>> = { InternalError: 500, ServiceUnavailable: 503 };

interface ErrorOfOne {
  readonly Code?: string | undefined;
  readonly Message?: string | undefined;
}

/** What an answer says of one of the many names in a request, as an error of a request for that name alone. */
export function errorOfOne({ Code = "", Message = "" }: ErrorOfOne): Error {
  const status = Object.hasOwn(STATUS_OF_ONE, Code) ? STATUS_OF_ONE[Code] : undefined;
  return Object.assign(new Error(Message), { name: Code, $metadata: { httpStatusCode: status } });
}

/** Whether the error says `reason`. */
export function hasReason(error: unknown, ...reasons: readonly string[]): error is RestoreError {
  return error instanceof RestoreError && error.reason !== undefined && reasons.includes(error.reason);
}

/** Whether the run may go on: credentials that may not list or abort uploads may still write objects. */
export function isPassable(error: unknown): error is RestoreError {
  return error instanceof RestoreError && (error.retry !== "fatal" || hasReason(error, ACCESS_DENIED));
}
