/**
 * Redrive policies name queues by ARN, and the dump's ARNs name the source's queues. Here they are rewritten to the
 * target's. The policy's text is kept as it is around them, so that nothing else in it changes. Pure.
 */

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
