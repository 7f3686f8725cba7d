/** What a queue's writer is made with and what it does. One writer a queue and run. */
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { SendingInit } from "./sending.js";

export interface WriterInit {
  readonly sending: Omit<SendingInit, "repeatableMs">;
  /** The target queue's limit, attributes included. */
  readonly limitBytes: number;
  readonly preserveVisibility: boolean;
}

export interface QueueWriter {
  /**
   * One outcome per record, in their order. Nothing is sent before `announced` has resolved, where it is given.
   * @throws WriteStopped or what ends the run
   */
  write(batch: readonly MessageRecord[], announced?: Promise<void>): Promise<Outcome[]>;
  /** Removes what it keeps on disk, where it does. Repeatable; nothing may be written afterwards. */
  close?(): void;
}
