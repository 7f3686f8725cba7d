/** Where the daemon listens: limits of time and size for what has not become a request yet, and connections to their end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import type { Clock } from "../../support/clock.js";
import { FAULTS, type FaultCode } from "../fault.js";
import { newRequestId, noteArrival, type Way } from "./arrivals.js";
import { SECURITY_HEADERS, TRANSPORT_HEADER } from "./headers.js";
import { listenOnSocket } from "./unix-socket.js";

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export interface Listener {
  /** `http://127.0.0.1:7070`, `unix:/run/…/daemon.sock`. */
  readonly url: string;
  /** Takes no more; resolves once every connection has ended, cutting those that have not after `withinMs`. */
  close(withinMs: number): Promise<void>;
}

export interface TcpInit {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  readonly hosts: readonly string[];
}

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  // An answer of our own says so.
  requireHostHeader: false,
} as const;
const TLS = { minVersion: "TLSv1.2", handshakeTimeout: 10_000 } as const;
const MOST_CONNECTIONS = 2_000;
/** Of a connection on which nothing moves in either direction: live events have heartbeats. */
const SILENCE_MS = 120_000;

/** @throws RestoreError CONFIG_INVALID */
export async function listenOnUnix(path: string, handle: Handle, clock: Clock): Promise<Listener> {
  const server = prepared(createServer(LIMITS), { kind: "socket", path }, handle);
  const remove = await listenOnSocket(server, path);
  return {
    url: `unix:${path}`,
    close: async (withinMs) => {
      await remove();
      await closed(server, withinMs, clock);
    },
  };
}

/** @throws RestoreError CONFIG_INVALID */
export async function listenOnTcp(
  { host, port, tls, hosts }: TcpInit,
  handle: Handle,
  clock: Clock,
): Promise<Listener> {
  const isTls = tls !== undefined;
  const plain = isTls ? createTlsServer({ ...LIMITS, ...tls, ...TLS }) : createServer(LIMITS);
  const server = prepared(plain, { kind: "tcp", isTls, hosts }, handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(host, port, error)));
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  const name = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${isTls ? "https" : "http"}://${name}:${bound}`,
    close: (withinMs) => closed(server, withinMs, clock),
  };
}

function cannotListen(host: string, port: number, error: unknown): RestoreError {
  const why = systemCode(error) === "EADDRINUSE" ? "another process listens there" : messageOf(error);
  return new RestoreError("CONFIG_INVALID", `cannot listen on ${host}, port ${port}: ${why}`, {
    hint: "Name another address or port under `daemon.listen`, or end what listens there.",
    where: { endpoint: `${host}:${port}` },
  });
}

function prepared(server: Server, way: Way, handle: Handle): Server {
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENCE_MS);
  const isTls = way.kind === "tcp" && way.isTls;
  server.on("request", (request, response) => {
    const { requestId } = noteArrival(request, way);
    for (const [name, value] of Object.entries(headersFor(requestId, isTls))) response.setHeader(name, value);
    handle(request, response);
  });
  server.on("clientError", (error, socket) => refuse(error, socket, isTls));
  // A connection that the system did not let it take, while it has no descriptors: the next ones it may.
  server.on("error", () => undefined);
  return server;
}

function headersFor(requestId: string, isTls: boolean): Readonly<Record<string, string>> {
  return { ...SECURITY_HEADERS, ...(isTls ? TRANSPORT_HEADER : {}), "x-request-id": requestId };
}

const UNREADABLE: Readonly<Record<string, readonly [code: FaultCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["HEADERS_TOO_LARGE", `the request's headers are over ${LIMITS.maxHeaderSize} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ["REQUEST_TIMEOUT", "the request did not arrive in time"],
};

/** What came is no request that anything could answer. */
function refuse(error: Error, socket: Duplex, isTls: boolean): void {
  const code = systemCode(error) ?? "";
  if (!socket.writable || code === "ECONNRESET" || hasAnswered(socket)) {
    socket.destroy();
    return;
  }
  const [fault, message] =
    UNREADABLE[code] ?? (["BAD_REQUEST", "the request is not HTTP as it is taken here"] as const);
  const body = JSON.stringify({ error: { code: fault, message } });
  const headers = {
    ...headersFor(newRequestId(), isTls),
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const status = FAULTS[fault];
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`, () => socket.destroy());
}

/** An answer that has begun on the connection would be spoilt. */
function hasAnswered(socket: Duplex): boolean {
  const { _httpMessage: message } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  return message?.headersSent === true;
}

const LOOK_AGAIN_MS = 50;

async function closed(server: Server, withinMs: number, clock: Clock): Promise<void> {
  let isClosed = false;
  const ended = new Promise<void>((resolve) => server.close(() => resolve())).then(() => {
    isClosed = true;
  });
  const deadline = clock.monotonic() + withinMs;
  // A connection that is kept alive becomes idle at some moment, of which nothing tells.
  while (!isClosed && clock.monotonic() < deadline) {
    server.closeIdleConnections();
    await Promise.race([ended, clock.sleep(LOOK_AGAIN_MS)]);
  }
  server.closeAllConnections();
  await ended;
}
