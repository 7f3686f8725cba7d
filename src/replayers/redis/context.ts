/** What every writer of one database shares. */
import type { Outcome } from "../../model/outcome.js";
import type { RecordType, WriteAction, WritePolicy } from "../../model/policy.js";
import type { SentRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { Notebook } from "../replayer.js";
import type { Command, Reply, StreamedArgument } from "./connection.js";
import { type Moment, momentOf } from "./expiry.js";
import type { Requests } from "./link.js";
import { outcomeOfWord } from "./outcomes.js";
import type { Abilities } from "./probe.js";
import type { RemapSink } from "./remap.js";
import type { ScriptMode } from "./scripts.js";
import type { WholeWriter } from "./whole.js";

export interface WriteContext {
  readonly scope: DatabaseScope;
  readonly endpoint: string;
  readonly policy: WritePolicy;
  readonly clock: Clock;
  readonly abilities: Abilities;
  readonly link: Requests;
  readonly whole: Pick<WholeWriter, "write">;
  readonly remaps?: RemapSink;
  readonly notebook: Notebook;
  /** For what does not fit into memory. */
  readonly workDirectory: string;
  /** Rises when the server turns out to be another process than before: what it held in memory may be gone. */
  readonly generation: () => number;
  /** Sends a command with a value of many megabytes over a connection of its own. */
  readonly sendStreamed: (command: () => Command, value: StreamedArgument, repeatable: boolean) => Promise<Reply>;
}

/** By which the policy knows it: what TYPE says of its key, and `hll` for a HyperLogLog. */
export function typeOfRecord(record: SentRecord<"redis">): RecordType {
  return record.kind === "collection" || record.kind === "unjudged" ? record.type : record.kind;
}

export function scriptModeOf(action: WriteAction): ScriptMode {
  switch (action) {
    case "put":
    case "overwrite":
      return action;
    case "merge-into":
      return "merge";
    default:
      return "absent";
  }
}

/** The record's expiry if it is written now. */
export function momentNow(context: WriteContext, record: { readonly expireAtMs?: bigint | undefined }): Moment {
  const { expireAtMs } = record;
  const expiry = context.policy.expiryOf(expireAtMs);
  if (expireAtMs === undefined && expiry.kind === "none") return NO_MOMENT;
  const { abilities, clock } = context;
  return momentOf({ expiry, hadExpiry: expireAtMs !== undefined, abilities, nowMs: clock.now() });
}

/** Of a record without an expiry, as most are. */
const NO_MOMENT: Moment = { how: "N" };

export function judge(
  context: WriteContext,
  action: WriteAction,
  { word, notes }: { readonly word: string; readonly notes?: Outcome["notes"] },
): Outcome {
  const { policy, endpoint } = context;
  return outcomeOfWord(word, { action, policy, endpoint, ...(notes === undefined ? {} : { notes }) });
}
