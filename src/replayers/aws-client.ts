/**
 * What the DynamoDB, S3 and SQS clients have in common: where they connect, how they retry (not at all: `Calls` does)
 * and what an error of the AWS SDK means.
 *
 * It makes no client, so that each adapter keeps its SDK package to itself, and it reads no environment: regions,
 * profiles and credentials that are not given come from the SDK's own chain, endpoints never do.
 */
import { finished, Readable } from "node:stream";

import type { ErrorCode } from "../errors/codes.js";
import { RestoreError, type RestoreErrorInit, systemCode } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { Adapter } from "../model/scope.js";
import { tlsFault } from "../support/tls-fault.js";

/** A server by its URL, or the real AWS service of the region. */
export type AwsEndpoint = { readonly url: string } | { readonly aws: true };

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsOptions {
  readonly endpoint: AwsEndpoint;
  readonly region?: string;
  /** Profile of the shared config and credentials files. Its endpoint settings are not followed. */
  readonly profile?: string;
  /** Absent: the SDK's normal chain. */
  readonly credentials?: AwsCredentials;
  /** Connections kept open at most. Default 32. */
  readonly maxSockets?: number;
  /** Silence on a socket after which a request counts as lost, in milliseconds. Default 60,000. */
  readonly idleTimeoutMs?: number;
}

/** The settings that every AWS client here is made with; fits the config type of each of them. */
export interface AwsClientConfig {
  readonly endpoint?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly maxAttempts: number;
  readonly ignoreConfiguredEndpointUrls: boolean;
  readonly useDualstackEndpoint?: boolean;
  readonly useFipsEndpoint?: boolean;
  readonly requestChecksumCalculation?: "WHEN_REQUIRED";
  readonly responseChecksumValidation?: "WHEN_REQUIRED";
  readonly requestHandler: {
    readonly httpAgent: { readonly keepAlive: boolean; readonly maxSockets: number };
    readonly httpsAgent: { readonly keepAlive: boolean; readonly maxSockets: number };
    readonly connectionTimeout: number;
    readonly socketTimeout: number;
    readonly logger: SilentLogger;
  };
  /** Takes in an answer that is not handed on as a stream. */
  readonly streamCollector: (body: unknown) => Promise<Uint8Array>;
}

interface SilentLogger {
  trace(): void;
  debug(): void;
  info(): void;
  warn(): void;
  error(): void;
}

const DEFAULT_REGION = "us-east-1";
const DEFAULT_MAX_SOCKETS = 32;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** The SDK's handler writes its warnings to the console when it has no logger. */
const SILENT: SilentLogger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The common client settings. Pure; each call gives a connection pool of its own once a client is made with it. */
export function awsClientConfig(options: AwsOptions): AwsClientConfig {
  const agent = { keepAlive: true, maxSockets: options.maxSockets ?? DEFAULT_MAX_SOCKETS };
  return {
    ...serverConfig(options),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.credentials === undefined ? {} : { credentials: { ...options.credentials } }),
    maxAttempts: 1,
    // Without this, AWS_ENDPOINT_URL or a profile's endpoint_url would redirect a run that names `aws`.
    ignoreConfiguredEndpointUrls: true,
    requestHandler: {
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
      logger: SILENT,
    },
    streamCollector: collectAnswer,
  };
}

/** Ten messages of a MiB, all of it escaped, take 60 MiB; no other answer comes near. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const TOO_LONG = "ANSWER_TOO_LONG";

/** The SDK's own collector has no bound: whatever stands at the endpoint could fill the memory with one answer. */
export function collectAnswer(body: unknown): Promise<Buffer> {
  const source = body instanceof Readable ? body : Readable.from(body as AsyncIterable<Uint8Array>);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    source.on("data", (part: Uint8Array) => {
      bytes += part.length;
      parts.push(part);
      if (bytes <= MAX_ANSWER_BYTES) return;
      const error = new Error(`an answer is longer than ${MAX_ANSWER_BYTES} bytes`);
      source.destroy(Object.assign(error, { code: TOO_LONG }));
    });
    // Also where it was cut before this.
    finished(source, { writable: false }, (error) => (error ? reject(error) : resolve(Buffer.concat(parts))));
  });
}

