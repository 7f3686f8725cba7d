/** Makes the engine's typed way of comparing from what was typed. */
import { RestoreError } from "../errors/restore-error.js";
import { parseShare } from "../run/verify/sample.js";
import type { HowToVerify } from "../run/verify/verify-target.js";
import { present } from "../support/present.js";
import { parseDurationMs, usage } from "./quantities.js";
import type { RunArguments } from "./run-options.js";

export interface CompareArguments {
  readonly sample?: string;
  readonly sampleSeed?: string;
  readonly tolerance?: string;
  readonly download?: boolean;
  readonly messages?: boolean;
  readonly looks?: string;
  readonly lookAgainAfter?: string;
  readonly rebaseFrom?: string;
}

const DEFAULT_TOLERANCE = "500ms";
const DEFAULT_LOOKS = "2";
const DEFAULT_PAUSE = "2s";
const MOST_LOOKS = 100;

/** @throws RestoreError USAGE */
export function howToVerify(args: CompareArguments & Pick<RunArguments, "mode">): HowToVerify {
  const { sample, sampleSeed: seed, messages, download, looks = DEFAULT_LOOKS } = args;
  const times = Number(looks);
  if (!Number.isInteger(times) || times < 1 || times > MOST_LOOKS) {
    throw usage("--looks", looks, `a number from 1 to ${MOST_LOOKS}`);
  }
  if (seed !== undefined && sample === undefined) {
    throw new RestoreError("USAGE", "--sample-seed needs --sample", {
      hint: "Say how large the sample is: --sample 1%.",
    });
  }
  return {
    comparing: {
      allowMore: mayHoldMore(args.mode),
      toleranceMs: parseDurationMs(args.tolerance ?? DEFAULT_TOLERANCE, "--tolerance"),
      download: download ?? false,
      messages: messages === true ? "return" : "no",
    },
    looks: times,
    pauseMs: parseDurationMs(args.lookAgainAfter ?? DEFAULT_PAUSE, "--look-again-after"),
    ...present({ share: sample === undefined ? undefined : parseShare(sample), seed }),
  };
}

/** What was merged into what was there stands beside it. */
function mayHoldMore(mode: RunArguments["mode"]): boolean {
  return mode === "merge" || mode === "skip-existing";
}

/** Unix milliseconds from which `rebase` counts. @throws RestoreError USAGE when that is not told */
export function rebasedAt({
  rebaseFrom,
  ttlPolicy,
}: CompareArguments & Pick<RunArguments, "ttlPolicy">): number | undefined {
  if (ttlPolicy !== "rebase") {
    if (rebaseFrom === undefined) return undefined;
    throw new RestoreError("USAGE", "--rebase-from needs --ttl-policy rebase");
  }
  if (rebaseFrom === undefined) {
    throw new RestoreError("USAGE", "with --ttl-policy rebase, times count from when the restore began", {
      hint: "Say when: --rebase-from TIME, `startedAt` in the restore's report.",
    });
  }
  const time = Date.parse(rebaseFrom);
  if (Number.isNaN(time)) throw usage("--rebase-from", rebaseFrom, "a time such as 2026-11-25T19:33:00Z");
  return time;
}
