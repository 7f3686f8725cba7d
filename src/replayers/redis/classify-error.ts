/**
 * What Redis's answers and lost connections mean for a run. Redis has no error codes but the first word of its text,
 * so this is the one place where text decides.
 */
import type { ErrorCode } from "../../errors/codes.js";
import { messageOf, RestoreError, type RestoreErrorInit, systemCode } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { tlsFault } from "../../support/tls-fault.js";
import { WrongScheme } from "./wrong-scheme.js";

/** The connection broke. `sent`: after the request had left, so that it may have been applied. */
export class ConnectionLost extends Error {
  readonly sent: boolean;
  /** For people, where it was not to the target's own address. */
  readonly node: string | undefined;

  constructor(sent: boolean, cause?: unknown, node?: string) {
    super(sent ? "the connection was lost" : "no connection", { cause });
    this.name = "ConnectionLost";
    this.sent = sent;
    this.node = node;
  }
}

/** Answers that pass by themselves: the server starts, runs a script, moves a slot, has no leader at the moment. */
const PUT_OFF = new Map([
  ["LOADING", "LOADING: it is still loading its data"],
  ["BUSY", "BUSY: it runs a script"],
  ["TRYAGAIN", "TRYAGAIN"],
  ["NOTLEADER", "NOTLEADER"],
  ["NOREPLICAS", "NOREPLICAS: fewer replicas are connected than its min-replicas-to-write wants"],
]);
/** A failover is under way: there will be a writable server again, or not. An outage when it lasts. */
const FAILING_OVER = new Set(["READONLY", "MASTERDOWN", "CLUSTERDOWN"]);
const FULL = new Set(["OOM", "MISCONF"]);
const CREDENTIALS = new Set(["NOAUTH", "WRONGPASS"]);
/** A right that the user lacks inside of a script: Redis 7.0 and 7.2 word it without NOPERM. */
const NO_RIGHT_IN_SCRIPT = /^(?:ERR )?(?:The user executing the script can't|ACL failure in script)/;

/** elastickv words some passing states in plain text; Redis Cluster, that a script met a slot on its way elsewhere. */
const PUT_OFF_TEXT =
  /leader redis address unknown|not (?:the )?leader|leader (?:not found|changed)|write conflict|txn (?:locked|conflict)|key is locked|non local key in a cluster|max connections|max number of clients|split shard leaders/i;
/** elastickv gave up waiting for its log: the write may still be applied. */
const IN_DOUBT_TEXT = /deadline exceeded|context canceled|ambiguous|proposal dropped/i;

/** Sentences of both servers that refuse this record, and the word for it. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^WRONGTYPE/, "wrong-type"],
  [/^INVALIDOBJ|Corrupted HLL/i, "invalid-sketch"],
  [/collection too large|would exceed \d+ entries/i, "collection-too-large"],
  [/request too large|bulk length|exceeds maximum allowed size|message too large/i, "value-too-large"],
  [/invalid UTF-8/i, "not-utf8"],
  [/equal or smaller|must be greater than 0-0/i, "id-below-top"],
  [/valid float|ParseFloat/i, "invalid-score"],
  [/unknown command|unsupported command/i, "command-missing"],
];

/** What Redis before 7 puts in front of an error that a script met; the dash is that of the protocol. */
const SCRIPT_FRAME = /^(?:ERR Error running script \(call to \w+\): )?(?:@user_script: ?\d+: )*-?/;

interface RedisErrorContext {
  readonly endpoint: string;
}

/** Turns anything thrown by the client or answered by the server into a RestoreError; RestoreErrors pass unchanged. */
export function classifyRedisError(error: unknown, operation: string, context: RedisErrorContext): RestoreError {
  if (error instanceof RestoreError) return error;
  const where = { adapter: "redis", endpoint: context.endpoint, operation };
  const make: Make = (code, message, init) => new RestoreError(code, message, { where, cause: error, ...init });
  if (error instanceof ConnectionLost) return lost(error, operation, context, make);
  if (isReplyError(error)) return answered(error.message, operation, context, make);
  return make("CALL_FAILED", `${operation} failed: ${escapeForDisplay(messageOf(error))}`, {
    reason: "unexpected-error",
  });
}

type Make = (code: ErrorCode, message: string, init: RestoreErrorInit) => RestoreError;

/** A server's refusal that came as text out of a script. */
export function replyError(text: string): Error {
  const error = new Error(text);
  error.name = "ReplyError";
  return error;
}

export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

const TLS_WORDS = {
  plain: "redis://",
  authorities: "NODE_EXTRA_CA_CERTS in the environment, or `tls: { ca: FILE }` of a named target",
  clientCertificate: "Name a certificate with `tls: { cert: FILE, key: FILE }` of a named target",
};

/** Why nothing was sent, in words of our own. */
export class NoNode extends Error {}

function noCode(cause: unknown): string {
  return cause instanceof NoNode ? ` (${cause.message})` : "";
}

function lost(error: ConnectionLost, operation: string, context: RedisErrorContext, make: Make): RestoreError {
  const endpoint = error.node ?? context.endpoint;
  const code = systemCode(error.cause) ?? "";
  const fault = tlsFault(code, TLS_WORDS);
  if (fault !== undefined) {
    return make("TARGET_UNREACHABLE", `no trusted TLS connection to ${endpoint}: ${fault.why} (${code})`, {
      retry: "fatal",
      hint: fault.hint,
    });
  }
  if (error.cause instanceof WrongScheme) {
    const scheme = error.cause.speaksTls ? "rediss://" : "redis://";
    return make("TARGET_UNREACHABLE", `${endpoint}: ${error.cause.message}`, {
      retry: "fatal",
      hint: `Begin the Redis URL with ${scheme}.`,
    });
  }
  const why = code === "" ? noCode(error.cause) : ` (${code})`;
  return error.sent
    ? make("CONNECTION", `the answer of ${endpoint} to ${operation} was lost${why}`, {
        retry: "yes",
        reason: "reply-lost",
      })
    : make("CONNECTION", `${endpoint} cannot be reached${why}`, { retry: "yes", reason: "not-sent" });
}

function answered(said: string, operation: string, { endpoint }: RedisErrorContext, make: Make): RestoreError {
  // A key that a sentence quotes must not be taken for its meaning.
  const text = withoutValues(said.replace(SCRIPT_FRAME, ""));
  const word = /^[A-Z]+/.exec(text)?.[0] ?? "";
  if (PUT_OFF.has(word) || PUT_OFF_TEXT.test(text)) {
    return make("THROTTLED", `${operation} was put off by the target (${PUT_OFF.get(word) ?? (word || "busy")})`, {
      retry: "yes",
      reason: "throttled",
    });
  }
  if (IN_DOUBT_TEXT.test(text)) {
    return make("THROTTLED", `${operation} took too long for the target`, { retry: "yes", reason: "reply-lost" });
  }
  if (FAILING_OVER.has(word)) {
    return make("CONNECTION", `${endpoint} takes no writes at the moment (${word})`, {
      retry: "yes",
      reason: "not-sent",
    });
  }
  if (/^(?:MOVED|ASK) \d/.test(text)) {
    return make("TARGET_UNFIT", `${endpoint} is a node of a Redis Cluster, and the key is on another`, {
      retry: "fatal",
      hint: "Name the cluster with --redis-url redis+cluster://host:port.",
    });
  }
  if (FULL.has(word)) return full(text, endpoint, make);
  if (word === "NOPERM" || NO_RIGHT_IN_SCRIPT.test(text)) {
    // Quotes commands, no keys.
    const right = escapeForDisplay(said.replace(SCRIPT_FRAME, "").trim().slice(0, 300));
    return make("TARGET_CREDENTIALS", `${endpoint} refuses ${operation} to this user: ${right}`, {
      retry: "fatal",
      hint: "Give the user the right with ACL SETUSER, or name another user.",
    });
  }
  if (CREDENTIALS.has(word) || /^ERR (?:invalid password|Client sent AUTH|AUTH )/.test(text)) {
    return make(
      "TARGET_CREDENTIALS",
      `${endpoint} did not accept the credentials for ${operation} (${word || "AUTH"})`,
      {
        retry: "fatal",
        hint: "Give user and password through REDIS_URL or REDIS_PASSWORD, or in a named target.",
      },
    );
  }
  const reason = REFUSALS.find(([pattern]) => pattern.test(text))?.[1] ?? "refused-by-target";
  return make("RECORD_REFUSED", text, { retry: "no", reason });
}

function full(text: string, endpoint: string, make: Make): RestoreError {
  return make("TARGET_FULL", `${endpoint} takes no more data: ${text}`, {
    retry: "fatal",
    hint: "Give the server more memory (maxmemory) or disk, then take the job up again.",
  });
}

/** A server's sentence without the keys and values that some quote, printable and not too long. */
function withoutValues(text: string): string {
  return escapeForDisplay(
    text
      .trim()
      .replace(/(["'`]).*\1/s, "$1…$1")
      .slice(0, 300),
  );
}
