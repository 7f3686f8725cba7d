/** Queues, messages, clocks and policies for tests of SQS. */
import { tmpdir } from "node:os";

import type { WritePolicy } from "../../src/model/policy.js";
import { type MessageRecord, SCOPE_LANE } from "../../src/model/record.js";
import type { QueueScope, QueueSettings } from "../../src/model/scope.js";
import { modeByName } from "../../src/modes/by-name.js";
import type { ModeName } from "../../src/modes/mode.js";
import { UNPACED } from "../../src/replayers/calls.js";
import { NO_NOTEBOOK, type ReplayerContext } from "../../src/replayers/replayer.js";
import { type Clock, systemClock } from "../../src/support/clock.js";

const STANDARD: QueueSettings = {
  fifo: false,
  contentBasedDeduplication: false,
  delaySeconds: 0,
  receiveMessageWaitSeconds: 0,
};

export function queueScope(name: string, settings: Partial<QueueSettings> = {}, target = name): QueueScope {
  return {
    adapter: "sqs",
    name,
    target,
    path: `sqs/${name}`,
    warnings: [],
    settings: { ...STANDARD, fifo: name.endsWith(".fifo"), ...settings },
  };
}

export type MessageParts = Partial<Omit<MessageRecord, "body">> & { readonly body?: string | Buffer };

/** A record of line `line`. With a group id it has the group's lane, else the queue's. */
export function message(line: number, parts: MessageParts = {}): MessageRecord {
  const body = Buffer.from(parts.body ?? `body ${line}`);
  const place = { path: "sqs/q/messages.jsonl", line };
  return {
    kind: "message",
    place,
    after: { ...place, offset: line },
    displayKey: `m-${line}`,
    bytes: body.length,
    lane: parts.groupId ?? SCOPE_LANE,
    messageId: `m-${line}`,
    attributes: [],
    availableAtMs: 0,
    visibleAtMs: 0,
    ...parts,
    body,
  };
}

/** A message of a group; its deduplication id is that of its line unless told. */
export function fifoMessage(line: number, groupId: string, parts: MessageParts = {}): MessageRecord {
  return message(line, { groupId, deduplicationId: `d-${line}`, ...parts });
}

export function messageRecords(count: number): MessageRecord[] {
  return Array.from({ length: count }, (_, i) => message(i + 1));
}

/** Waits by moving itself on, a little of it really: for retries and second looks. */
export function hurriedClock(longestMs = 20): Clock {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    sleep: async (ms, signal) => {
      const slept = Math.min(ms, longestMs);
      await systemClock.sleep(slept, signal);
      ahead += ms - slept;
    },
  };
}

export function policyOf(mode: ModeName, jobId = "0123456789abcdef"): WritePolicy {
  const { wrongType, onRecord } = modeByName(mode);
  return {
    actionFor: (type) => onRecord(type, { list: "replace", stream: "reject" }),
    wrongType,
    expiryOf: () => ({ kind: "none" }),
    jobId,
  };
}

export function contextFor(mode: ModeName, overrides: Partial<ReplayerContext> = {}): ReplayerContext {
  return {
    policy: policyOf(mode),
    clock: hurriedClock(),
    pacer: UNPACED,
    maxRetryTimeMs: 60_000,
    notebook: NO_NOTEBOOK,
    workDirectory: tmpdir(),
    ...overrides,
  };
}

export async function* streamOf<T>(elements: readonly T[]): AsyncGenerator<T> {
  yield* elements;
}
