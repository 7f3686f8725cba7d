/** Makes the engine's typed options from what was typed, for the commands that reach a target. */
import { randomBytes } from "node:crypto";
import { RestoreError } from "../errors/restore-error.js";
import { againMode } from "../modes/again.js";
import { modeByName } from "../modes/by-name.js";
import type { TtlPolicy } from "../modes/expiry.js";
import type { MergeStrategies, Mode, ModeName } from "../modes/mode.js";
import { repairMode } from "../modes/repair.js";
import type { RunOptions } from "../run/prepare.js";
import type { ProgressSink } from "../run/progress.js";
import type { Retry } from "../run/retry.js";
import type { TargetSettings } from "../run/targets.js";
import { systemClock } from "../support/clock.js";
import type { Io } from "./io.js";
import { parseBytes, parseConcurrency, parseDurationMs, parseRateLimits } from "./quantities.js";
import { type RetryArguments, retriedSelection, retryFor } from "./retry.js";
import { parseSelection, type SelectionArguments } from "./selection.js";
import { resolveTargets, type TargetArguments } from "./targets.js";
import { loadTransform, type TransformArguments } from "./transform.js";
import { workPlace } from "./work-place.js";

/** As yargs names them, after its camel-case expansion. */
export interface RunArguments extends TargetArguments, SelectionArguments, TransformArguments, RetryArguments {
  readonly mode?: "replace" | "merge" | "skip-existing";
  readonly ttlPolicy?: TtlPolicy;
  readonly preserveTtl?: boolean;
  readonly listMergeStrategy?: MergeStrategies["list"];
  readonly streamMergeStrategy?: MergeStrategies["stream"];
  readonly remapDir?: string;
  readonly replaceStrategy?: "flush" | "per-key";
  readonly fifoDedup?: "original" | "record";
  readonly preserveVisibility?: boolean;
  readonly unordered?: boolean;
  readonly purgeWait?: string;
  readonly onAmbiguous?: "resend" | "skip" | "stop";
  readonly multipartThreshold?: string;
  readonly keepEtag?: boolean;
  readonly allowPublic?: boolean;
  readonly applyPolicies?: boolean;
  readonly rateLimit?: readonly string[];
  readonly concurrency?: readonly string[];
  readonly maxRetryTime?: string;
  readonly allowOrphanBuckets?: boolean;
  readonly requireConsistent?: boolean;
  readonly allowLowMemory?: boolean;
}

const DEFAULT_MAX_RETRY_TIME = "5m";

/** @throws RestoreError of the class usage */
export async function runOptions(args: RunArguments, io: Io, progress: ProgressSink): Promise<RunOptions> {
  const { settings, named } = await resolveTargets(args, io);
  const transform = await loadTransform(args);
  const concurrency = named?.concurrency === undefined ? [] : [String(named.concurrency)];
  const rateLimit = args.rateLimit ?? (named?.rate_limit === undefined ? [] : [named.rate_limit]);
  const retry = await retryFor(args, io, workPlace(io).workRoot);
  const selection = parseSelection(args);
  return {
    dump: args.dump,
    mode: modeFor(args.mode ?? "none", retry),
    strategies: { list: args.listMergeStrategy ?? "replace", stream: args.streamMergeStrategy ?? "reject" },
    ttlPolicy: ttlPolicy(args),
    selection: retry === undefined ? selection : retriedSelection(selection, retry),
    ...(retry === undefined ? {} : { retry }),
    ...(transform === undefined ? {} : { transform }),
    targets: withWriting(settings, args),
    limits: parseRateLimits(rateLimit),
    concurrency: { ...parseConcurrency(concurrency), ...parseConcurrency(args.concurrency ?? []) },
    maxRetryTimeMs: parseDurationMs(args.maxRetryTime ?? DEFAULT_MAX_RETRY_TIME, "--max-retry-time"),
    allowOrphanBuckets: args.allowOrphanBuckets ?? false,
    requireConsistent: args.requireConsistent ?? false,
    allowLowMemory: args.allowLowMemory ?? false,
    ...(args.remapDir === undefined ? {} : { remapDirectory: args.remapDir }),
    ...workPlace(io),
    newJobId: randomBytes(8).toString("hex"),
    clock: systemClock,
    progress,
    ...(io.supervisor === undefined ? {} : { control: io.supervisor.control }),
    ...(io.signal === undefined ? {} : { signal: io.signal }),
  };
}

function modeFor(name: ModeName, retry: Retry | undefined): Mode {
  if (retry === undefined) return modeByName(name);
  return retry.isRepair ? repairMode(name) : againMode(name);
}

function ttlPolicy({ ttlPolicy: policy, preserveTtl }: RunArguments): TtlPolicy {
  if (preserveTtl !== true) return policy ?? "skip-expired";
  if (policy === undefined || policy === "preserve") return "preserve";
  throw new RestoreError("USAGE", `--preserve-ttl and --ttl-policy ${policy} contradict one another`, {
    hint: "Give one of them.",
  });
}

function withWriting({ dynamodb, s3, sqs, redis }: TargetSettings, args: RunArguments): TargetSettings {
  const threshold = args.multipartThreshold;
  return {
    ...(dynamodb === undefined ? {} : { dynamodb }),
    ...(s3 === undefined
      ? {}
      : {
          s3: {
            ...s3,
            keepEtag: args.keepEtag ?? false,
            allowPublic: args.allowPublic ?? false,
            applyPolicies: args.applyPolicies ?? false,
            ...(threshold === undefined
              ? {}
              : { multipartThresholdBytes: parseBytes(threshold, "--multipart-threshold") }),
          },
        }),
    ...(sqs === undefined
      ? {}
      : {
          sqs: {
            ...sqs,
            ...(args.fifoDedup === undefined ? {} : { fifoDedup: args.fifoDedup }),
            preserveVisibility: args.preserveVisibility ?? false,
            unordered: args.unordered ?? false,
            purgeWaitMs: parseDurationMs(args.purgeWait ?? "60s", "--purge-wait"),
            onAmbiguous: args.onAmbiguous ?? "resend",
          },
        }),
    ...(redis === undefined ? {} : { redis: { ...redis, replaceStrategy: args.replaceStrategy ?? "flush" } }),
  };
}
