/**
 * A proxy on the loopback in front of an HTTP server. A script sees every request, whole, and says what becomes of it.
 * Signatures stay valid, for hosts and headers go through as they are; a body that the script changes breaks them.
 *
 * Requests are kept in memory one at a time; it is no proxy for large bodies.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { type Fault, isSlowness, pause, type Slowness } from "./fault.js";

export interface HttpRequest {
  /** How many came before it since the script was set. */
  readonly index: number;
  /** `PUT /bucket/key?partNumber=1`, without the SDK's `x-id`. */
  readonly line: string;
  /** `BatchWriteItem`, of `x-amz-target`; empty where there is none. */
  readonly operation: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Buffer;
}

/** `answer`: the server sees nothing. `body`: goes on in place of the request's own, and `answer` alters what comes back. */
export type HttpVerdict =
  | Fault
  | { readonly answer: HttpAnswer }
  | { readonly body: Buffer; readonly alter: (answer: HttpAnswer) => HttpAnswer };

export type HttpScript = (request: HttpRequest) => HttpVerdict | Promise<HttpVerdict>;

export interface HttpProxy {
  readonly endpoint: string;
  /** Those that came since the script was set. */
  readonly requests: readonly HttpRequest[];
  /** Takes the place of the script from the next request on. */
  follow(script: HttpScript): void;
  /** Resolves when no request is on its way to the server. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const upstream = new Upstream(target);
  const requests: HttpRequest[] = [];
  let script: HttpScript = () => "pass";
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const seen = { ...describe(request), index: requests.length, body };
    requests.push(seen);
    await act(upstream, { request, response, body }, await script(seen));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    follow: (next) => {
      script = next;
      requests.length = 0;
    },
    quiet: () => upstream.quiet(),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describe({ method = "", url = "", headers }: IncomingMessage) {
  const target = headers["x-amz-target"];
  return {
    line: `${method} ${url.replace(/[?&]x-id=\w+$/, "")}`,
    operation: typeof target === "string" ? (target.split(".").at(-1) ?? "") : "",
    headers,
  };
}

async function act(upstream: Upstream, exchange: Exchange, verdict: HttpVerdict): Promise<void> {
  const { response } = exchange;
  if (isSlowness(verdict)) return await sendSlowly(response, await upstream.ask(exchange), verdict);
  if (typeof verdict === "object") {
    if ("answer" in verdict) return send(response, verdict.answer);
    return send(response, verdict.alter(await upstream.ask(exchange, verdict.body)));
  }
  switch (verdict) {
    case "pass":
      return send(response, await upstream.ask(exchange));
    case "cut-before":
      return void response.destroy();
    case "cut-within":
      await upstream.sendHalf(exchange);
      return void response.destroy();
    case "cut-after": {
      const answer = upstream.ask(exchange, exchange.body, () => response.destroy());
      return void (await answer);
    }
    case "lose-reply":
      await upstream.ask(exchange);
      return void response.destroy();
    case "cut-reply":
      return sendHalf(response, await upstream.ask(exchange));
    case "hang-before":
      return;
    case "hang-after":
      return void (await upstream.ask(exchange));
  }
}

/** The server behind the proxy. */
class Upstream {
  readonly #hostname: string;
  readonly #port: number;
  readonly #onTheirWay = new Set<Promise<unknown>>();

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#hostname = hostname;
    this.#port = Number(port);
  }

  async quiet(): Promise<void> {
    while (this.#onTheirWay.size > 0) await Promise.allSettled(this.#onTheirWay);
  }

  async ask(exchange: Exchange, body = exchange.body, onceSent: () => void = () => undefined): Promise<HttpAnswer> {
    const way = this.#ask(exchange, body, onceSent);
    this.#onTheirWay.add(way);
    return await way.finally(() => this.#onTheirWay.delete(way));
  }

  async #ask({ request, body: own }: Exchange, body: Buffer, onceSent: () => void): Promise<HttpAnswer> {
    const { method, url, headers } = request;
    const fitting = body === own ? headers : { ...headers, "content-length": String(body.length) };
    return await new Promise((resolve, reject) => {
      const init = { hostname: this.#hostname, port: this.#port, method, path: url, headers: fitting };
      const onward = httpRequest(init, (answer) => {
        collected(answer).then(
          (whole) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: whole }),
          reject,
        );
      });
      onward.on("error", reject);
      onward.end(body, onceSent);
    });
  }

  /** Of the whole request, head and body. Resolves once the connection has ended. */
  async sendHalf({ request, body }: Exchange): Promise<void> {
    const head = [`${request.method ?? ""} ${request.url ?? ""} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      head.push(`${request.rawHeaders[at] ?? ""}: ${request.rawHeaders[at + 1] ?? ""}`);
    }
    const bytes = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
    const socket = connect(this.#port, this.#hostname);
    await new Promise<void>((resolve) => {
      socket.on("error", () => resolve());
      socket.end(bytes.subarray(0, bytes.length / 2), () => resolve());
    });
    socket.destroy();
  }
}

async function collected(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  const { status, body } = answer;
  const headers = withoutFraming(answer);
  // An answer to a HEAD keeps the length of what it does not hold.
  if (body.length > 0) headers["content-length"] = String(Buffer.byteLength(body));
  response.writeHead(status, headers).end(body);
}

function withoutFraming({ headers = {} }: HttpAnswer): Record<string, string | string[]> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || /^(?:transfer-encoding|connection|keep-alive)$/i.test(name)
      ? []
      : [[name, typeof value === "string" ? value : [...value]] as const],
  );
  return Object.fromEntries(kept);
}

function onWire(answer: HttpAnswer): Buffer {
  const { "content-length": told, ...headers } = withoutFraming(answer);
  const length = answer.body.length > 0 ? Buffer.byteLength(answer.body) : (told ?? 0);
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  const head = [
    `HTTP/1.1 ${answer.status} -`,
    ...lines,
    `content-length: ${String(length)}`,
    "connection: close",
    "",
    "",
  ];
  return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), Buffer.from(answer.body)]);
}

function sendHalf(response: ServerResponse, answer: HttpAnswer): void {
  const bytes = onWire(answer);
  response.socket?.end(bytes.subarray(0, bytes.length / 2), () => response.destroy());
}

async function sendSlowly(response: ServerResponse, answer: HttpAnswer, slowness: Slowness): Promise<void> {
  if ("delayMs" in slowness) {
    await pause(slowness.delayMs);
    return send(response, answer);
  }
  const { socket } = response;
  for (const byte of onWire(answer)) {
    if (socket?.writable !== true) return;
    socket.write(Buffer.of(byte));
    await pause(slowness.byteEveryMs);
  }
  socket?.end();
}
