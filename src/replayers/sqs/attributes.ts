/**
 * A queue's attributes: what the dump's settings ask for, what the target holds, and how to apply them to a target that
 * does not know all of them. Redrive policies are not among them: `redrive.ts`.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { QueueSettings } from "../../model/scope.js";
import { awsErrorName } from "../aws-client.js";
import { sqsErrorName } from "./classify-error.js";
import type { QueueAttributes } from "./client.js";

/** The dump's settings as SQS attributes; what the dump does not tell is left to the target's default. */
export function wantedAttributes(settings: QueueSettings): QueueAttributes {
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ["VisibilityTimeout", settings.visibilityTimeoutSeconds],
    ["MessageRetentionPeriod", settings.messageRetentionSeconds],
    ["DelaySeconds", settings.delaySeconds],
    ["ReceiveMessageWaitTimeSeconds", settings.receiveMessageWaitSeconds],
    ["MaximumMessageSize", settings.maximumMessageSize],
  ];
  const told = numbers.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]));
  return { ...Object.fromEntries(told), ...(settings.fifo ? fifoAttributes(settings) : {}) };
}

function fifoAttributes(settings: QueueSettings): QueueAttributes {
  return {
    // A standard queue is one without this attribute; SQS refuses the value false.
    FifoQueue: "true",
    ContentBasedDeduplication: String(settings.contentBasedDeduplication),
    ...(isTold(settings.deduplicationScope) ? { DeduplicationScope: settings.deduplicationScope } : {}),
    ...(isTold(settings.fifoThroughputLimit) ? { FifoThroughputLimit: settings.fifoThroughputLimit } : {}),
    // elastickv's own. One partition is what every queue has.
    ...((settings.partitionCount ?? 0) > 1 ? { PartitionCount: String(settings.partitionCount) } : {}),
  };
}

/** Attributes while messages are sent: a FIFO queue's delay would delay restored messages again, so it is set last. */
export function attributesForSending(settings: QueueSettings): QueueAttributes {
  const wanted = wantedAttributes(settings);
  return settings.fifo ? { ...wanted, DelaySeconds: "0" } : wanted;
}

/** An attribute that the target tells otherwise. */
export interface UnlikeAttribute {
  readonly name: string;
  readonly held: string;
  readonly wanted: string;
}

/** The attributes that differ from those wanted; what the target does not tell is not compared. */
export function unlikeAttributes(wanted: QueueAttributes, actual: QueueAttributes): UnlikeAttribute[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const held = actual[name];
    return held === undefined || held === value ? [] : [{ name, held, wanted: value }];
  });
}

/** As `unlikeAttributes`, a phrase each. */
export function differences(wanted: QueueAttributes, actual: QueueAttributes): string[] {
  return unlikeAttributes(wanted, actual).map(phraseOf);
}

export function phraseOf({ name, held, wanted }: UnlikeAttribute): string {
  return `${name} is ${held}, in the dump ${wanted}`;
}

/** Wanted attributes that the target does not tell when asked: it may have ignored them. */
export function untold(wanted: QueueAttributes, actual: QueueAttributes): string[] {
  // False is what a queue has that does not mention it.
  return Object.entries(wanted).flatMap(([name, value]) => (name in actual || value === "false" ? [] : [name]));
}

/** Cannot be changed once a queue exists. */
export const FIXED: ReadonlySet<string> = new Set(["FifoQueue", "PartitionCount"]);

/** A queue that exists is what it is: of its attributes, each may be left out. */
export const NONE_ESSENTIAL: ReadonlySet<string> = new Set();

const REFUSALS = new Set([
  "InvalidAttributeName",
  "InvalidAttributeValue",
  "InvalidParameterValue",
  "InvalidParameter",
  "UnsupportedOperation",
]);

/** Without these a queue that is created would be another one. */
const ESSENTIAL: ReadonlySet<string> = new Set(["FifoQueue", "ContentBasedDeduplication"]);

/** The least known first, for refusals that do not say which attribute they mean. */
const LEAVE_OUT_ORDER = ["PartitionCount", "FifoThroughputLimit", "DeduplicationScope"];

/**
 * Applies attributes, leaving out one after another that the target refuses.
 * @returns what `attempt` gave, and a warning for each attribute left out
 * @throws RestoreError what the target said, when it refuses even without them
 */
export async function applyLeavingOut<T>(
  wanted: QueueAttributes,
  attempt: (attributes: QueueAttributes) => Promise<T>,
  essential: ReadonlySet<string> = ESSENTIAL,
): Promise<{ readonly result: T; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  let attributes = wanted;
  for (;;) {
    try {
      return { result: await attempt(attributes), warnings };
    } catch (error) {
      const name = refusedAttribute(error, attributes, essential);
      if (name === undefined) throw error;
      warnings.push(`${name}=${attributes[name]} was left out: the target refused it (${said(error)})`);
      attributes = Object.fromEntries(Object.entries(attributes).filter(([other]) => other !== name));
    }
  }
}

/** Which attribute an error means: the one its text names first, else the least known one. */
function refusedAttribute(
  error: unknown,
  attributes: QueueAttributes,
  essential: ReadonlySet<string>,
): string | undefined {
  if (!isRefusal(error)) return undefined;
  const text = said(error);
  const candidates = Object.keys(attributes).filter((name) => !essential.has(name));
  const named = candidates.filter((name) => text.includes(name)).sort((a, b) => text.indexOf(a) - text.indexOf(b));
  return named[0] ?? LEAVE_OUT_ORDER.find((name) => name in attributes) ?? candidates[0];
}

/** True when the target answered that it does not take an attribute. */
function isRefusal(error: unknown): boolean {
  return error instanceof RestoreError && REFUSALS.has(sqsErrorName(error.cause));
}

function said(error: unknown): string {
  return error instanceof RestoreError && awsErrorName(error.cause) !== "" ? error.message : String(error);
}

function isTold(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
