/** What a queue's attributes say about its messages and its kind. Pure, but for second looks at counts. */
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
/** Before a count that is not the expected one is believed there. */
const PATIENT_LOOKS_AT_AWS = { most: 31, apartMs: 2_000 };

/** How many messages a queue says that it holds. */
export interface Depth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** All of them together. */
  readonly total: number;
}

/**
 * Undefined where the target does not tell. elastickv counts none of the messages of a queue with several partitions
 * (seen: 0 told of 600 held), so its zero says nothing there.
 */
export function depthOf(attributes: QueueAttributes): Depth | undefined {
  if (attributes["ApproximateNumberOfMessages"] === undefined) return undefined;
  if (Number(attributes["PartitionCount"] ?? "1") > 1) return undefined;
  const [visible = 0, inFlight = 0, delayed = 0] = COUNTS.map((name) => Number(attributes[name] ?? "0"));
  return { visible, inFlight, delayed, total: visible + inFlight + delayed };
}

export function isFifo(attributes: QueueAttributes): boolean {
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
  looking: Looking,
): Promise<{ readonly state: ScopeState; readonly attributes: QueueAttributes }> {
  const attributes = await look(url, looking, looking.aws ? LOOKS_AT_AWS : LOOKS, (depth) => depth.total !== 0);
  return { state: stateOf(scope, attributes, depthOf(attributes)?.total), attributes };
}

/** How many messages the queue holds once it is as expected, or else as it tells after a minute; shortly at other servers. */
export async function settledDepth(
  url: string,
  looking: Looking,
  isAsExpected: (depth: Depth) => boolean,
): Promise<Depth | undefined> {
  return depthOf(await look(url, looking, looking.aws ? PATIENT_LOOKS_AT_AWS : LOOKS, isAsExpected));
}

async function look(
  url: string,
  { api, clock, signal }: Looking,
  { most, apartMs }: typeof LOOKS,
  isEnough: (depth: Depth) => boolean,
): Promise<QueueAttributes> {
  for (let looks = 1; ; looks++) {
    const attributes = await api.attributes(url);
    const depth = depthOf(attributes);
    if (depth === undefined || isEnough(depth) || looks === most) return attributes;
    await clock.sleep(apartMs, signal);
  }
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
