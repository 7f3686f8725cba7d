/** What the end of a job's process means for the job. Pure. */
import { EXIT } from "../../errors/codes.js";
import type { Failure } from "../channel.js";
import type { ProcessEnd } from "./job-process.js";
import type { JobRecord } from "./record.js";
import { FINISHED, HELPING, type Purpose } from "./steps.js";

export type Judgement =
  /** Its result stands on the disk, or there is another process to be begun. */
  | { readonly kind: "go-on" }
  /** The comparison that it was to take up is not there: from the start. */
  | { readonly kind: "anew" }
  /** Somebody else has what it needs. */
  | { readonly kind: "held"; readonly why: string }
  /** It ended without a reason that it told. */
  | { readonly kind: "crashed"; readonly why: string }
  | { readonly kind: "failed"; readonly error: Failure }
  /** The daemon ends: the next one takes it up. */
  | { readonly kind: "left" };

export interface Circumstances {
  readonly purpose: Purpose;
  readonly order: JobRecord["order"];
  /** Whether the daemon ends. */
  readonly isEnding: boolean;
  /** What it said last. */
  readonly lastLine?: string | undefined;
}

export function judge(end: ProcessEnd, { purpose, order, isEnding, lastLine }: Circumstances): Judgement {
  const { status, failure } = end;
  const isStopped = status === undefined || STOPPED.has(status);
  if (FINISHED.has(status)) return { kind: "go-on" };
  if (isEnding && isStopped) return { kind: "left" };
  // What it is to be let go of for is asked of the disk; before and behind the job's own work, nothing is lost either.
  if (order === "cancel" || HELPING.has(purpose)) return { kind: "go-on" };
  if (purpose === "mend" && GONE.has(failure?.code ?? "")) return { kind: "go-on" };
  if (failure?.code === "JOB_HELD") return { kind: "held", why: failure.message };
  if (failure?.code === "JOB_UNKNOWN" && purpose === "work") return { kind: "anew" };
  if (!isStopped && failure !== undefined) return { kind: "failed", error: failure };
  return { kind: "crashed", why: how(end, lastLine) };
}

const STOPPED: ReadonlySet<number> = new Set([EXIT.interrupted, EXIT.terminated]);
/** It had not come to its first write, and is gone: whatever it was to mend is found again. */
const GONE: ReadonlySet<string> = new Set(["JOB_UNKNOWN", "NOT_CONFIRMED"]);

function how({ status, signal, problem }: ProcessEnd, lastLine: string | undefined): string {
  if (problem !== undefined) return `its process could not be begun: ${problem}`;
  if (status !== undefined && STOPPED.has(status)) return "its process was told to end by somebody else";
  const said = lastLine === undefined ? "" : `; it said last: ${lastLine.slice(0, MOST_CHARS)}`;
  return signal === undefined
    ? `its process ended with status ${status} and no reason${said}`
    : `its process was ended by ${signal}${said}`;
}

const MOST_CHARS = 300;
