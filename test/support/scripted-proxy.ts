/**
 * A proxy on the loopback in front of a server that speaks the AWS JSON protocol. A script sees every request and lets
 * it pass, answers it itself, cuts the connection before the server sees it, or lets it be applied and loses the answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ProxiedRequest {
  /** `BatchWriteItem`, of `x-amz-target`. */
  readonly operation: string;
  readonly body: Buffer;
  /** How many requests of this operation came before it. */
  readonly before: number;
}

export type Verdict = "pass" | "cut" | "lose-answer" | { readonly status: number; readonly body: string };
export type Script = (request: ProxiedRequest) => Verdict | Promise<Verdict>;

export interface ScriptedProxy {
  readonly endpoint: string;
  readonly requests: readonly ProxiedRequest[];
  /** Takes the place of the script from the next request on. */
  follow(script: Script): void;
  stop(): Promise<void>;
}

export async function startScriptedProxy(target: string): Promise<ScriptedProxy> {
  const requests: ProxiedRequest[] = [];
  let script: Script = () => "pass";
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    const before = requests.filter((earlier) => earlier.operation === operation).length;
    const proxied = { operation, body: Buffer.concat(chunks), before };
    requests.push(proxied);
    const verdict = await script(proxied);
    if (verdict === "cut") response.destroy();
    else if (verdict === "pass" || verdict === "lose-answer") {
      const answer = await forward(target, request, proxied.body);
      if (verdict === "lose-answer") response.destroy();
      else response.writeHead(answer.status, answer.headers).end(answer.body);
    } else response.writeHead(verdict.status, { "content-type": "application/x-amz-json-1.0" }).end(verdict.body);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    follow: (next) => {
      script = next;
      requests.length = 0;
    },
    stop: () => stop(server),
  };
}

async function forward(target: string, request: IncomingMessage, body: Buffer) {
  const headers = new Headers();
  for (const name of ["content-type", "x-amz-target", "authorization", "x-amz-date"]) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const answer = await fetch(target, { method: "POST", headers, body: new Uint8Array(body) });
  const kept = ["content-type", "x-amzn-requestid", "server"].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(kept),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
