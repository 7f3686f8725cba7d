/**
 * One POST request: to the address that is given and no other. It follows no redirect, asks no proxy, and keeps no
 * connection.
 */
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

const MOST_DRAINED = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly retryAfter?: string;
}

/** Rejects where no answer came, or when aborted. An answer's body is not looked at. */
export async function post(
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly signal: AbortSignal },
): Promise<Answer> {
  const { headers, signal } = init;
  const body = Buffer.from(init.body);
  const send = url.startsWith("https:") ? requestHttps : requestHttp;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, {
      method: "POST",
      // Neither the process's own agent, which the environment can give a proxy, nor a connection that is kept.
      agent: false,
      headers: { ...headers, "Content-Length": String(body.length) },
      signal,
    });
    request.once("response", resolve);
    request.on("error", reject);
    // Behind an answer or an error it changes nothing.
    request.once("close", () => reject(new Error("the connection was closed without an answer")));
    request.end(body);
  });
  await drain(response);
  const retryAfter = response.headers["retry-after"];
  return { status: response.statusCode ?? 0, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** The status is known: whatever goes wrong from now on is no failure. */
async function drain(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_DRAINED) break;
    }
  } catch {
    response.destroy();
  }
}