function serverConfig(options: AwsOptions) {
  const region = options.region === undefined ? {} : { region: options.region };
  if ("aws" in options.endpoint) return region;
  return {
    endpoint: options.endpoint.url,
    region: options.region ?? DEFAULT_REGION,
    // Set in the environment for AWS itself, these two make the SDK refuse a custom endpoint.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    // Streams would otherwise be framed as `aws-chunked`, which some servers store as data.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  } as const;
}

/** The endpoint for people: user name and password taken out; of the AWS service, with the region where it is given. */
export function endpointLabel(endpoint: AwsEndpoint, region?: string): string {
  if ("aws" in endpoint) return region === undefined ? "aws" : `aws (${region})`;
  if (!URL.canParse(endpoint.url)) return endpoint.url;
  const url = new URL(endpoint.url);
  url.username = "";
  url.password = "";
  url.search = "";
  return url.href.replace(/\/$/, "");
}

/** True when the endpoint is the real AWS service. */
export function isAws(endpoint: AwsEndpoint): boolean {
  return "aws" in endpoint;
}

/** What an AWS client's resolved settings tell of where it goes. */
interface AwsSettings {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<{ readonly accountId?: string }>;
}

/**
 * The AWS service by its region and account, for people to see whose data a run will touch before it writes. Asks no
 * server. `told`: `account 123456789012` as an answer of the service has it, or another name of the owner; some
 * credentials name their account, too.
 * @throws RestoreError USAGE when no region is set: the SDK would send nothing
 */
export async function awsServiceName(
  service: string,
  { region, credentials }: AwsSettings,
  told?: string,
): Promise<string> {
  const where = await awsRegion(region);
  const own = told?.startsWith("account ") ? undefined : (await credentials().catch(() => undefined))?.accountId;
  const owners = [...(told === undefined ? [] : [told]), ...(own === undefined ? [] : [`account ${own}`])];
  return `${service} (${[where, ...(owners.length === 0 ? ["account not told"] : owners)].join(", ")})`;
}

/** @throws RestoreError USAGE when no region is set */
export async function awsRegion(region: () => Promise<string>): Promise<string> {
  return await region().catch((cause: unknown) => {
    throw new RestoreError("USAGE", "the AWS service is named, and no region", {
      hint: "Name the region with --region, AWS_REGION, the named target or the profile.",
      retry: "fatal",
      cause,
    });
  });
}

export interface AwsErrorContext {
  readonly adapter: Adapter;
  /** As `endpointLabel` gives it. */
  readonly endpoint: string;
}

/** Never reached the server: the request cannot have been applied. */
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);

const LOST = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ECONNABORTED",
  "ESOCKETTIMEDOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
  TOO_LONG,
]);

/**
 * The target put the request off without doing it. Not among them: ServiceUnavailable, status 503, with which elastickv
 * answers also when the node that it handed the request on to fell silent.
 */
const THROTTLED = new Set([
  "BandwidthLimitExceeded",
  "EC2ThrottledException",
  "KmsThrottled",
  "LimitExceededException",
  "OperationAborted",
  "OverLimit",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "ReplicatedWriteConflictException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
  "TransactionConflictException",
  "TransactionInProgressException",
]);

/** The SDK corrects its clock by the answer's date, so the next attempt is signed with the right time. */
const CLOCK_SKEW = new Set(["RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired"]);

const CREDENTIALS = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "AuthFailure",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "InvalidToken",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException",
  "NotAuthorized",
  "OptInRequired",
  "SignatureDoesNotMatch",
  "TokenRefreshRequired",
  "UnrecognizedClientException",
]);

/** The client's own: it found none to send, so no server was asked. */
const NO_CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError"]);

/** These name who may not do what; other refusals may quote the signature or the request. */
const SAFE_TO_QUOTE = new Set(["AccessDenied", "AccessDeniedException", "NotAuthorized"]);

const CREDENTIALS_HINT =
  "Give credentials that may write to this target: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.";

/**
 * What an error of the AWS SDK means for a run. By the SDK's error name and status; RestoreErrors pass unchanged.
 * CONNECTION with reason `not-sent` is known to have happened before the request was sent.
 */
export function classifyAwsError(error: unknown, operation: string, context: AwsErrorContext): RestoreError {
  if (error instanceof RestoreError) return error;
  const make: Make = (code, message, init) =>
    new RestoreError(code, message, { where: { ...context, operation }, cause: error, ...init });
  return (
    asNetworkError(error, operation, context, make) ??
    asAnswer(error, operation, context, make) ??
    make("CALL_FAILED", `${operation} failed: ${awsErrorText(error)}`, { reason: "unexpected-error" })
  );
}

type Make = (code: ErrorCode, message: string, init: RestoreErrorInit) => RestoreError;

