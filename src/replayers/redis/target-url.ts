/**
 * Reads `--redis-url`: `redis://`, `rediss://` (TLS), `redis+cluster://` and `rediss+cluster://` (some of the cluster's
 * nodes, `host:port,host:port`), `unix:///path` and `redis+unix:///path`, with user and password. The database number in
 * it is the caller's business.
 */
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import type { RedisOptions } from "ioredis";

import { RestoreError } from "../../errors/restore-error.js";

export type ClientOptions = RedisOptions & {
  readonly replyMapping: "legacy";
  /** Silence while an answer is due after which a connection counts as lost. */
  readonly socketTimeout: number;
};

/** What the URL does not carry. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  /** PEM texts. `ca`: the only authorities trusted, in place of Node's own; `cert` and `key`: this client's. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface RedisAddress {
  /** Without user and password. */
  readonly label: string;
  /** The URL says that it is a cluster. */
  readonly cluster: boolean;
  /** `host:port` of the nodes that the URL names; none where it names a socket. */
  readonly seeds: readonly string[];
  /** For the first of them. */
  readonly options: ClientOptions;
}

const CONNECT_TIMEOUT_MS = 10_000;
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

/**
 * `silenceMs`: silence while an answer is due after which a connection counts as lost.
 * @throws RestoreError CONFIG_INVALID for a URL that is none, or of a kind that is not supported
 */
export function parseRedisUrl(text: string, access: RedisAccess = {}, silenceMs = SILENCE_MS): RedisAddress {
  const address = readRedisUrl(text, access);
  return { ...address, options: { ...address.options, socketTimeout: silenceMs } };
}

function readRedisUrl(text: string, access: RedisAccess): RedisAddress {
  const { first, others } = splitSeeds(text);
  if (!URL.canParse(first)) throw invalid("the Redis URL cannot be read");
  const url = new URL(first);
  assertTlsUsable(url, access);
  switch (url.protocol) {
    case "redis:":
    case "rediss:":
      return networkAddress(url, access);
    case "unix:":
    case "redis+unix:":
      return socketAddress(url, access);
    case "redis+cluster:":
    case "rediss+cluster:":
      return clusterAddress(url, others, access);
    default:
      throw invalid("the Redis URL is of no kind that is known");
  }
}

/** The URL with the first of its hosts alone, which any reader of URLs can read, and the other hosts. */
export function splitSeeds(text: string): { readonly first: string; readonly others: readonly string[] } {
  const [, begin, hosts = "", end = ""] = /^(rediss?\+cluster:\/\/(?:[^/?#]*@)?)([^/?#@]*)(.*)$/is.exec(text) ?? [];
  if (begin === undefined) return { first: text, others: [] };
  const [first = "", ...others] = hosts.split(",");
  return { first: `${begin}${first}${end}`, others };
}

/** The same quiet settings for another node. */
export function nodeOptions(
  options: ClientOptions,
  node: { readonly host: string; readonly port: number },
): ClientOptions {
  const { tls } = options;
  return { ...options, ...node, ...(tls === undefined ? {} : { tls: { ...tls, servername: serverName(node.host) } }) };
}

/** A server name is a name: TLS has none for addresses. */
function serverName(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}

function clusterAddress(url: URL, others: readonly string[], access: RedisAccess): RedisAddress {
  const scheme = url.protocol.replace("+cluster", "");
  const plain = (host: string): URL => {
    if (!URL.canParse(`${scheme}//${host}`)) throw invalid("the Redis URL names a host that cannot be read");
    return new URL(`${scheme}//${host}`);
  };
  const first = networkAddress(new URL(url.href.replace(url.protocol, scheme)), access);
  const seeds = [...first.seeds, ...others.flatMap((host) => networkAddress(plain(host), {}).seeds)];
  return { ...first, cluster: true, seeds, label: `${url.protocol}//${seeds.join(",")}` };
}

/** A file that is no certificate would show as a connection that fails for no reason. */
function assertTlsUsable({ protocol }: URL, { tls }: RedisAccess): void {
  if (tls === undefined) return;
  if (!protocol.startsWith("rediss")) throw invalid("TLS settings need a rediss:// URL");
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new RestoreError("CONFIG_INVALID", "the TLS files of the Redis target hold no fitting certificates and key", {
      hint: "ca, cert and key each name a PEM file; the key is the certificate's own and has no passphrase.",
      cause,
    });
  }
}

function networkAddress(url: URL, access: RedisAccess): RedisAddress {
  if (url.hostname === "") throw invalid("the Redis URL names no host");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const name = serverName(host);
  const servername = name === undefined ? {} : { servername: name };
  const tls = url.protocol === "rediss:" ? { tls: { ...servername, ...access.tls } } : {};
  return {
    label: `${url.protocol}//${url.hostname}:${port}`,
    cluster: false,
    seeds: [`${url.hostname}:${port}`],
    options: { ...QUIET, ...credentials(url, access), host, port, ...tls },
  };
}

function socketAddress(url: URL, access: RedisAccess): RedisAddress {
  const path = decode(url.pathname);
  if (url.hostname !== "" || !path.startsWith("/") || path === "/")
    throw invalid("the Redis URL names no absolute socket path");
  return {
    label: `${url.protocol}//${path}`,
    cluster: false,
    seeds: [],
    options: { ...QUIET, ...credentials(url, access), path },
  };
}

/** The URL's own go before others. */
function credentials(url: URL, access: RedisAccess): Pick<RedisOptions, "username" | "password"> {
  const username = url.username === "" ? access.username : decode(url.username);
  const password = url.password === "" ? access.password : decode(url.password);
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
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
    hint: "Give --redis-url redis://[user:password@]host:port, rediss://… for TLS, redis+cluster://host:port,host:port, or unix:///path/of/socket.",
  });
}
