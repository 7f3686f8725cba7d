/** What a command may touch of the process that runs it. Tests hand in their own. */
import type { Readable, Writable } from "node:stream";

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Absent: nobody can be asked. */
  readonly stdin?: Readable;
  /** Whether a person sits before standard input and standard error. */
  readonly isTty?: boolean;
  /** Aborted by the first interruption. */
  readonly signal?: AbortSignal;
}
