/**
 * A proxy on the loopback in front of an S3 server. A script sees every request and lets it pass, answers it itself, or
 * lets it be applied and loses the answer. Signatures stay valid, for hosts and headers go through as they are. The server's
 * name can be kept back, as most reverse proxies do.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface S3Request {
  /** `PUT /bucket/key?partNumber=1`, without the SDK's `x-id`. */
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
}

export type S3Verdict = "pass" | "lose-answer" | S3Answer;

/** An error, unless there is a body. */
export interface S3Answer {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface S3Proxy {
  readonly endpoint: string;
  /** Request lines that came since the last `follow`. */
  readonly lines: string[];
  follow(script: (request: S3Request) => S3Verdict | Promise<S3Verdict>): void;
  /** Whether answers name the server. */
  namesServer: boolean;
  stop(): Promise<void>;
}

export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  let script: (request: S3Request) => S3Verdict | Promise<S3Verdict> = () => "pass";
  const lines: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const line = `${request.method ?? ""} ${(request.url ?? "").replace(/[?&]x-id=\w+$/, "")}`;
    lines.push(line);
    const verdict = await script({ line, headers: request.headers });
    if (typeof verdict === "object") {
      request.resume().once("end", () => {
        const { status, code = "", message = "scripted", headers = {} } = verdict;
        response.writeHead(status, { "content-type": "application/xml", ...headers });
        const error = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
        response.end(verdict.body ?? error);
      });
      return;
    }
    const { method, url, headers } = request;
    const onward = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
      if (verdict === "lose-answer") {
        answer.resume().once("end", () => response.destroy());
        return;
      }
      if (!proxy.namesServer) delete answer.headers["server"];
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.on("close", () => {
      if (!request.complete) onward.destroy();
    });
    request.pipe(onward);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines,
    namesServer: true,
    follow: (next) => {
      script = next;
      lines.length = 0;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
