/** The daemon's web server over jobs that do nothing, on sockets of its own, and a client that can misbehave. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { TcpInit } from "../../src/daemon/http/listeners.js";
import { type HttpInit, startHttp } from "../../src/daemon/http/server.js";
import { digestOf } from "../../src/daemon/http/tokens.js";
import { createLog } from "../../src/daemon/log.js";
import type { Role } from "../../src/daemon/settings.js";
import { systemClock } from "../../src/support/clock.js";
import { type FakeJobs, fakeJobs, fakeSchedules } from "./fake-jobs.js";
import { type OpenApiDocument, type Published, published } from "./published.js";

export const TOKENS = {
  read: "token-that-may-read",
  restore: "token-that-may-restore",
  destroy: "token-that-may-destroy",
} as const satisfies Record<Role, string>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON of it is sent; a string is sent as it is. */
  readonly body?: unknown;
  readonly token?: string;
}

export interface HttpDaemon {
  readonly jobs: FakeJobs;
  readonly folder: string;
  readonly socketPath: string;
  /** Of the TCP listener. */
  readonly url: URL;
  /** Every line of the log so far. */
  readonly log: () => string;
  readonly published: Published;
  /** Over TCP. @throws where the answer is not as the OpenAPI document has it */
  ask(path: string, asking?: Asking): Promise<Answer>;
  askSocket(path: string, asking?: Asking): Promise<Answer>;
  /** The answer as it arrives. */
  open(path: string, asking?: Asking): Promise<IncomingMessage>;
  /** Sends the text over a connection of its own and returns everything that comes back. */
  raw(text: string): Promise<string>;
  stop(withinMs?: number): Promise<void>;
}

/** `isOpen: false`: jobs are not taken up yet. */
export async function startHttpDaemon(
  { isOpen = true, ...more }: Partial<HttpInit> & { readonly isOpen?: boolean } = {},
  tcp: Partial<TcpInit> = {},
): Promise<HttpDaemon> {
  const folder = await mkdtemp(join(tmpdir(), "ek-http-"));
  const pageFolder = join(folder, "page");
  await mkdir(pageFolder);
  await writeFile(join(pageFolder, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(pageFolder, "app.js"), "export {};");
  const jobs = fakeJobs();
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const socketPath = join(folder, "d.sock");
  const tokens = Object.entries(TOKENS).map(([role, value]) => ({
    name: `${role}er`,
    role: role as Role,
    digest: digestOf(value),
  }));
  const server = await startHttp({
    checked: {
      tokens,
      roots: { backups: folder },
      assertions: {},
      secrets: {},
      socket: socketPath,
      tcp: { host: "127.0.0.1", port: 0, hosts: ["restore.example"], ...tcp },
    },
    jobs,
    targets: [{ name: "staging", adapters: ["redis"] }],
    schedules: fakeSchedules(),
    obstacles: async () => [],
    clock: systemClock,
    log: createLog(stream, "debug"),
    version: "0.0.0",
    pageFolder,
    mostEventClients: 1000,
    ...more,
  });
  if (isOpen) server.open();
  const url = new URL(server.urls.find((each) => each.startsWith("http")) ?? "");
  const open = (path: string, asking: Asking = {}) => opened({ url, path, ...asking });
  const described = published((await read(await open("/openapi.json"))).json as OpenApiDocument);
  const checked = async (path: string, { method = "GET" }: Asking, message: IncomingMessage) => {
    const answer = await read(message);
    const { status, json, headers } = answer;
    described.assertDescribed({ method, url: path }, { status, json, type: headers["content-type"] ?? "" });
    return answer;
  };
  return {
    jobs,
    folder,
    socketPath,
    url,
    log: () => lines.join(""),
    open,
    published: described,
    ask: async (path, asking = {}) => await checked(path, asking, await open(path, asking)),
    askSocket: async (path, asking = {}) => await checked(path, asking, await opened({ socketPath, path, ...asking })),
    raw: (text) => exchanged(url, text),
    stop: async (withinMs = 0) => {
      await server.close(withinMs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Request extends Asking {
  readonly url?: URL;
  readonly socketPath?: string;
  readonly path: string;
}

async function opened({ url, socketPath, path, method = "GET", headers = {}, body, token }: Request) {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const request = url?.protocol === "https:" ? tlsRequest : httpRequest;
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      {
        ...(socketPath === undefined
          ? { host: url?.hostname.replaceAll(/[[\]]/g, ""), port: url?.port }
          : { socketPath }),
        rejectUnauthorized: false,
        agent: false,
        method,
        path,
        headers: {
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      resolve,
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

async function read(message: IncomingMessage): Promise<Answer> {
  let text = "";
  for await (const chunk of message.setEncoding("utf8")) text += chunk as string;
  const isJson = message.headers["content-type"]?.startsWith("application/json") === true;
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: message.statusCode ?? 0, headers: message.headers, text, json };
}

async function exchanged(url: URL, text: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    let came = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      came += chunk;
    });
    socket.on("error", reject).on("close", () => resolve(came));
    socket.write(text);
  });
}
