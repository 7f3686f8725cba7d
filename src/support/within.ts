/** What comes in time. */
import type { Clock } from "./clock.js";

/** What the promise comes to, or undefined once so many milliseconds have passed; it goes on then, and may still reject. */
export async function within<T>(ms: number, promise: Promise<T>, clock: Pick<Clock, "sleep">): Promise<T | undefined> {
  const isOver = new AbortController();
  const timeout = clock.sleep(ms, isOver.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    isOver.abort();
  }
}
