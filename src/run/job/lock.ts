/** What locks between processes are, and who holds one. */

export interface Lock {
  /** Repeatable. */
  release(): Promise<void>;
}

/** Who holds a lock, as it tells those who find it taken. */
export interface Holder {
  readonly pid: number;
  readonly job: string;
  /** The process works on nothing else, and ends in good order at SIGTERM. */
  readonly mayBeEnded?: true;
}

export interface LockInit {
  /** What is locked, for messages: `job 12…`, `redis:db_0 on redis://…`. */
  readonly what: string;
  /** One text for the same thing, where `what` has several for it. */
  readonly thing?: string;
  readonly holder: Holder;
  /** Where file locks stand. */
  readonly directory: string;
  /** Whether a process of this machine has the id. */
  readonly isAlive: (pid: number) => boolean;
}

export function parseHolder(text: string): Holder | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || !("pid" in json) || !("job" in json)) return undefined;
    if (typeof json.pid !== "number" || typeof json.job !== "string") return undefined;
    const mayBeEnded = "mayBeEnded" in json && json.mayBeEnded === true;
    return { pid: json.pid, job: json.job, ...(mayBeEnded ? { mayBeEnded } : {}) };
  } catch {
    return undefined;
  }
}
