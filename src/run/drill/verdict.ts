/** How a drill can come out. Words and a pure function. */
import { EXIT } from "../../errors/codes.js";

export const VERDICTS = [
  /** Restored, and everything that was looked at is as it should be. */
  "passed",
  /** Restored, but a check, an assertion or an objective failed. */
  "failed",
  /** Restored, but records were left over. */
  "incomplete",
  /** The dump is not acceptable: it cannot be restored from. */
  "bad-dump",
  /** The target is not acceptable, or a sandbox could not be had. */
  "bad-target",
  /** Stopped by an error. */
  "stopped",
  "interrupted",
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** Of a drill that ends with this status. A clean-up that failed is told beside the verdict. */
export function verdictOf(exitStatus: number): Verdict {
  switch (exitStatus) {
    case EXIT.ok:
      return "passed";
    case EXIT.differences:
      return "failed";
    case EXIT.incomplete:
      return "incomplete";
    case EXIT.dump:
      return "bad-dump";
    case EXIT.target:
      return "bad-target";
    case EXIT.interrupted:
    case EXIT.terminated:
      return "interrupted";
    default:
      return "stopped";
  }
}
