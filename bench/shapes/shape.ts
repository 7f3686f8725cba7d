/** A kind of dump together with its target: how it is made, where it goes, and how one sees that it came there. */
import type { RunningServer } from "../../testcontainers/server.js";
import type { BigDump } from "../big-dump.js";
import type { Generated } from "../scenario.js";

export type Adapter = "dynamodb" | "s3" | "redis" | "sqs";

export interface Expected {
  readonly size: number;
  readonly generated: Generated;
  /** What the tool that wrote the target is known to leave behind. */
  readonly without?: "metadata";
}

export interface Shape {
  readonly adapter: Adapter;
  /** Starts a server that holds nothing. Throws where it cannot be had. */
  start(): Promise<RunningServer>;
  /** Whether that server is slow until it has worked for a while. */
  readonly warmsUp?: boolean;
  /** Takes everything out of it. Without this it is started anew instead. */
  empty?(server: RunningServer): Promise<void>;
  /** Writes the files; the same bytes for the same size. Holds no more than a block of them. */
  generate(dump: BigDump, size: number): Promise<Generated>;
  /** Asks the server itself, without the tool's code, and says in a sentence each what is not as it should be. */
  check(server: RunningServer, expected: Expected): Promise<string[]>;
}

export function wrong<T>(what: string, found: T, wanted: T): string[] {
  return found === wanted ? [] : [`${what}: ${String(found)} instead of ${String(wanted)}`];
}

/** A word of so many letters that differs from index to index and does not compress to nothing. */
export function filler(index: number, length: number): string {
  let text = "";
  for (let word = index + 1; text.length < length; word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0) {
    text += word.toString(36);
  }
  return text.slice(0, length);
}
