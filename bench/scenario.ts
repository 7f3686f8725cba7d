/** The words of this folder: what a measurement is made of, and what it ends with. Types alone. */
import type { RunningServer } from "../testcontainers/server.js";
import type { BigDump } from "./big-dump.js";

/** What a generator put into its dump, for the check that follows. */
export interface Generated {
  /** How many records the tool should restore. */
  readonly records: number;
  /** SHA-256 of the one body, where there is one. */
  readonly digest?: string;
}

export interface Scenario {
  /** `group/what`, as the command line takes it. */
  readonly name: string;
  /** What is restored, for the table: `list of {size} elements`. */
  readonly title: string;
  readonly adapter: "dynamodb" | "s3" | "redis" | "sqs";
  /** The full size, in the scenario's own unit. */
  readonly size: number;
  /** What the tool may hold at most, all its processes together. */
  readonly limitBytes: number;
  /** Starts a server that holds nothing. */
  start(): Promise<RunningServer>;
  /** Writes the scenario's files; the same bytes for the same size. Holds no more than a block of them. */
  generate(dump: BigDump, size: number): Promise<Generated>;
  /** Asks the server itself, without the tool's code, and says in a sentence each what is not as it should be. */
  check(server: RunningServer, size: number, generated: Generated): Promise<string[]>;
}

export interface Measurement {
  readonly scenario: string;
  readonly title: string;
  readonly size: number;
  readonly dumpBytes: number;
  readonly records: number;
  readonly server: string;
  readonly peakBytes: number;
  readonly limitBytes: number;
  readonly seconds: number;
  /** Empty: the run ended well, within its limit, and the target holds what it should. */
  readonly faults: readonly string[];
}
