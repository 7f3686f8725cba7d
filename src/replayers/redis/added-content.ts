/** What collections and the members of a HyperLogLog have in common: a key, and a command that adds to it. */

import type { Packed } from "../../model/record.js";
import type { Command } from "./connection.js";
import { argumentsIn } from "./resp.js";

export type AddCommand = "HSET" | "RPUSH" | "SADD" | "ZADD";

/** A record as the arguments of the command that adds to it, in chunks of at most about 2,000. */
export interface AddedContent {
  readonly record: { readonly key: Buffer; readonly expireAtMs?: bigint; readonly announcedAt?: number };
  readonly kind: string;
  readonly command: AddCommand | "PFADD";
  /** How many elements the key has in the end; absent where a key does not know. */
  readonly elements?: number;
  chunks(): AsyncIterable<readonly Buffer[]>;
  /** The same in larger chunks, where the reader has them. */
  readonly packedChunks?: () => AsyncIterable<Packed>;
}

/** How many elements RPUSH adds. */
export function elementsOf(command: Command): number {
  return argumentsIn(command) - 1;
}
