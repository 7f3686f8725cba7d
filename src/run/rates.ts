/** Rate limits as values. */
import type { Adapter } from "../model/scope.js";

/** Operations and payload bytes a second; absent: unlimited. */
export interface RateLimit {
  readonly opsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

export type RateLimits = { readonly all?: RateLimit } & { readonly [A in Adapter]?: RateLimit };
