/** A report in one sentence. */
import type { Report } from "../../run/report.js";
import { formatCount, plural } from "../format.js";

export interface Verdict {
  /** How it looks. */
  readonly tone: "good" | "bad" | "stop";
  readonly sentence: string;
}

export function verdict({ status, totals, recordsRead, scopes }: Report): Verdict {
  const left = totals.rejected + totals.failed + totals.ambiguous;
  const unlike = scopes.filter(({ error }) => error !== undefined).length;
  if (status === "stopped") {
    return { tone: "stop", sentence: `The restore was stopped: ${plural(totals.restored, "record")} restored so far.` };
  }
  const all = `${plural(recordsRead, "record")}`;
  if (left === 0 && unlike === 0) {
    if (totals.restored === recordsRead) return { tone: "good", sentence: `All of the ${all} were restored.` };
    const skipped = recordsRead - totals.restored;
    return {
      tone: "good",
      sentence: `Of ${all}, ${formatCount(totals.restored)} were restored and ${formatCount(skipped)} skipped by policy.`,
    };
  }
  const missing = [
    ...(totals.rejected + totals.failed > 0
      ? [`${formatCount(totals.rejected + totals.failed)} were not restored`]
      : []),
    ...(totals.ambiguous > 0 ? [`${formatCount(totals.ambiguous)} are in doubt`] : []),
    ...(unlike > 0 ? [`${plural(unlike, "scope")} ${unlike === 1 ? "is" : "are"} not as in the dump`] : []),
  ];
  return {
    tone: "bad",
    sentence: `The restore finished, but of ${all} ${missing.join(" and ")}; ${formatCount(totals.restored)} were restored.`,
  };
}
