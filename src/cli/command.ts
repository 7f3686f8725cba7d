/** What a command is: help and options as data, and a handler that answers with an exit status. */
import type { Options } from "yargs";
import type { Io } from "./io.js";

export interface Command<A = never> {
  /** `apply <dump>`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Options>>;
  /** Positional arguments: name and help. */
  readonly positionals: Readonly<Record<string, string>>;
  readonly examples: readonly (readonly [line: string, does: string])[];
  /**
   * `words`: what was typed behind the command's name.
   * @throws RestoreError what `main` turns into a message and an exit status
   */
  run(args: A, io: Io, words: readonly string[]): Promise<number>;
}

export const DUMP_POSITIONAL = { dump: "the dump's directory" };
