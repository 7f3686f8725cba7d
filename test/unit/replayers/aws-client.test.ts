import { once } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import {
  awsClientConfig,
  awsErrorText,
  awsRegion,
  awsServiceName,
  classifyAwsError,
  endpointLabel,
  isAws,
} from "../../../src/replayers/aws-client.js";

const context = { adapter: "s3", endpoint: "http://target.test" } as const;

function serviceError(name: string, status: number, message = `${name} happened`): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

function systemError(code: string, extra: object = {}): Error {
  return Object.assign(new Error(`connect ${code}`), { code, ...extra });
}

function classify(error: unknown): RestoreError {
  return classifyAwsError(error, "PutObject", context);
}

describe("the body of an answer", () => {
  const { streamCollector } = awsClientConfig({ endpoint: { aws: true } });

  it("is taken in whole", async () => {
    const parts = [Buffer.from("one"), Buffer.alloc(0), Buffer.from("two")];
    expect(Buffer.from(await streamCollector(Readable.from(parts))).toString()).toBe("onetwo");
  });

  it("without an end is given up, its source closed, and counts as lost", async () => {
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(1024 * 1024);
      } finally {
        isClosed = true;
      }
    }
    const error = await streamCollector(endless()).catch((thrown: unknown) => thrown);
    expect(isClosed).toBe(true);
    expect(classify(error)).toMatchObject({ code: "CONNECTION", reason: "reply-lost", retry: "yes" });
  });

  it.each(["before anyone read it", "while it was read"])("that was cut %s counts as lost", async (when) => {
    const body = new Readable({ read: () => undefined });
    body.push("a part");
    if (when === "before anyone read it") await once(body.destroy(), "close");
    const taken = streamCollector(body).catch((thrown: unknown) => thrown);
    body.destroy();
    expect(classify(await taken)).toMatchObject({ code: "CONNECTION", reason: "reply-lost", retry: "yes" });
  });
});

describe("the client's settings", () => {
  it("name the endpoint and give a region where there is none", () => {
    const config = awsClientConfig({ endpoint: { url: "http://localhost:8000" } });
    expect(config).toMatchObject({ endpoint: "http://localhost:8000", region: "us-east-1", maxAttempts: 1 });
  });

  it("for AWS itself leave endpoint and region to the SDK", () => {
    const config = awsClientConfig({ endpoint: { aws: true } });
    expect(config).not.toHaveProperty("endpoint");
    expect(config).not.toHaveProperty("region");
  });

  it.each([{ aws: true } as const, { url: "http://localhost:8000" }])(
    "never follow endpoints of the environment: %o",
    (endpoint) => {
      expect(awsClientConfig({ endpoint }).ignoreConfiguredEndpointUrls).toBe(true);
    },
  );

  it("keep streams from being framed for custom endpoints only", () => {
    expect(awsClientConfig({ endpoint: { url: "http://localhost" } }).requestChecksumCalculation).toBe("WHEN_REQUIRED");
    expect(awsClientConfig({ endpoint: { aws: true } }).requestChecksumCalculation).toBeUndefined();
  });

  it("pass on region, profile, credentials and limits", () => {
    const config = awsClientConfig({
      endpoint: { url: "http://localhost" },
      region: "eu-west-1",
      profile: "drill",
      credentials: { accessKeyId: "a", secretAccessKey: "s", sessionToken: "t" },
      maxSockets: 3,
      idleTimeoutMs: 1_000,
    });
    expect(config).toMatchObject({ region: "eu-west-1", profile: "drill" });
    expect(config.credentials).toEqual({ accessKeyId: "a", secretAccessKey: "s", sessionToken: "t" });
    expect(config.requestHandler).toMatchObject({ httpAgent: { maxSockets: 3 }, socketTimeout: 1_000 });
  });
});

describe("the endpoint for people", () => {
  it.each([
    [{ aws: true } as const, "aws"],
    [{ url: "http://user:secret@host:8000/" }, "http://host:8000"],
    [{ url: "https://host/path?token=secret" }, "https://host/path"],
    [{ url: "not a url" }, "not a url"],
  ])("of %o is %s", (endpoint, label) => {
    expect(endpointLabel(endpoint)).toBe(label);
  });

  it("names the region of the AWS service, which is another target in each", () => {
    expect(endpointLabel({ aws: true }, "eu-west-1")).toBe("aws (eu-west-1)");
    expect(endpointLabel({ url: "http://host" }, "eu-west-1")).toBe("http://host");
  });

  it("knows the real service", () => {
    expect(isAws({ aws: true })).toBe(true);
    expect(isAws({ url: "https://dynamodb.us-east-1.amazonaws.com" })).toBe(false);
  });
});

describe("the AWS service for people", () => {
  const region = () => Promise.resolve("eu-west-1");
  const credentials = (accountId?: string) => () => Promise.resolve(accountId === undefined ? {} : { accountId });

  it("is named with its region and the account that an answer or the credentials tell", async () => {
    const name = async (told?: string, own?: string) =>
      await awsServiceName("Amazon SQS", { region, credentials: credentials(own) }, told);
    expect(await name("account 1", "2")).toBe("Amazon SQS (eu-west-1, account 1)");
    expect(await name(undefined, "2")).toBe("Amazon SQS (eu-west-1, account 2)");
    expect(await name("owner ab", "2")).toBe("Amazon SQS (eu-west-1, owner ab, account 2)");
    expect(await name()).toBe("Amazon SQS (eu-west-1, account not told)");
  });

  it("is not asked without a region, with the option that names one", async () => {
    await expect(awsRegion(() => Promise.reject(new Error("Region is missing")))).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--region"),
    });
  });

  it("is named although no credentials are found", async () => {
    const none = () => Promise.reject(new Error("none"));
    expect(await awsServiceName("Amazon S3", { region, credentials: none })).toContain("account not told");
  });
});

