/**
 * One request to a daemon, over its socket or TCP. What keeps it from being answered is an error in words; nothing is
 * asked again here.
 */
import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { tlsFault } from "../../support/tls-fault.js";
import type { Server } from "./server.js";

export interface Asked {
  readonly method: "GET" | "PATCH" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Silence after which the connection counts as lost, in milliseconds. */
  readonly silenceMs: number;
  readonly signal?: AbortSignal;
}

/** Why no answer came: the connection broke when the request may have arrived. */
export const LOST = "lost";

const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ENOTSOCK"]);
/** Nothing that waiting would change. */
const LASTING: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENOTFOUND", "ENAMETOOLONG", "EINVAL"]);

/** The answer, its body unread. @throws RestoreError CONNECTION; the signal's reason */
export async function exchange(server: Server, asked: Asked): Promise<IncomingMessage> {
  const { method, path, body, headers, silenceMs, signal } = asked;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options: RequestOptions = {
    ...placeOf(server),
    agent: false,
    method,
    path,
    timeout: silenceMs,
    headers: {
      accept: "application/json, text/event-stream",
      ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      ...(server.token === undefined ? {} : { authorization: `Bearer ${server.token}` }),
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
  };
  return await new Promise((resolve, reject) => {
    const isTls = server.at.kind === "tcp" && server.at.url.protocol === "https:";
    const sent = (isTls ? tlsRequest : plainRequest)(options, resolve);
    sent.on("timeout", () => sent.destroy(new Error(`nothing came for ${Math.round(silenceMs / 1000)} s`)));
    sent.on("error", (error) => reject(signal?.aborted === true ? signal.reason : unanswered(error, server)));
    sent.end(text);
  });
}

function placeOf({ at, ca }: Server): RequestOptions & { readonly ca?: string } {
  if (at.kind === "socket") return { socketPath: at.path };
  const { hostname, port, protocol } = at.url;
  return {
    host: hostname.replaceAll(/[[\]]/g, ""),
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** What a broken connection means; also one that breaks within its answer. */
export function unanswered(error: unknown, { at, name }: Pick<Server, "at" | "name">): RestoreError {
  const code = systemCode(error) ?? "";
  const init = { cause: error, where: { endpoint: name } };
  if (NOBODY.has(code)) {
    return new RestoreError("CONNECTION", `no daemon answers at ${name}`, {
      ...init,
      hint: "Start one there with `elastickv-restore serve`, or name where one listens with --server.",
      retry: "yes",
    });
  }
  if (at.kind === "socket" && (code === "EACCES" || code === "EPERM")) {
    return new RestoreError("CONNECTION", `this user may not open the daemon's socket ${name}`, {
      ...init,
      hint: "It is open to whoever runs the daemon; others take its address on TCP, with a token.",
    });
  }
  const tls = tlsFault(code, { plain: "http://", authorities: "--server-ca FILE" });
  if (tls !== undefined) {
    return new RestoreError("CONNECTION", `the daemon at ${name} cannot be trusted: ${tls.why}`, {
      ...init,
      hint: tls.hint,
    });
  }
  return new RestoreError("CONNECTION", `the connection to the daemon at ${name} broke: ${messageOf(error)}`, {
    ...init,
    hint: "Check the address and the network between.",
    retry: LASTING.has(code) ? "no" : "yes",
    reason: LOST,
  });
}
