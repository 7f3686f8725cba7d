/** What a fault proxy may do to one request, in words that both protocols share. */

export const CUTS = [
  /** The connection ends, the server sees nothing of the request. */
  "cut-before",
  /** The server gets the first half of the request, then both connections end. */
  "cut-within",
  /** The server gets the request; the connection to the client ends without waiting for an answer. */
  "cut-after",
  /** The server has answered; nothing of it reaches the client, whose connection ends. */
  "lose-reply",
  /** Half of the answer reaches the client, then the connection ends. */
  "cut-reply",
] as const;

/** Half-open connections: they stay, and nothing comes over them any more. */
export const HANGS = [
  /** The server never sees the request. */
  "hang-before",
  /** The server has done what was asked. */
  "hang-after",
] as const;

export type Cut = (typeof CUTS)[number];
export type Hang = (typeof HANGS)[number];

/** The answer is held back, or comes byte by byte. */
export type Slowness = { readonly delayMs: number } | { readonly byteEveryMs: number };

export type Fault = "pass" | Cut | Hang | Slowness;

export function isSlowness(fault: unknown): fault is Slowness {
  return typeof fault === "object" && fault !== null && ("delayMs" in fault || "byteEveryMs" in fault);
}

export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
}
