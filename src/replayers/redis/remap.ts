/** Where the new ids of appended stream entries go. The files are the engine's; this is what the replayer needs of them. */
import type { StreamRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";

/** One entry that was appended under a new id. Both as `<ms>-<seq>`. */
export interface RemapLine {
  readonly original_id: string;
  readonly new_id: string;
}

export interface RemapWriter {
  /** Appends lines, in the order of the stream. */
  write(lines: readonly RemapLine[]): Promise<void>;
  /** Makes the lines durable. Called once, also after a failure. */
  /** Nothing more comes. */
  close(): Promise<void>;
  /** What was written is to be written again by another process of the job. */
  abandon(): Promise<void>;
}

export interface RemapSink {
  /** Called once for a stream of which at least one entry got a new id. */
  open(scope: DatabaseScope, record: StreamRecord): Promise<RemapWriter>;
}
