/** What the crash tests restore, and how: adapters, modes and their strategies. */
import type { Adapter } from "../../../src/model/scope.js";
import { PART_BYTES } from "./dump.js";

export interface CrashCase {
  readonly title: string;
  readonly adapter: Adapter;
  /** Options of `apply`. */
  readonly options: readonly string[];
  /** Other records stand on the target beforehand. */
  readonly isSeeded: boolean;
  /** Stream entries get ids of the target's. */
  readonly hasNewIds?: boolean;
  /** Messages in doubt are not sent again. */
  readonly leavesDoubtfulOut?: boolean;
}

const MODES = [
  { mode: "none", options: [], isSeeded: false },
  { mode: "replace", options: ["--mode", "replace", "--yes"], isSeeded: true },
  { mode: "merge", options: ["--mode", "merge"], isSeeded: true },
  { mode: "skip-existing", options: ["--mode", "skip-existing"], isSeeded: true },
] as const;

const MORE: Readonly<Record<Adapter, readonly string[]>> = {
  redis: [],
  dynamodb: [],
  s3: ["--multipart-threshold", `${PART_BYTES / 1024 / 1024}MiB`],
  sqs: ["--purge-wait", "0s"],
};

const APPENDING = ["--mode", "merge", "--list-merge-strategy", "append", "--stream-merge-strategy", "auto-id"];

export const CRASH_CASES: readonly CrashCase[] = [
  ...(["redis", "dynamodb", "s3", "sqs"] as const).flatMap((adapter) =>
    MODES.map(({ mode, options, isSeeded }) => ({
      title: `${adapter} ${mode}`,
      adapter,
      options: [...MORE[adapter], ...options],
      isSeeded,
    })),
  ),
  {
    title: "redis replace per-key",
    adapter: "redis",
    options: ["--mode", "replace", "--yes", "--replace-strategy", "per-key"],
    isSeeded: true,
  },
  { title: "redis merge append", adapter: "redis", options: APPENDING, isSeeded: true, hasNewIds: true },
  {
    title: "sqs none, doubtful left out",
    adapter: "sqs",
    options: [...MORE.sqs, "--on-ambiguous", "skip"],
    isSeeded: false,
    leavesDoubtfulOut: true,
  },
];