function asNetworkError(
  error: unknown,
  operation: string,
  context: AwsErrorContext,
  make: Make,
): RestoreError | undefined {
  const code = systemCode(error) ?? "";
  if (NOT_SENT.has(code) || property(error, "syscall") === "connect" || isConnectTimeout(error)) {
    const message = `${context.endpoint} cannot be reached (${code || "connection timed out"})`;
    return make("CONNECTION", message, { retry: "yes", reason: "not-sent" });
  }
  const fault = tlsFault(code, { plain: "http://", authorities: "NODE_EXTRA_CA_CERTS in the environment" });
  if (fault !== undefined) {
    return make("TARGET_UNREACHABLE", `no trusted TLS connection to ${context.endpoint}: ${fault.why} (${code})`, {
      retry: "fatal",
      hint: fault.hint,
    });
  }
  // HPE_…: the answer was cut or is no HTTP. A body that is no JSON or XML was cut or comes from something in between.
  if (LOST.has(code) || code.startsWith("HPE_") || awsErrorName(error) === "TimeoutError" || isUnreadable(error)) {
    const why = code || (isUnreadable(error) ? "unreadable answer" : "no answer in time");
    return make("CONNECTION", `the answer of ${context.endpoint} to ${operation} was lost (${why})`, {
      retry: "yes",
      reason: "reply-lost",
    });
  }
  return undefined;
}

function asAnswer(error: unknown, operation: string, context: AwsErrorContext, make: Make): RestoreError | undefined {
  const name = awsErrorName(error);
  const status = awsErrorStatus(error);
  const said = awsErrorText(error);
  if (NO_CREDENTIALS.has(name)) {
    const message = `no credentials were found for ${operation} at ${context.endpoint} (${name})`;
    return make("TARGET_CREDENTIALS", message, { retry: "fatal", hint: CREDENTIALS_HINT });
  }
  if (CREDENTIALS.has(name)) {
    const message = `${context.endpoint} did not accept the credentials for ${operation} (${SAFE_TO_QUOTE.has(name) ? said : name})`;
    return make("TARGET_CREDENTIALS", message, { retry: "fatal", hint: CREDENTIALS_HINT });
  }
  if (THROTTLED.has(name) || status === 429) {
    return make("THROTTLED", `${operation} was put off by the target (${name})`, { retry: "yes", reason: "throttled" });
  }
  if (CLOCK_SKEW.has(name)) return make("CALL_FAILED", said, { retry: "yes", reason: "clock-skew" });
  if (status === undefined) return undefined;
  if (status >= 500) {
    return make("CONNECTION", `${context.endpoint} answered ${operation} with ${status} ${said}`, {
      retry: "yes",
      reason: "server-error",
    });
  }
  if (status === 401 || status === 403) {
    return make("TARGET_CREDENTIALS", `${context.endpoint} refused ${operation} with ${status} ${name}`, {
      retry: "fatal",
      hint: CREDENTIALS_HINT,
    });
  }
  if (status >= 400) return make("RECORD_REFUSED", said, { retry: "no", reason: "refused-by-target" });
  return undefined;
}

/** The error's name as the SDK gives it: the exception of the service, or the kind of the client's own error. */
export function awsErrorName(error: unknown): string {
  const name = property(error, "name");
  return typeof name === "string" ? name : "";
}

/** The HTTP status of the answer that became this error; absent when there was no answer. */
export function awsErrorStatus(error: unknown): number | undefined {
  const status = property(property(error, "$metadata"), "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

/** `Name: what the target said`, printable and not too long. Not for refused credentials, which may quote signatures. */
export function awsErrorText(error: unknown): string {
  const message = property(error, "message");
  const name = awsErrorName(error);
  // An answer that was not in the protocol's format: the parser's message would quote it.
  if (error instanceof SyntaxError) return `an answer in another format, status ${awsErrorStatus(error) ?? "unknown"}`;
  const text = typeof message === "string" ? message : String(error);
  return escapeForDisplay((name === "" || text.startsWith(name) ? text : `${name}: ${text}`).slice(0, 400));
}

/** The handler's own words, for there is no code: the socket was never connected, so nothing was sent. */
function isConnectTimeout(error: unknown): boolean {
  const message = property(error, "message");
  return awsErrorName(error) === "TimeoutError" && typeof message === "string" && message.includes("did not establish");
}

/** A success whose body is not what the protocol says: the answer itself is unknown. */
function isUnreadable(error: unknown): boolean {
  const status = property(property(error, "$response"), "statusCode");
  return typeof status === "number" && status < 300;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
