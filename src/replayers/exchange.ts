/**
 * Requests with bodies of our own through a client of the AWS SDK, at a fraction of what the SDK spends on a request.
 *
 * The SDK still chooses the endpoint, signs, sends and reads errors. What does not change from one request to the next
 * is done once a client: middleware is put together, the signer made and, where the endpoint is a URL, the endpoint
 * found. What serves nobody here is left out: the SDK's own retries (`Calls` does them), its log, its telemetry.
 *
 * A client may have `cacheMiddleware`, so a command must not bring middleware of its own.
 */
import { type AwsEndpoint, collectAnswer } from "./aws-client.js";

/** An answer before the SDK has read it. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** When a request goes out, and what is done then. */
export interface Timing {
  /** Made and signed at once, sent only when this has resolved; not sent where it rejects: the call rejects with that. */
  readonly sendAfter?: Promise<unknown> | undefined;
  /** Called when the request is on its way, for what can be done before its answer comes. Must not throw. */
  readonly meanwhile?: (() => void) | undefined;
}

/** One request. Goes along with a command's input, whose own members then only choose operation and endpoint. */
export interface Exchange extends Timing {
  /** Sent in place of what the SDK would make of the input. */
  readonly body?: Buffer;
  /** The whole answer where there is nothing more in it to read: the SDK does not look at it. */
  readonly plainAnswer?: Buffer;
  /** Set once an answer came. */
  answer?: RawAnswer;
}

const EXCHANGE = Symbol("exchange");

/** The input of a command that sends this. Changes `input`. */
export function carrying<I extends object>(input: I, exchange: Exchange): I {
  return Object.assign(input, { [EXCHANGE]: exchange });
}

/** The settings with which a client is made for this, beside the common ones. */
export function exchangeConfig(endpoint: AwsEndpoint) {
  const config = { cacheMiddleware: true };
  if ("aws" in endpoint) return config;
  // What the SDK's rules give for any URL that is named; they are asked anew for each request.
  const found = { url: new URL(endpoint.url), properties: {}, headers: {} };
  return { ...config, endpointProvider: () => found };
}

interface Args {
  input: object;
  request?: unknown;
}

type Handler<R> = (args: Args) => Promise<R>;

type Middleware<R> = (next: Handler<R>, context: object) => Handler<R>;

/** As much of a client as is changed here, in types that every client fits. */
interface SdkClient<S, T> {
  readonly middlewareStack: {
    add<R extends { response: unknown }>(middleware: Middleware<R>, options: object): void;
    remove(name: string): boolean;
  };
  readonly config: { signer: (scheme?: S) => Promise<T> };
}

interface Scheme {
  readonly signingName?: string;
  readonly signingRegion?: string;
}

/** Names this program where the SDK would name itself, the machine and the features used, put together each time. */
const USER_AGENT = "elastickv-restore";

/**
 * Prepares a client before its first request. `endpoint`: for one that was made with `exchangeConfig`, with the same.
 * Without it, each request goes all the way through the SDK.
 */
export function prepareForExchanges<S extends Scheme, T>(client: SdkClient<S, T>, endpoint?: AwsEndpoint): void {
  const { middlewareStack: stack, config } = client;
  stack.remove("loggerMiddleware");
  stack.remove("recursionDetectionMiddleware");
  stack.remove("getUserAgentMiddleware");
  // Others are placed by its name.
  stack.add((next) => next, { step: "finalizeRequest", name: "retryMiddleware", priority: "high", override: true });
  const shortcut = endpoint === undefined || "aws" in endpoint ? undefined : new Shortcut();
  if (shortcut !== undefined) stack.add(shortcut.taking, { step: "serialize", name: "exchange", priority: "high" });
  stack.add(replacingBody(shortcut), { step: "build", name: "exchangeBody", priority: "low" });
  stack.add(keepingAnswer, { step: "deserialize", name: "exchangeAnswer", priority: "low" });
  config.signer = onceForEach(config.signer);
}

