/** An interruption by a signal of the system, as the reason of an AbortSignal: it keeps the exit status that the signal asks for. */
import { EXIT } from "./codes.js";

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
