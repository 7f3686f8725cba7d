/** The HTTP proxy in the words of the AWS JSON protocol: a script tells requests by their operation. */
import { type HttpVerdict, startHttpProxy } from "./faults/http-proxy.js";

export interface ProxiedRequest {
  /** `BatchWriteItem`, of `x-amz-target`. */
  readonly operation: string;
  readonly body: Buffer;
  /** How many requests of this operation came before it. */
  readonly before: number;
}

/** `cut`: the server never sees the request. `lose-answer`: it has done what was asked. */
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
  const proxy = await startHttpProxy(target);
  const requests: ProxiedRequest[] = [];
  const follow = (script: Script): void => {
    requests.length = 0;
    proxy.follow(async ({ operation, body }) => {
      const before = requests.filter((earlier) => earlier.operation === operation).length;
      const request = { operation, body, before };
      requests.push(request);
      return verdictOf(await script(request));
    });
  };
  follow(() => "pass");
  return { endpoint: proxy.endpoint, requests, follow, stop: () => proxy.stop() };
}

function verdictOf(verdict: Verdict): HttpVerdict {
  if (verdict === "cut") return "cut-before";
  if (verdict === "lose-answer") return "lose-reply";
  if (verdict === "pass") return verdict;
  return { answer: { ...verdict, headers: { "content-type": "application/x-amz-json-1.0" } } };
}
