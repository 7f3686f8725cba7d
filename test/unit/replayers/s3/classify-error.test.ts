import { describe, expect, it } from "vitest";
import { classifyError, errorOfOne } from "../../../../src/replayers/s3/classify-error.js";

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
  ["Unknown", 409, "THROTTLED", "throttled", "yes"],
  ["InvalidBucketState", 409, "RECORD_REFUSED", "refused-by-target", "no"],
  ["SlowDown", 503, "THROTTLED", "throttled", "yes"],
  ["InternalError", 500, "CONNECTION", "server-error", "yes"],
  ["BadDigest", 400, "CALL_FAILED", "digest-mismatch", "yes"],
  ["Unknown", 307, "RECORD_REFUSED", "key-refused", "no"],
  ["XMinioStorageFull", 507, "TARGET_FULL", "target-full", "fatal"],
  ["TemporaryRedirect", 307, "CALL_FAILED", "redirected", "yes"],
  ["KMS.DisabledException", 400, "CALL_FAILED", "key-refused", "no"],
  ["BucketAlreadyExists", 409, "CALL_FAILED", "bucket-taken", "no"],
  ["AccessDenied", 403, "TARGET_CREDENTIALS", "access-denied", "fatal"],
  ["constructor", 400, "RECORD_REFUSED", "refused-by-target", "no"],
] as const)("%s with %i is %s, %s, retried: %s", (name, status, code, reason, retry) => {
  expect(classifyError(answer(name, status), "PutObject", CONTEXT)).toMatchObject({ code, reason, retry });
});

it.each([
  ["InternalError", true],
  ["OperationAborted", true],
  ["ServiceUnavailable", true],
  ["SlowDown", true],
  ["SlowDownWrite", true],
  ["AccessDenied", false],
  ["NoSuchVersion", false],
  ["", false],
])("%s of one of many names may go another time: %s", (Code, isRetried) => {
  const { retry } = classifyError(errorOfOne({ Code, Message: "said" }), "DeleteObjects", CONTEXT);
  expect(retry === "yes").toBe(isRetried);
});

it("credentials that are wrong are not the same as those that may not", () => {
  const wrong = classifyError(answer("InvalidAccessKeyId", 403), "PutObject", CONTEXT);
  expect(wrong).toMatchObject({ code: "TARGET_CREDENTIALS", retry: "fatal", reason: undefined });
});

describe("a bucket of another region", () => {
  const redirect = (status: number, region: string) => {
    const $response = { headers: { "x-amz-bucket-region": region } };
    return Object.assign(answer("Unknown", status), { $response });
  };

  it("is named with the region to restore in", () => {
    expect(classifyError(redirect(301, "eu-west-1"), "HeadBucket", CONTEXT)).toMatchObject({
      reason: "other-region",
      message: "HeadBucket: the bucket lies in the region eu-west-1",
      hint: expect.stringContaining("--region eu-west-1"),
    });
    expect(classifyError(redirect(400, "eu-west-1"), "HeadBucket", CONTEXT, "us-east-1").reason).toBe("other-region");
  });

  it("is not one of which any other fault names the region", () => {
    for (const own of [undefined, "eu-west-1"]) {
      expect(classifyError(redirect(400, "eu-west-1"), "HeadBucket", CONTEXT, own).code).toBe("RECORD_REFUSED");
    }
    expect(classifyError(redirect(301, "not a region"), "HeadBucket", CONTEXT).hint).toBeUndefined();
  });
});
