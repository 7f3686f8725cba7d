/**
 * The S3 client: SDK commands with the headers that this adapter decides itself, signed and sent so that every server
 * takes them. It retries nothing and decides nothing.
 *
 * Headers that come from a record (content type, metadata) do not pass the SDK's serialiser: it would add a content type
 * of its own, lose a metadata name `__proto__`, and Node would refuse text outside Latin-1. They are set before signing
 * as text, signed as UTF-8, and put on the wire byte by byte.
 */
import { type PutObjectCommand, type PutObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { type AwsOptions, awsClientConfig, isAws } from "../aws-client.js";
import { type Exchange, prepareForExchanges } from "../exchange.js";

/** Answer headers, names in lower case, values as the UTF-8 text that they are. */
export type AnswerHeaders = Readonly<Record<string, string>>;

export interface Wire {
  readonly sdk: S3Client;
  /** Whether every header is signed, as elastickv wants it. Learned by the probe. */
  signsEveryHeader: boolean;
  /** Whether white space outside ASCII is folded into one space before signing, as MinIO does. Learned. */
  foldsWideSpace: boolean;
  /** The `Server` header of the last answer; some servers send none. */
  readonly serverHeader: string | undefined;
  /** As `sdk.send`, for a body in memory and a command without middleware of its own: that is put together once a bucket. */
  putObject(command: PutObjectCommand): Promise<PutObjectCommandOutput>;
}

const SILENT = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Headers that the SDK never signs and that a server which verifies over all that arrives needs signed. */
const SIGNED_ON_DEMAND = new Set([
  "cache-control",
  "connection",
  "from",
  "keep-alive",
  "max-forwards",
  "pragma",
  "referer",
  "te",
  "trailer",
  "upgrade",
]);

export function createWire(options: AwsOptions): Wire {
  const aws = isAws(options.endpoint);
  const sdk = new S3Client({
    ...awsClientConfig(options),
    forcePathStyle: !aws,
    // Also for AWS: a checksum in a trailer would frame the stream as `aws-chunked`.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Waiting for `100 Continue` would open a connection for every large body.
    expectContinueHeader: false,
    // Without one of its own the SDK tells the console about every stream that failed.
    logger: SILENT,
  });
  prepareForExchanges(sdk);
  let serverHeader: string | undefined;
  const wire = {
    sdk,
    putObject: puttingObjects(sdk),
    signsEveryHeader: false,
    foldsWideSpace: false,
    get serverHeader() {
      return serverHeader;
    },
  };
  signAsNeeded(sdk, wire);
  sdk.middlewareStack.add(
    (next) => (args) => {
      const request = asRequest(args.request);
      // `PUT /bucket/` is an object with an empty name to elastickv.
      if (!aws && isBucketRequest(args.input) && /.\/$/.test(request.path)) request.path = request.path.slice(0, -1);
      const ownHeaders = headersIn(args.input);
      if (ownHeaders !== undefined) {
        delete request.headers["content-type"];
        Object.assign(request.headers, ownHeaders);
      }
      if (wire.signsEveryHeader) request.headers["connection"] = "keep-alive";
      return next(args);
    },
    { step: "build", name: "elastickvRestorePath", priority: "low" },
  );
  sdk.middlewareStack.add(
    (next) => async (args) => {
      const request = asRequest(args.request);
      request.headers = headersOnWire(request.headers);
      const result = await next(args);
      serverHeader = headersOf(result.response)["server"] ?? serverHeader;
      return result;
    },
    { step: "deserialize", name: "elastickvRestoreWire", priority: "low" },
  );
  return wire;
}

/**
 * One chain of middleware a bucket, not one for all: requests of a chain share its context, in which the SDK keeps the
 * endpoint, and the bucket is a part of that.
 */
function puttingObjects(sdk: S3Client): Wire["putObject"] {
  const chains = new Map<string, ReturnType<PutObjectCommand["resolveMiddleware"]>>();
  return async (command) => {
    const { Bucket: bucket = "" } = command.input;
    const chain = chains.get(bucket) ?? command.resolveMiddleware(sdk.middlewareStack, sdk.config, {});
    chains.set(bucket, chain);
    return (await chain(command)).output;
  };
}

function signAsNeeded(sdk: S3Client, wire: Pick<Wire, "signsEveryHeader" | "foldsWideSpace">): void {
  const { config } = sdk;
  const original = config.signer;
  config.signer = async (scheme) => {
    const signer = await original(scheme);
    return {
      sign: async (request, options) => {
        const headers = wire.foldsWideSpace ? foldable(request.headers) : [];
        for (const [name, value] of headers) request.headers[name] = folded(value);
        // Go knows a length of 0 as "no such header", so a server in Go does not count it among the signed ones.
        const unsignableHeaders = new Set(request.headers["content-length"] === "0" ? ["content-length"] : []);
        const everyHeader = wire.signsEveryHeader ? { signableHeaders: SIGNED_ON_DEMAND, unsignableHeaders } : {};
        const signed = await signer.sign(request, { ...options, ...everyHeader });
        for (const [name, value] of headers) signed.headers[name] = value;
        return signed;
      },
    };
  };
}

/** What Go's `unicode.IsSpace` calls white space; JavaScript's `\s` lacks U+0085 and has U+FEFF. */
const GO_SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** Looked for first: nearly no value has any. */
const FOLDABLE = /[\t\n\v\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]| {2}|^ | $/;

function foldable(headers: Readonly<Record<string, string>>): (readonly [name: string, value: string])[] {
  return Object.entries(headers).filter(([, value]) => FOLDABLE.test(value));
}

/** A header's value as MinIO sees it when it verifies a signature. */
function folded(value: string): string {
  return value.replace(GO_SPACE, " ").replace(/^ | $/g, "");
}

const HEADERS = Symbol("headers");

/**
 * A command's input, with request headers that are set before the request is signed. A content type that is not among
 * them is not sent. Changes `input`.
 */
export function withHeaders<I extends object>(input: I, headers: Readonly<Record<string, string>>): I {
  return Object.assign(input, { [HEADERS]: headers });
}

function headersIn(input: object & { [HEADERS]?: Readonly<Record<string, string>> }) {
  return input[HEADERS];
}

/** The headers of an answer as they came, whatever the SDK made of them. None before it came. */
export function answerHeaders({ answer }: Exchange): AnswerHeaders {
  return Object.fromEntries(Object.entries(answer?.headers ?? {}).map(([name, value]) => [name, asText(value)]));
}

/**
 * Node writes header strings as Latin-1, one character a byte; but a content disposition that comes behind a content
 * length it encodes by itself, and spoils.
 */
function headersOnWire(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { "content-disposition": disposition } = headers;
  const onWire: Record<string, string> = disposition === undefined ? {} : { "content-disposition": "" };
  for (const [name, value] of Object.entries(headers)) {
    onWire[name] = ASCII.test(value) ? value : Buffer.from(value).toString("latin1");
  }
  return onWire;
}

/** All of it. */
const ASCII = /^[\0-\x7f]*$/;

function asText(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : value;
}

interface HttpRequest {
  path: string;
  headers: Record<string, string>;
}

function asRequest(value: unknown): HttpRequest {
  if (typeof value === "object" && value !== null && "headers" in value && "path" in value) return value as HttpRequest;
  throw new TypeError("the client made no HTTP request");
}

function headersOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || !("headers" in value)) return {};
  return value.headers as Record<string, string>;
}

function isBucketRequest(input: unknown): boolean {
  return typeof input === "object" && input !== null && !("Key" in input && input.Key !== undefined);
}