/** A signer asks for credentials at every request; itself it depends on region and service alone. */
function onceForEach<S extends Scheme, T>(make: (scheme?: S) => Promise<T>): (scheme?: S) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return async (scheme) => {
    const name = `${scheme?.signingName} ${scheme?.signingRegion}`;
    const known = made.get(name) ?? make(scheme);
    made.set(name, known);
    return await known.catch((error: unknown) => {
      made.delete(name);
      throw error;
    });
  };
}

/**
 * From the first request of an operation on, the way past the SDK's choice of endpoint and its serialiser, to where our
 * body takes the place of theirs: but for the body, they make the same request of each input. Not for the AWS service,
 * whose endpoint may follow from the table or the account. Credentials are asked for behind, at each signing.
 */
class Shortcut {
  /** By the context that the SDK makes once an operation and client. */
  readonly #ends = new WeakMap<object, { readonly request: HttpRequest; readonly next: unknown }>();

  readonly taking = <R>(next: Handler<R>, context: object): Handler<R> => {
    return (args) => {
      const end = this.#ends.get(context);
      if (end === undefined || exchangeOf(args.input)?.body === undefined) return next(args);
      const request = { ...end.request, headers: { ...end.request.headers } };
      return (end.next as Handler<R>)({ ...args, request });
    };
  };

  /** Called at its end with the request as the SDK made it, and with what follows there. */
  note(context: object, request: HttpRequest, next: unknown): void {
    if (!this.#ends.has(context)) this.#ends.set(context, { request: { ...request, body: undefined }, next });
  }
}

/** After the SDK has serialised and before it signs. */
function replacingBody(shortcut: Shortcut | undefined) {
  return <R>(next: Handler<R>, context: object): Handler<R> => {
    const send: Handler<R> = (args) => {
      const { input, request } = args;
      const body = exchangeOf(input)?.body;
      if (isRequest(request) && body !== undefined) {
        request.body = body;
        request.headers["content-length"] = String(body.length);
      }
      return next(args);
    };
    return (args) => {
      const { input, request } = args;
      if (!isRequest(request)) throw new TypeError("the client made no HTTP request");
      request.headers["user-agent"] = USER_AGENT;
      if (exchangeOf(input)?.body !== undefined) shortcut?.note(context, request, send);
      return send(args);
    };
  };
}

/** Next to the wire: sends when it is time, reads the body once and hands it on in one piece. */
function keepingAnswer<R extends { response: unknown }>(next: Handler<R>): Handler<R> {
  return async (args) => {
    const exchange = exchangeOf(args.input);
    if (exchange === undefined) return await next(args);
    if (exchange.sendAfter !== undefined) await exchange.sendAfter;
    const answered = next(args);
    // What is handed over in this turn of the event loop goes out at its end.
    if (exchange.meanwhile !== undefined) setImmediate(exchange.meanwhile);
    const result = await answered;
    const { response } = result;
    if (!isResponse(response)) throw new TypeError("the client took no HTTP answer");
    const body = await collectAnswer(response.body);
    const { statusCode: status, headers } = response;
    exchange.answer = { status, headers, body };
    const isPlain = status === 200 && exchange.plainAnswer?.equals(body) === true;
    // A copy: the SDK changes the prototype of what it reads.
    response.body = isPlain ? new Uint8Array(0) : new Uint8Array(body);
    return result;
  };
}

function exchangeOf(input: object & { [EXCHANGE]?: Exchange }): Exchange | undefined {
  return input[EXCHANGE];
}

interface HttpRequest {
  body: unknown;
  headers: Record<string, string>;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: unknown;
}

function isRequest(value: unknown): value is HttpRequest {
  return typeof value === "object" && value !== null && "headers" in value && "body" in value;
}

function isResponse(value: unknown): value is HttpResponse {
  return typeof value === "object" && value !== null && "statusCode" in value && "headers" in value && "body" in value;
}
