/** What a command may touch of the process that runs it. Tests hand in their own. */
import type { Readable, Writable } from "node:stream";
import type { Supervisor } from "./supervised.js";

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Absent: nobody can be asked. */
  readonly stdin?: Readable;
  /** Whether a person sits before standard input and standard error. */
  readonly isTty?: boolean;
  readonly pid: number;
  /** Whether a process of this machine has the id. */
  readonly isAlive: (pid: number) => boolean;
  /** Whether the process runs this command alone, and SIGTERM lets it end in good order. */
  readonly isOwnProcess?: boolean;
  /** Asks a process of this machine to end, as SIGTERM does. Absent: nothing of the kind can be done. */
  readonly terminate?: (pid: number) => void;
  /** The folder from which relative paths count. */
  readonly cwd: string;
  /** Silence of a target after which a connection counts as lost, in milliseconds. Absent: the replayers' own. */
  readonly silenceMs?: number;
  /** The process that started this one, listens to it and steers it. */
  readonly supervisor?: Supervisor;
  /** How this program is begun again: the module that is the command line, and arguments of Node itself. */
  readonly program?: { readonly module: string; readonly nodeArguments: readonly string[] };
  /** Aborted by the first interruption. */
  readonly signal?: AbortSignal;
}
