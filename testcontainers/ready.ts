/** Waiting for a server to answer, and telling people why it did not. */

const PAUSE_MS = 50;

/** Asks again until the answer comes; throws the last error after `timeoutMs`, or what `giveUp` throws. */
export async function askUntilReady<T>(ask: () => Promise<T>, timeoutMs: number, giveUp?: () => void): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    giveUp?.();
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** The message of an error with those of its causes. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own} (${reasonOf(error.cause)})`;
}
