/** A queue's metadata. */
import type { QueueScope, QueueSettings } from "../model/scope.js";
import { type JsonObject, JsonSyntaxError, parseJson } from "../support/json.js";
import { present } from "../support/present.js";
import { structuralError } from "./faults.js";
import {
  asObject,
  asString,
  assertFormatVersion,
  FieldError,
  optionalBoolean,
  optionalNumber,
  optionalString,
} from "./json-access.js";
import { assertSameName, readMetadata, type ScopeContext } from "./scope-context.js";
import type { ScopeDirectory } from "./scope-directories.js";
import { strayFiles } from "./stray-files.js";

/** @throws RestoreError SCHEMA_INVALID, SCOPE_INVALID */
export async function readQueueScope(
  context: ScopeContext,
  directory: ScopeDirectory,
): Promise<Omit<QueueScope, "target">> {
  const { catalogue } = context;
  const path = `${directory.path}/_queue.json`;
  const row = catalogue.find(path);
  if (row === undefined)
    throw structuralError("SCOPE_INVALID", { path: directory.path }, "the queue has no _queue.json");
  const { name, settings } = await readMetadata(path, catalogue.content(row), readQueue);
  assertSameName(directory, path, name);
  const files = ["_queue.json", "messages.jsonl", "KEYMAP.jsonl"];
  const known = (below: string) => files.includes(below) || below.startsWith("_internals/");
  return {
    adapter: "sqs",
    name,
    path: directory.path,
    settings,
    warnings: strayFiles(catalogue, directory.path, known),
  };
}

/** @throws FieldError */
function readQueue(root: JsonObject): { name: string; settings: QueueSettings } {
  assertFormatVersion(root);
  const settings = {
    fifo: optionalBoolean(root, "fifo") ?? false,
    contentBasedDeduplication: optionalBoolean(root, "content_based_deduplication") ?? false,
    delaySeconds: optionalCount(root, "delay_seconds") ?? 0,
    receiveMessageWaitSeconds: optionalCount(root, "receive_message_wait_seconds") ?? 0,
    visibilityTimeoutSeconds: optionalCount(root, "visibility_timeout_seconds"),
    // No queue keeps messages for no time or takes none of any size: zero is Go's way to say nothing.
    messageRetentionSeconds: optionalCount(root, "message_retention_seconds") || undefined,
    maximumMessageSize: optionalCount(root, "maximum_message_size") || undefined,
    redrivePolicy: optionalPolicy(root, "redrive_policy"),
    redriveAllowPolicy: optionalPolicy(root, "redrive_allow_policy"),
    partitionCount: optionalCount(root, "partition_count") || undefined,
    fifoThroughputLimit: optionalString(root, "fifo_throughput_limit"),
    deduplicationScope: optionalString(root, "deduplication_scope"),
  };
  return { name: asString(root.get("name"), '"name"'), settings: present(settings) };
}

function optionalCount(root: JsonObject, name: string): number | undefined {
  const value = optionalNumber(root, name);
  if (value !== undefined && value < 0) throw new FieldError(`"${name}" is negative`);
  return value;
}

function optionalPolicy(root: JsonObject, name: string): string | undefined {
  const text = optionalString(root, name);
  if (text === undefined) return undefined;
  try {
    asObject(parseJson(Buffer.from(text)), `"${name}"`);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new FieldError(`"${name}" holds no JSON: ${error.message}`);
  }
  return text;
}
