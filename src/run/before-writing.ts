/** Asking targets before a run may write: an interruption waits for nobody, and what goes wrong is the target's unfitness. */
import type { ErrorCode } from "../errors/codes.js";
import { interrupted } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import type { Replayer } from "../replayers/replayer.js";

/**
 * The work, or INTERRUPTED as soon as the signal says so: whoever interrupts need not wait until a target that hangs has
 * answered. What is left behind ends with its connection. For work that writes nothing.
 */
export async function unlessInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  let stopListening = (): void => undefined;
  const interruption = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(interrupted());
    signal.addEventListener("abort", onAbort, { once: true });
    stopListening = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  return await Promise.race([work, interruption]).finally(stopListening);
}

/** In the middle of a run an outage that stops it, or one record's failure. */
const OF_THE_TARGET: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "OUTAGE",
  "CONNECTION",
  "THROTTLED",
  "CALL_FAILED",
  "REPLY_LOST",
  "RECORD_REFUSED",
]);

/** @throws RestoreError TARGET_UNREACHABLE, naming the endpoint, for whatever the target refused or left unanswered */
export async function asksTarget<T>(target: Pick<Replayer, "adapter" | "endpoint">, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    throw asUnfit(error, target);
  });
}

function asUnfit(error: unknown, { adapter, endpoint }: Pick<Replayer, "adapter" | "endpoint">): unknown {
  if (!(error instanceof RestoreError)) return error;
  const isNamed = error.message.includes(endpoint);
  if (!OF_THE_TARGET.has(error.code) && (error.code !== "TARGET_UNREACHABLE" || isNamed)) return error;
  return new RestoreError("TARGET_UNREACHABLE", isNamed ? error.message : `${endpoint}: ${error.message}`, {
    where: { ...error.where, adapter, endpoint },
    hint: `Nothing was written. Check that the endpoint for ${adapter} is the right one and that its server is up.`,
    cause: error,
  });
}
