/** What a drill is asked, and what every step of it needs. Types. */
import type { RestoreError } from "../../errors/restore-error.js";
import type { TtlPolicy } from "../../modes/expiry.js";
import type { Clock } from "../../support/clock.js";
import type { ProgressSink } from "../progress.js";
import type { SelectionOptions } from "../selection.js";
import type { PlacedAssertion } from "./assertion-schema.js";
import type { DrillFolder, TargetNote } from "./drill-folder.js";
import type { DrillFacts } from "./facts.js";
import type { NamedScope } from "./names.js";
import type { PickedDump } from "./pick.js";
import type { DrillTools, SandboxServer } from "./tools.js";

export interface DrillOptions {
  /** 12 lower-case hex digits. */
  readonly id: string;
  /** 16 of them, for the restore. */
  readonly job: string;
  readonly dump: string;
  readonly picked?: PickedDump;
  readonly target: TargetNote;
  readonly targetName?: string;
  readonly selection: SelectionOptions;
  readonly allowOrphanBuckets: boolean;
  readonly ttlPolicy: TtlPolicy;
  /** Redis databases, where the drill restores into a server that stays. */
  readonly databases: readonly number[];
  readonly assertions: readonly PlacedAssertion[];
  readonly assertionsPath?: string;
  readonly maxRtoMs?: number;
  readonly maxRpoMs?: number;
  readonly trend: { readonly last: number; readonly percent: number };
  readonly stateDirectory: string;
  /** Takes the evidence. */
  readonly out: string;
  readonly historyPath: string;
  /** For temporary things of a process. */
  readonly workRoot: string;
  readonly workPrefix?: string;
  readonly tools: DrillTools;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** A sink for each step. */
  readonly progress: () => ProgressSink;
  /** Tells people what goes on. */
  readonly say: (text: string) => void;
}

/** What every step of a drill needs. */
export interface DrillRun {
  readonly options: DrillOptions;
  readonly folder: DrillFolder;
  readonly facts: DrillFacts;
  readonly scopes: readonly NamedScope[];
  readonly servers: SandboxServer[];
  /** Aborts when the drill is interrupted, and when a server of its sandbox is gone. */
  readonly signal: AbortSignal;
  /** What a step is ended by for which the drill itself is to blame, not the target. */
  fail(error: RestoreError): void;
}
