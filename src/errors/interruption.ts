/** Interruptions: the error that ends a run, and the system's signal behind it. */
import { EXIT } from "./codes.js";
import { RestoreError } from "./restore-error.js";

/** What ends work that is told to stop. */
export function interrupted(cause?: unknown): RestoreError {
  return new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal", cause });
}

/** By a signal of the system, as the reason of an AbortSignal: it keeps the exit status that the signal asks for. */

export class Interruption extends DOMException {
  readonly exitStatus: number;

  constructor(exitStatus: number) {
    // Libraries that look at names see what they see for any aborted signal.
    super("interrupted", "AbortError");
    this.exitStatus = exitStatus;
  }
}

/** The exit status of what was interrupted by the signal. */
export function interruptionStatus(signal: AbortSignal | undefined): number {
  const reason: unknown = signal?.reason;
  return reason instanceof Interruption ? reason.exitStatus : EXIT.interrupted;
}
