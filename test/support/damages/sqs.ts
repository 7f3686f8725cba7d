/** Damages to queues: a queue each, whose messages are counted and not received. */
import { type DumpFile, sqsMessage } from "../dump-builder.js";
import type { Queues } from "../sqs-queues.js";
import { type Damage, foundAs } from "./damage.js";

const ARN = "arn:aws:sqs:us-east-1:000000000000:dead";

function queue(name: string, settings: object = {}, messages = 1): Record<string, DumpFile> {
  const lines = Array.from({ length: messages }, (_, i) => sqsMessage(`${name} ${i}`, { message_id: `${name}-${i}` }));
  return {
    [`sqs/${name}/_queue.json`]: { format_version: 1, name, visibility_timeout_seconds: 45, ...settings },
    [`sqs/${name}/messages.jsonl`]: lines,
  };
}

function set(key: string, settings: object, attributes: Record<string, string>, at: string): Damage<Queues> {
  return {
    key,
    files: queue(key, settings),
    damage: (queues) => queues.setAttributes(key, attributes),
    found: foundAs({ scope: `sqs:${key}` }, `setting ${at}`),
  };
}

const redrive = (maxReceiveCount: number) => JSON.stringify({ deadLetterTargetArn: ARN, maxReceiveCount });

export const QUEUE_DAMAGES: readonly Damage<Queues>[] = [
  set("visibility", {}, { VisibilityTimeout: "46" }, "VisibilityTimeout"),
  set("delay", { delay_seconds: 0 }, { DelaySeconds: "5" }, "DelaySeconds"),
  set(
    "waiting",
    { receive_message_wait_seconds: 3 },
    { ReceiveMessageWaitTimeSeconds: "4" },
    "ReceiveMessageWaitTimeSeconds",
  ),
  set("redrive", { redrive_policy: redrive(50) }, { RedrivePolicy: redrive(51) }, "RedrivePolicy"),
  set("redrive-more", {}, { RedrivePolicy: redrive(50) }, "RedrivePolicy"),
  {
    key: "count-more",
    files: queue("count-more", {}, 2),
    damage: (queues) => queues.send("count-more", "stranger", { DelaySeconds: 0 }),
    found: foundAs({ scope: "sqs:count-more" }, "count"),
  },
  {
    key: "count-less",
    files: queue("count-less", {}, 2),
    damage: (queues) => queues.drain("count-less"),
    found: foundAs({ scope: "sqs:count-less" }, "count"),
  },
  {
    key: "queue",
    files: queue("lost"),
    damage: (queues) => queues.deleteQueue("lost"),
    found: foundAs({ scope: "sqs:lost" }, "scope-missing"),
  },
];

export const QUEUE_FILES: Readonly<Record<string, DumpFile>> = queue("dead");
