/** The Redis proxy for commands that hold a text, whatever else the client sends. */
import { pause } from "./faults/fault.js";
import { type RedisRequest, type RedisVerdict, startRedisFaultProxy } from "./faults/redis-proxy.js";

export type Fault = "cut" | "lose-answer";

export interface RedisProxy {
  readonly url: string;
  /** Times that a fault was acted out. */
  readonly faults: number;
  /** The next `times` commands that hold `text` suffer `fault`. */
  order(text: string, fault: Fault, times?: number): void;
  /** The next command that holds `text` is cut off, and reaches the server just before one that holds `before`. */
  deliverLate(text: string, before: string): void;
  stop(): Promise<void>;
}

/** What a command comes to in one go on a line. */
const PACKET_BYTES = 65_536;
/** The server reads connections in turn. */
const HEAD_START_MS = 50;

export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const proxy = await startRedisFaultProxy(target);
  let faults = 0;
  return {
    url: proxy.endpoint,
    get faults() {
      return faults;
    },
    order: (text, fault, times = 1) => {
      let left = times;
      proxy.follow(({ bytes }) => {
        if (left === 0 || !bytes.includes(text)) return "pass";
        left--;
        faults++;
        return verdictOf(fault, bytes);
      });
    },
    deliverLate: (text, before) => {
      proxy.follow(late(text, before, () => faults++));
    },
    stop: () => proxy.stop(),
  };
}

function verdictOf(fault: Fault, bytes: Buffer): RedisVerdict {
  if (fault === "lose-answer") return "lose-reply";
  return bytes.length > PACKET_BYTES ? "cut-within" : "cut-before";
}

function late(text: string, before: string, onHeld: () => void) {
  let isHeld = false;
  let deliver: (() => void) | undefined;
  return async ({ bytes }: RedisRequest): Promise<RedisVerdict> => {
    if (!isHeld && bytes.includes(text)) {
      isHeld = true;
      onHeld();
      const keep = (later: () => void): void => {
        deliver = later;
      };
      return { hold: keep };
    }
    if (deliver !== undefined && bytes.includes(before)) {
      deliver();
      deliver = undefined;
      await pause(HEAD_START_MS);
    }
    return "pass";
  };
}
