import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { classifyError, withoutValues } from "../../../../src/replayers/dynamodb/classify-error.js";

const context = { adapter: "dynamodb", endpoint: "http://target.test" } as const;

function classify(name: string, message = name, status = 400): RestoreError {
  const error = Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
  return classifyError(error, "PutItem", context);
}

describe("an error by its name", () => {
  it.each([
    ["ConditionalCheckFailedException", "RECORD_REFUSED", "condition-failed"],
    ["ResourceNotFoundException", "CALL_FAILED", "table-not-found"],
    ["ResourceInUseException", "CALL_FAILED", "table-in-use"],
    ["ItemCollectionSizeLimitExceededException", "RECORD_REFUSED", "item-collection-too-large"],
    ["ProvisionedThroughputExceededException", "THROTTLED", "throttled"],
    ["TransactionConflictException", "THROTTLED", "throttled"],
    ["LimitExceededException", "THROTTLED", "too-many-tables"],
  ])("%s is %s, %s", (name, code, reason) => {
    expect(classify(name)).toMatchObject({ code, reason });
  });
});

describe("a refusal by its sentence", () => {
  it.each([
    ["One or more parameter values were invalid: An string set  may not be empty", "empty-set"],
    ["One or more parameter values were invalid: Input collection [a, a] contains duplicates", "duplicate-in-set"],
    ["Provided list of item keys contains duplicates", "duplicate-key"],
    ["Item size has exceeded the maximum allowed size", "item-too-large"],
    ["http: request body too large", "item-too-large"],
    ["Type mismatch for key pk expected: S actual: N", "wrong-key-type"],
    ["unsupported key attribute type", "wrong-key-type"],
    ["One of the required keys was not given a value", "missing-key"],
    ["Attempting to store more than 38 significant digits in a Number", "number-out-of-range"],
    ["The parameter cannot be converted to a numeric value: secret", "invalid-number"],
    ["Nesting Levels have exceeded supported limits", "too-deep"],
    ["attribute value nesting exceeds maximum depth", "too-deep"],
    ["something never heard of", "refused-by-target"],
  ])("%s is %s", (message, reason) => {
    expect(classify("ValidationException", message)).toMatchObject({ code: "RECORD_REFUSED", retry: "no", reason });
  });

  it("too large for the server before it reads it is the item's size", () => {
    expect(classify("Unheard", "no", 413)).toMatchObject({ reason: "item-too-large" });
  });
});

describe("a server's sentence", () => {
  it.each([
    ["Input collection [secret, secret] contains duplicates", "Input collection […] contains duplicates"],
    ["cannot be converted to a numeric value: secret", "cannot be converted to a numeric value: …"],
    ['the value "secret" is bad', 'the value "…" is bad'],
  ])("loses the values it quotes: %s", (said, kept) => {
    expect(withoutValues(said)).toBe(kept);
  });
});

it("a limit that is reached is named in the target's words", () => {
  const said = "Subscriber limit exceeded: there is a limit of 2500 tables";
  expect(classify("LimitExceededException", said).message).toContain(said);
});

it("a RestoreError stays what it is", () => {
  const error = new RestoreError("THROTTLED", "put off");
  expect(classifyError(error, "PutItem", context)).toBe(error);
});
