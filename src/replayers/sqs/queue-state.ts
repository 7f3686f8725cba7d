/** What a queue's attributes say about its messages and its kind. Pure, but for the second look at an empty queue. */
import type { QueueScope } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { ScopeState } from "../replayer.js";
import type { QueueAttributes, SqsApi } from "./client.js";

const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

/** SQS counts approximately: a queue is taken for empty when it says so twice. */
const LOOKS = { most: 2, apartMs: 500 };
/**
 * At the AWS service counts settle only a minute or so after the last message was sent (API reference,
 * GetQueueAttributes), so it is asked more often; a queue that was just fed may still pass for an empty one.
 */
const LOOKS_AT_AWS = { most: 6, apartMs: 2_000 };

/**
 * Visible, in flight and delayed messages together; undefined where the target does not tell. elastickv counts none of
 * the messages of a queue with several partitions (seen: 0 told of 600 held), so its zero says nothing there.
 */
function messagesHeld(attributes: QueueAttributes): number | undefined {
  if (attributes["ApproximateNumberOfMessages"] === undefined) return undefined;
  if (Number(attributes["PartitionCount"] ?? "1") > 1) return undefined;
  return COUNTS.reduce((sum, name) => sum + Number(attributes[name] ?? "0"), 0);
}

function isFifo(attributes: QueueAttributes): boolean {
  return attributes["FifoQueue"] === "true";
}

const UNCOUNTED = "the target does not tell whether the queue holds messages: it is taken for one that does";

export interface Looking {
  readonly api: Pick<SqsApi, "attributes">;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** The AWS service itself. */
  readonly aws: boolean;
}

/** The state of a queue that exists, and the attributes it was read from. */
export async function lookAt(
  scope: QueueScope,
  url: string,
  { api, clock, signal, aws }: Looking,
): Promise<{ readonly state: ScopeState; readonly attributes: QueueAttributes }> {
  let attributes = await api.attributes(url);
  let held = messagesHeld(attributes);
  const { most, apartMs } = aws ? LOOKS_AT_AWS : LOOKS;
  for (let looks = 1; held === 0 && looks < most; looks++) {
    await clock.sleep(apartMs, signal);
    attributes = await api.attributes(url);
    held = messagesHeld(attributes);
  }
  return { state: stateOf(scope, attributes, held), attributes };
}

function stateOf(scope: QueueScope, attributes: QueueAttributes, held: number | undefined): ScopeState {
  const kind = (fifo: boolean): string => (fifo ? "a FIFO queue" : "a standard queue");
  const differs = isFifo(attributes) !== scope.settings.fifo;
  return {
    presence: held === 0 ? "empty" : "holds-records",
    ...(held === undefined ? {} : { count: { value: held, exact: false } }),
    ...(differs
      ? { incompatible: `it is ${kind(isFifo(attributes))} on the target and ${kind(scope.settings.fifo)} in the dump` }
      : {}),
    warnings: held === undefined ? [UNCOUNTED] : [],
  };
}