describe("an error before the request was sent", () => {
  it.each([
    systemError("ECONNREFUSED"),
    systemError("ENOTFOUND"),
    systemError("ETIMEDOUT", { syscall: "connect" }),
    Object.assign(new Error("wrapped"), { cause: systemError("ECONNREFUSED") }),
    Object.assign(new Error("Socket did not establish a connection with the server"), { name: "TimeoutError" }),
  ])("may be repeated by anybody: %s", (error) => {
    expect(classify(error)).toMatchObject({ code: "CONNECTION", retry: "yes", reason: "not-sent" });
  });
});

describe("a lost answer", () => {
  it.each([
    systemError("ECONNRESET"),
    systemError("EPIPE"),
    systemError("HPE_INVALID_CONSTANT"),
    Object.assign(new Error("Connection timed out after 60000 ms"), { name: "TimeoutError" }),
    Object.assign(new SyntaxError("Unexpected token"), { $response: { statusCode: 200 } }),
  ])("is told from an unsent request: %s", (error) => {
    expect(classify(error)).toMatchObject({ code: "CONNECTION", retry: "yes", reason: "reply-lost" });
  });
});

it("an untrusted certificate ends the run", () => {
  const error = classify(systemError("DEPTH_ZERO_SELF_SIGNED_CERT"));
  expect(error).toMatchObject({ code: "TARGET_UNREACHABLE", retry: "fatal" });
  expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
});

describe("an answer", () => {
  it.each([
    ["SlowDown", 503, "THROTTLED"],
    ["OperationAborted", 409, "THROTTLED"],
    ["ProvisionedThroughputExceededException", 400, "THROTTLED"],
    ["Unheard", 429, "THROTTLED"],
    ["InternalServerError", 500, "CONNECTION"],
    ["BadGateway", 502, "CONNECTION"],
    ["ServiceUnavailable", 503, "CONNECTION"],
    ["RequestTimeTooSkewed", 403, "CALL_FAILED"],
  ])("%s with %i may pass", (name, status, code) => {
    expect(classify(serviceError(name, status))).toMatchObject({ code, retry: "yes" });
  });

  it.each([
    ["SignatureDoesNotMatch", 403],
    ["ExpiredTokenException", 400],
    ["UnrecognizedClientException", 400],
    ["Unheard", 401],
    ["Unheard", 403],
  ])("%s with %i is about credentials and ends the run", (name, status) => {
    expect(classify(serviceError(name, status))).toMatchObject({ code: "TARGET_CREDENTIALS", retry: "fatal" });
  });

  it.each(["CredentialsProviderError", "TokenProviderError"])(
    "%s says that there were none, not that a server refused them",
    (name) => {
      const error = classify(Object.assign(new Error("could not load"), { name }));
      expect(error).toMatchObject({ code: "TARGET_CREDENTIALS", retry: "fatal" });
      expect(error.message).toMatch(/^no credentials were found for .+ at http:\/\/target\.test/);
    },
  );

  it("that refuses a signature is not quoted", () => {
    const error = classify(serviceError("SignatureDoesNotMatch", 403, "the canonical string was secret"));
    expect(error.message).not.toContain("secret");
  });

  it.each([400, 404, 409, 413])("of another kind with %i refuses the request for good", (status) => {
    expect(classify(serviceError("EntityTooLarge", status))).toMatchObject({ code: "RECORD_REFUSED", retry: "no" });
  });

  it("carries where it came from and the SDK's error", () => {
    const thrown = serviceError("NoSuchBucket", 404);
    expect(classify(thrown)).toMatchObject({ where: { ...context, operation: "PutObject" }, cause: thrown });
  });
});

it("a RestoreError stays what it is", () => {
  const error = new RestoreError("TARGET_FULL", "full");
  expect(classify(error)).toBe(error);
});

it("an error of our own is none of the target's", () => {
  expect(classify(new TypeError("a bug"))).toMatchObject({
    code: "CALL_FAILED",
    reason: "unexpected-error",
    retry: "no",
  });
});

describe("the text of an error", () => {
  it("has the name once, no control characters and an end", () => {
    expect(awsErrorText(serviceError("NoSuchKey", 404, "gone\u001b[31m"))).toBe("NoSuchKey: gone\\u{1b}[31m");
    expect(awsErrorText(serviceError("NoSuchKey", 404, "NoSuchKey: gone"))).toBe("NoSuchKey: gone");
    expect(awsErrorText(serviceError("Long", 400, "x".repeat(5_000))).length).toBeLessThanOrEqual(400);
  });

  it("does not quote an answer that was no protocol's", () => {
    const error = Object.assign(new SyntaxError('Unexpected token "secret"'), { $metadata: { httpStatusCode: 502 } });
    expect(awsErrorText(error)).toBe("an answer in another format, status 502");
  });
});
