/**
 * Redrive policies name queues by ARN, and the dump's ARNs name the source's queues. Here they are rewritten to the
 * target's. The policy's text is kept as it is around them, so that nothing else in it changes. Pure.
 */
import { escapeForDisplay } from "../../model/display.js";
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson } from "../../support/json.js";

/** A queue's ARN as a whole JSON string; the last part is the queue's name. */
const QUEUE_ARN = /"arn:[^":\\]*:sqs:[^"\\]*:([^":\\]+)"/g;

/** Names of the queues that a policy refers to, in its order; empty when it refers to none that can be read. */
export function queuesNamed(policy: string): string[] {
  return [...policy.matchAll(QUEUE_ARN)].flatMap((match) => (match[1] === undefined ? [] : [match[1]]));
}

/** The policy with every queue's ARN replaced by what `arnOf` gives for its name in the dump. */
export function withArns(policy: string, arnOf: (queue: string) => string): string {
  return policy.replace(QUEUE_ARN, (_match, queue: string) => `"${arnOf(queue)}"`);
}

/** The ARN of another queue beside the one with `arn`: same service, region and account. */
export function siblingArn(arn: string, queue: string): string {
  return `${arn.slice(0, arn.lastIndexOf(":") + 1)}${queue}`;
}

/** How often a queue's messages may be received before the target moves them elsewhere; undefined: any number of times. */
export function mostReceives(policy: string | undefined): number | undefined {
  const count = Number(textOf(memberOf(policy ?? "", "maxReceiveCount")) ?? "");
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** Where a redrive policy of the target is not the dump's, a phrase each; its queues are known by their names. */
export function policyDifferences(inDump: string, held: string, targetNameOf: (source: string) => string): string[] {
  const [wantedQueue, heldQueue] = [queuesNamed(inDump).map(targetNameOf)[0], queuesNamed(held)[0]];
  const [wantedCount, heldCount] = [inDump, held].map((policy) => textOf(memberOf(policy, "maxReceiveCount")));
  return [
    ...(wantedQueue === heldQueue
      ? []
      : [`dead letters go to ${shown(heldQueue)}, in the dump to ${shown(wantedQueue)}`]),
    ...(wantedCount === heldCount ? [] : [`maxReceiveCount is ${shown(heldCount)}, in the dump ${shown(wantedCount)}`]),
  ];
}

/** As `policyDifferences`, for the policy of whose dead letters a queue takes. None at all is one that allows all. */
export function allowDifferences(inDump: string, held: string, targetNameOf: (source: string) => string): string[] {
  const [wanted, actual] = [permissionOf(inDump), permissionOf(held)];
  const sources = sortedText(queuesNamed(inDump).map(targetNameOf));
  const heldSources = sortedText(queuesNamed(held));
  return [
    ...(wanted === actual ? [] : [`redrivePermission is ${shown(actual)}, in the dump ${shown(wanted)}`]),
    ...(sources === heldSources ? [] : [`the queues named are ${shown(heldSources)}, in the dump ${shown(sources)}`]),
  ];
}

function permissionOf(policy: string): string {
  return textOf(memberOf(policy, "redrivePermission")) ?? "allowAll";
}

function memberOf(policy: string, name: string): JsonValue | undefined {
  try {
    const parsed = parseJson(Buffer.from(policy));
    return parsed instanceof Map ? parsed.get(name) : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** Numbers come in quotes and without. */
function textOf(value: JsonValue | undefined): string | undefined {
  return value instanceof JsonNumber ? value.text : typeof value === "string" ? value : undefined;
}

function sortedText(names: readonly string[]): string {
  return [...names].sort().join(", ");
}

function shown(text: string | undefined): string {
  return text === undefined || text === "" ? "none" : escapeForDisplay(text);
}
