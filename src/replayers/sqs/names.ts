/** Which names a queue can have. Pure. */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { QueueScope } from "../../model/scope.js";

const LONGEST_NAME = 80;
const FIFO_SUFFIX = ".fifo";

/** @throws RestoreError TARGET_SCOPE_IMPOSSIBLE when SQS can hold no such queue under the scope's target name */
export function checkQueueName(scope: QueueScope, endpoint: string): void {
  const fault = nameFault(scope.target, scope.settings.fifo);
  if (fault === undefined) return;
  const suggestion = suggestedName(scope.target, scope.settings.fifo);
  throw new RestoreError(
    "TARGET_SCOPE_IMPOSSIBLE",
    `no queue can be called ${escapeForDisplay(scope.target)}: ${fault}`,
    {
      where: { adapter: "sqs", scope: scope.name, endpoint },
      hint: `Give the queue another name: --rename sqs:${escapeForDisplay(scope.name)}=${suggestion}`,
      retry: "fatal",
    },
  );
}

function nameFault(name: string, fifo: boolean): string | undefined {
  const isSuffixed = name.endsWith(FIFO_SUFFIX);
  if (fifo && !isSuffixed) return "the name of a FIFO queue ends in .fifo";
  if (!fifo && isSuffixed) return "only a FIFO queue's name ends in .fifo";
  if (name.length > LONGEST_NAME) return `it has ${name.length} characters, SQS takes ${LONGEST_NAME}`;
  const stem = fifo ? name.slice(0, -FIFO_SUFFIX.length) : name;
  return /^[A-Za-z0-9_-]+$/.test(stem) ? undefined : "SQS takes letters, digits, - and _";
}

function suggestedName(name: string, fifo: boolean): string {
  const stem = name.replace(/\.fifo$/, "").replace(/[^A-Za-z0-9_-]/g, "_") || "queue";
  const suffix = fifo ? FIFO_SUFFIX : "";
  return `${stem.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
}
