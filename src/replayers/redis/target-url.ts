/**
 * Reads `--redis-url`: `redis://`, `rediss://` (TLS), `unix:///path` and `redis+unix:///path`, with user and password.
 * The database number in it is the caller's business. Redis Cluster is not supported and refused by name.
 */
import { isIP } from "node:net";
import type { RedisOptions } from "ioredis";

import { RestoreError } from "../../errors/restore-error.js";

export type ClientOptions = RedisOptions & { readonly replyMapping: "legacy" };

export interface RedisAddress {
  /** Without user and password. */
  readonly label: string;
  readonly options: ClientOptions;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Silence while an answer is due after which a connection counts as lost. */
const SILENCE_MS = 60_000;
const DEFAULT_PORT = 6379;

/**
 * The settings that keep the client from doing anything by itself: no reconnect, no queue of its own, and above all no
 * resending after a reconnect, which would apply commands twice. `Calls` retries, knowing what may be repeated.
 */
const QUIET: ClientOptions = {
  lazyConnect: true,
  // elastickv refuses the newer protocol.
  protocol: 2,
  replyMapping: "legacy",
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableOfflineQueue: false,
  // LOADING is an answer like any other, which `Calls` waits out.
  enableReadyCheck: false,
  disableClientInfo: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SILENCE_MS,
};

/** @throws RestoreError CONFIG_INVALID for a URL that is none, or of a kind that is not supported */
export function parseRedisUrl(text: string): RedisAddress {
  if (!URL.canParse(text)) throw invalid("the Redis URL cannot be read");
  const url = new URL(text);
  switch (url.protocol) {
    case "redis:":
    case "rediss:":
      return networkAddress(url);
    case "unix:":
    case "redis+unix:":
      return socketAddress(url);
    case "redis+cluster:":
    case "rediss+cluster:":
      throw invalid("Redis Cluster is not supported as a target");
    default:
      throw invalid("the Redis URL is of no kind that is known");
  }
}

function networkAddress(url: URL): RedisAddress {
  if (url.hostname === "") throw invalid("the Redis URL names no host");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  // A server name is a name: TLS has none for addresses.
  const tls = url.protocol === "rediss:" ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {};
  return {
    label: `${url.protocol}//${url.hostname}:${port}`,
    options: { ...QUIET, ...credentials(url), host, port, ...tls },
  };
}

function socketAddress(url: URL): RedisAddress {
  const path = decode(url.pathname);
  if (url.hostname !== "" || path === "" || path === "/") throw invalid("the Redis URL names no absolute socket path");
  return { label: `${url.protocol}//${path}`, options: { ...QUIET, ...credentials(url), path } };
}

function credentials(url: URL): Pick<RedisOptions, "username" | "password"> {
  return {
    ...(url.username === "" ? {} : { username: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("the Redis URL holds a malformed percent-escape");
  }
}

/** Never quotes the URL: it may hold a password. */
function invalid(message: string): RestoreError {
  return new RestoreError("CONFIG_INVALID", message, {
    hint: "Give --redis-url redis://[user:password@]host:port, rediss://… for TLS, or unix:///path/of/socket.",
  });
}
