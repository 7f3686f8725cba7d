/**
 * What Redis's answers and lost connections mean for a run. Redis has no error codes but the first word of its text,
 * so this is the one place where text decides.
 */
import type { ErrorCode } from "../../errors/codes.js";
import { messageOf, RestoreError, type RestoreErrorInit, systemCode } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";

/** The connection broke. `sent`: after the request had left, so that it may have been applied. */
export class ConnectionLost extends Error {
  readonly sent: boolean;

  constructor(sent: boolean, cause?: unknown) {
    super(sent ? "the connection was lost" : "no connection", { cause });
    this.name = "ConnectionLost";
    this.sent = sent;
  }
}

/** Answers that pass by themselves: the server starts, runs a script, moves a slot, has no leader at the moment. */
const PUT_OFF = new Set(["LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "NOTLEADER", "NOREPLICAS"]);
/** A failover is under way: the address will lead to a writable server again, or not. An outage when it lasts. */
const FAILING_OVER = new Set(["READONLY", "MASTERDOWN"]);
const FULL = new Set(["OOM", "MISCONF"]);
const CREDENTIALS = new Set(["NOAUTH", "WRONGPASS", "NOPERM"]);

/** elastickv words some passing states in plain text. */
const PUT_OFF_TEXT =
  /leader redis address unknown|not (?:the )?leader|leader (?:not found|changed)|write conflict|txn (?:locked|conflict)|key is locked|max connections|max number of clients|split shard leaders/i;
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

const TLS = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_SSL_)/;

function lost(error: ConnectionLost, operation: string, { endpoint }: RedisErrorContext, make: Make): RestoreError {
  const code = systemCode(error.cause) ?? "";
  if (TLS.test(code)) {
    return make("TARGET_UNREACHABLE", `no trusted TLS connection to ${endpoint} (${code})`, {
      retry: "fatal",
      hint: "Check the URL's scheme and the certificate; NODE_EXTRA_CA_CERTS names a file with further authorities.",
    });
  }
  const why = code === "" ? "" : ` (${code})`;
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
    return make("THROTTLED", `${operation} was put off by the target (${word || "busy"})`, {
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
  if (FULL.has(word)) return full(text, endpoint, make);
  if (CREDENTIALS.has(word) || /^ERR (?:invalid password|Client sent AUTH|AUTH )/.test(text)) {
    return make(
      "TARGET_CREDENTIALS",
      `${endpoint} did not accept the credentials for ${operation} (${word || "AUTH"})`,
      {
        retry: "fatal",
        hint: "Put a user and password that may write into the Redis URL, best through REDIS_URL.",
      },
    );
  }
  const reason = REFUSALS.find(([pattern]) => pattern.test(text))?.[1] ?? "refused-by-target";
  return make("RECORD_REFUSED", text, { retry: "no", reason });
}

function full(text: string, endpoint: string, make: Make): RestoreError {
  return make("TARGET_FULL", `${endpoint} takes no more data: ${text}`, {
    retry: "fatal",
    hint: "Give the server more memory (maxmemory) or disk, then run the restore again.",
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
