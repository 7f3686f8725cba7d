/** Every job's changes of state, for those who follow all jobs. A slow one is told of each job's last state only. */
import type { JobView } from "../schema/job.js";

/** For one client; beyond it, of each job the last waits alone. */
const MOST_WAITING = 1_000;

class Follower {
  readonly #most: number;
  #waiting: JobView[] = [];
  #wake: () => void = () => undefined;

  constructor(most: number) {
    this.#most = most;
  }

  tell(job: JobView): void {
    this.#waiting.push(job);
    if (this.#waiting.length > this.#most)
      this.#waiting = [...new Map(this.#waiting.map((each) => [each.id, each])).values()];
    this.#wake();
  }

  take(): JobView | undefined {
    return this.#waiting.shift();
  }

  async more(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        signal.removeEventListener("abort", this.#wake);
        resolve();
      };
      if (signal.aborted || this.#waiting.length > 0) return resolve();
      signal.addEventListener("abort", this.#wake, { once: true });
    });
  }
}

export class Changes {
  readonly #followers = new Set<Follower>();
  readonly #most: number;

  constructor(most: number = MOST_WAITING) {
    this.#most = most;
  }

  tell(job: JobView): void {
    for (const follower of this.#followers) follower.tell(job);
  }

  /** From the moment on in which the first is asked for, until aborted. */
  async *follow(signal: AbortSignal): AsyncGenerator<JobView> {
    const follower = new Follower(this.#most);
    this.#followers.add(follower);
    try {
      while (!signal.aborted) {
        const job = follower.take();
        if (job !== undefined) yield job;
        else await follower.more(signal);
      }
    } finally {
      this.#followers.delete(follower);
    }
  }
}
