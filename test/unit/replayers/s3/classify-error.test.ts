import { expect, it } from "vitest";
import { classifyError } from "../../../../src/replayers/s3/classify-error.js";

function answer(name: string, status: number): Error {
  return Object.assign(new Error("said"), { name, $metadata: { httpStatusCode: status } });
}

const CONTEXT = { adapter: "s3", endpoint: "http://target" } as const;

it.each([
  ["PreconditionFailed", 412, "RECORD_REFUSED", "exists", "no"],
  ["NotImplemented", 501, "CALL_FAILED", "not-implemented", "no"],
  ["MethodNotAllowed", 405, "CALL_FAILED", "not-implemented", "no"],
  ["OperationAborted", 409, "THROTTLED", "throttled", "yes"],
  ["ConditionalRequestConflict", 409, "THROTTLED", "throttled", "yes"],
  ["SlowDown", 503, "THROTTLED", "throttled", "yes"],
  ["InternalError", 500, "CONNECTION", "server-error", "yes"],
  ["BadDigest", 400, "CALL_FAILED", "digest-mismatch", "yes"],
  ["Unknown", 307, "RECORD_REFUSED", "key-refused", "no"],
  ["XMinioStorageFull", 507, "TARGET_FULL", "target-full", "fatal"],
  ["AccessDenied", 403, "TARGET_CREDENTIALS", "access-denied", "fatal"],
  ["constructor", 400, "RECORD_REFUSED", "refused-by-target", "no"],
] as const)("%s with %i is %s, %s, retried: %s", (name, status, code, reason, retry) => {
  expect(classifyError(answer(name, status), "PutObject", CONTEXT)).toMatchObject({ code, reason, retry });
});

it("credentials that are wrong are not the same as those that may not", () => {
  const wrong = classifyError(answer("InvalidAccessKeyId", 403), "PutObject", CONTEXT);
  expect(wrong).toMatchObject({ code: "TARGET_CREDENTIALS", retry: "fatal", reason: undefined });
});
