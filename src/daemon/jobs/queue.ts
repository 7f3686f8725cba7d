/**
 * Which of the waiting jobs are begun. Pure. Those that were under way before come first, then whoever came first; none
 * overtakes an earlier one that it could hold up.
 */
import { type Claim, conflict } from "./claims.js";

export interface Waiting {
  readonly id: string;
  readonly number: number;
  /** Whether a process of it was begun before. */
  readonly hasBegun: boolean;
  readonly claim?: Claim;
  /** Why it is not to be begun yet, whatever the others do. */
  readonly holdUp?: string;
}

/** What keeps its target's scopes: a job that is under way, or was and is to go on. */
export interface Keeping {
  readonly claim: Claim;
  /** Whether it has a process. */
  readonly isRunning: boolean;
}

export interface Turn {
  /** In the order in which they are to be begun. */
  readonly begin: readonly string[];
  /** Why the others are not, a sentence each. */
  readonly waitsFor: ReadonlyMap<string, string>;
}

/** `free`: how many may be begun. `atOnce`: how many may run, for the sentence. */
export function nextTurn({
  waiting,
  keeping,
  free,
  atOnce,
}: {
  readonly waiting: readonly Waiting[];
  readonly keeping: readonly Keeping[];
  readonly free: number;
  readonly atOnce: number;
}): Turn {
  const begin: string[] = [];
  const waitsFor = new Map<string, string>();
  const taken = keeping.map(({ claim, isRunning }) => ({ claim, what: isRunning ? "runs" : "is to go on" }));
  for (const { id, claim, holdUp } of inOrder(waiting)) {
    // The rest cannot be begun either: whom else they would wait for is no matter.
    const isFull = begin.length >= free;
    const other =
      claim === undefined || isFull
        ? undefined
        : taken.find((each) => each.claim.job !== id && conflict(each.claim, claim));
    const why = holdUp ?? (isFull ? full(atOnce) : other === undefined ? undefined : reason(other));
    if (why === undefined) begin.push(id);
    else waitsFor.set(id, why);
    if (claim !== undefined && !isFull) taken.push({ claim, what: why === undefined ? "runs" : "comes first" });
  }
  return { begin, waitsFor };
}

function inOrder(waiting: readonly Waiting[]): Waiting[] {
  return [...waiting].sort((a, b) => Number(b.hasBegun) - Number(a.hasBegun) || a.number - b.number);
}

function reason({ claim, what }: { readonly claim: Claim; readonly what: string }): string {
  return `job ${claim.job} ${what}, and reaches the same of the target "${claim.target}"`;
}

function full(atOnce: number): string {
  return atOnce === 1 ? "another job runs (jobs.at_once)" : `${atOnce} jobs run already (jobs.at_once)`;
}
