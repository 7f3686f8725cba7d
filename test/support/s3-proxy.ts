/**
 * The HTTP proxy in the words of S3. Besides what the proxy does, the server's name can be kept back, as most reverse
 * proxies do.
 */
import type { IncomingMessage } from "node:http";

import { type HttpAnswer, type HttpRequest, type HttpVerdict, startHttpProxy } from "./faults/http-proxy.js";

export interface S3Request {
  /** `PUT /bucket/key?partNumber=1`, without the SDK's `x-id`. */
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
}

/** `cut`: the server never sees the request. */
export type S3Verdict = "pass" | "lose-answer" | "cut" | S3Answer;

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
  /** Resolves when no request is on its way to the server. */
  quiet(): Promise<void>;
  /** Whether answers name the server. */
  namesServer: boolean;
  stop(): Promise<void>;
}

export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const http = await startHttpProxy(target);
  const lines: string[] = [];
  const proxy: S3Proxy = {
    endpoint: http.endpoint,
    lines,
    namesServer: true,
    quiet: () => http.quiet(),
    follow: (script) => {
      lines.length = 0;
      http.follow(async (request) => {
        lines.push(request.line);
        return verdictOf(await script(request), request, proxy);
      });
    },
    stop: () => http.stop(),
  };
  proxy.follow(() => "pass");
  return proxy;
}

function verdictOf(verdict: S3Verdict, { body }: HttpRequest, { namesServer }: S3Proxy): HttpVerdict {
  if (verdict === "cut") return "cut-before";
  if (verdict === "lose-answer") return "lose-reply";
  if (verdict === "pass") return namesServer ? verdict : { body, alter: withoutServer };
  const { status, code = "", message = "scripted", headers = {} } = verdict;
  const error = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return {
    answer: { status, headers: { "content-type": "application/xml", ...headers }, body: verdict.body ?? error },
  };
}

function withoutServer(answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, server: undefined } };
}
