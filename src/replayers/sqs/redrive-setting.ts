/**
 * What is set on a queue once all queues exist and all messages are sent: who takes its dead letters, whose dead letters
 * it takes, and a FIFO queue's delay. What the target does not take is left out with a warning.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { QueueSettings } from "../../model/scope.js";
import { isQueueMissing } from "./classify-error.js";
import type { QueueAttributes, SqsApi } from "./client.js";
import { queuesNamed, siblingArn, withArns } from "./redrive.js";

export interface FinishedQueue {
  readonly api: SqsApi;
  readonly url: string;
  readonly settings: QueueSettings;
  /** What a queue of the source is called on the target. */
  readonly targetNameOf: (sourceQueue: string) => string;
}

/** Repeatable. @returns warnings @throws RestoreError OUTAGE and its like */
export async function applyLateAttributes(queue: FinishedQueue): Promise<string[]> {
  const actual = await queue.api.attributes(queue.url);
  return [
    ...(await setDelay(queue, actual)),
    ...(await setRedrivePolicy(queue, actual)),
    ...(await setRedriveAllowPolicy(queue, actual)),
  ];
}

/** What `applyLateAttributes` sets of the dump's, by their attributes' names. */
export function lateAttributes(settings: QueueSettings): string[] {
  const { fifo, delaySeconds, redrivePolicy, redriveAllowPolicy } = settings;
  return [
    ...(fifo && delaySeconds > 0 ? ["DelaySeconds"] : []),
    ...(isSet(redrivePolicy) ? ["RedrivePolicy"] : []),
    ...(isSet(redriveAllowPolicy) ? ["RedriveAllowPolicy"] : []),
  ];
}

async function setDelay(queue: FinishedQueue, actual: QueueAttributes): Promise<string[]> {
  const wanted = String(queue.settings.delaySeconds);
  if (!queue.settings.fifo || actual["DelaySeconds"] === wanted) return [];
  return await set(queue, "DelaySeconds", wanted);
}

async function setRedrivePolicy(queue: FinishedQueue, actual: QueueAttributes): Promise<string[]> {
  const policy = queue.settings.redrivePolicy ?? "";
  if (policy === "") return isSet(actual["RedrivePolicy"]) ? await set(queue, "RedrivePolicy", "") : [];
  const [source] = queuesNamed(policy);
  if (source === undefined) return ["the redrive policy was left out: it names no queue that can be read"];
  const target = queue.targetNameOf(source);
  const arn = await arnOf(queue.api, target);
  if (arn === undefined) {
    return [`the redrive policy was left out: the target has no queue ${escapeForDisplay(target)} for dead letters`];
  }
  return await set(
    queue,
    "RedrivePolicy",
    withArns(policy, () => arn),
  );
}

async function setRedriveAllowPolicy(queue: FinishedQueue, actual: QueueAttributes): Promise<string[]> {
  const policy = queue.settings.redriveAllowPolicy ?? "";
  if (policy === "") return isSet(actual["RedriveAllowPolicy"]) ? await set(queue, "RedriveAllowPolicy", "") : [];
  const own = actual["QueueArn"];
  if (own === undefined && queuesNamed(policy).length > 0) {
    return ["the redrive allow policy was left out: the target does not tell the queue's ARN"];
  }
  const rewritten = withArns(policy, (source) => siblingArn(own ?? "", queue.targetNameOf(source)));
  return await set(queue, "RedriveAllowPolicy", rewritten);
}

/** The ARN of the target's queue of that name. */
async function arnOf(api: SqsApi, name: string): Promise<string | undefined> {
  try {
    const url = await api.queueUrl(name);
    return url === undefined ? undefined : (await api.attributes(url))["QueueArn"];
  } catch (error) {
    if (isQueueMissing(error) || isAnswer(error)) return undefined;
    throw error;
  }
}

async function set(queue: FinishedQueue, name: string, value: string): Promise<string[]> {
  try {
    await queue.api.setAttributes(queue.url, { [name]: value });
    return [];
  } catch (error) {
    if (!isAnswer(error)) throw error;
    return [`${name} was left out: the target refused it (${error.message})`];
  }
}

/** The target's own word on this request, and no trouble with the target as a whole. */
function isAnswer(error: unknown): error is RestoreError {
  return error instanceof RestoreError && error.retry === "no" && error.code !== "CHANGED_AFTER_CHECK";
}

function isSet(policy: string | undefined): boolean {
  return policy !== undefined && policy !== "";
}
