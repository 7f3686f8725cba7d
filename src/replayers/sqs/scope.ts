/**
 * Makes a queue ready for messages: creates, empties or keeps it. What has to wait for all queues is `redrive-setting.ts`.
 *
 * A purge may take messages that are sent within a minute after it, so an emptied queue tells from when on it may be
 * sent to.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { QueueScope } from "../../model/scope.js";
import {
  applyLeavingOut,
  attributesForSending,
  differences,
  FIXED,
  NONE_ESSENTIAL,
  untold,
  wantedAttributes,
} from "./attributes.js";
import { isQueueMissing, sqsErrorName } from "./classify-error.js";
import type { QueueAttributes, SqsApi } from "./client.js";
import type { QueueNotes, Takeover } from "./queue-notes.js";

type QueueApi = Pick<
  SqsApi,
  "attributes" | "calls" | "createQueue" | "endpoint" | "purge" | "queueUrl" | "setAttributes"
>;

export interface PreparedQueue {
  readonly url: string;
  readonly takeover: Takeover;
  readonly attributes: QueueAttributes;
  /** Unix milliseconds before which nothing may be sent. */
  readonly readyAtMs: number;
  /** Unix milliseconds since when only the job sends; absent: the queue can remember no id of an earlier run. */
  readonly suspectSince?: number;
  readonly warnings: readonly string[];
}

const ALREADY_THERE = new Set(["QueueNameExists", "QueueAlreadyExists"]);

const PURGE_WAIT_MS = 60_000;

/**
 * How long nothing may be sent after a purge. A shorter time is for servers that purge at once: the AWS service deletes
 * for up to 60 s, and what is sent meanwhile may go with the rest (API reference, PurgeQueue).
 */
export function purgeWaitMs(asked: number | undefined, aws: boolean): number {
  return aws ? Math.max(PURGE_WAIT_MS, asked ?? 0) : (asked ?? PURGE_WAIT_MS);
}

/** SQS takes one purge of a queue in 60 s. */
const PURGE_REST_MS = 60_000;
const PURGE_RETRY_MS = 5_000;

const NEW_QUEUE_MS = 60_000;
const NEW_QUEUE_RETRY_MS = 1_000;

/** Creates the queue, or brings one that is there by now to the dump's attributes. Repeatable. */
export async function createQueue(api: QueueApi, scope: QueueScope): Promise<PreparedQueue> {
  const wanted = attributesForSending(scope.settings);
  const { result: url, warnings } = await applyLeavingOut(wanted, (attributes) => createOnce(api, scope, attributes));
  if (url === undefined) return await adoptQueue(api, scope);
  const actual = await attributesOfNew(api, url);
  return {
    url,
    takeover: "create",
    attributes: actual,
    readyAtMs: 0,
    warnings: [...warnings, ...unlike(wanted, actual, warnings)],
  };
}

/** Undefined: a queue of this name is there, with other attributes. */
async function createOnce(api: QueueApi, scope: QueueScope, attributes: QueueAttributes): Promise<string | undefined> {
  try {
    return await api.createQueue(scope.target, attributes);
  } catch (error) {
    if (error instanceof RestoreError && ALREADY_THERE.has(sqsErrorName(error.cause))) return undefined;
    throw error;
  }
}

/** SQS may not know a queue for some seconds after it was created (API reference, CreateQueue). */
async function attributesOfNew(api: QueueApi, url: string): Promise<QueueAttributes> {
  const { clock, signal } = api.calls;
  for (const since = clock.now(); ; ) {
    try {
      return await api.attributes(url);
    } catch (error) {
      if (!isQueueMissing(error) || clock.now() - since > NEW_QUEUE_MS) throw error;
      await clock.sleep(NEW_QUEUE_RETRY_MS, signal);
    }
  }
}

async function adoptQueue(api: QueueApi, scope: QueueScope): Promise<PreparedQueue> {
  const url = await existingUrl(api, scope);
  return { url, takeover: "create", readyAtMs: 0, ...(await withDumpAttributes(api, url, scope)) };
}

export interface Purging {
  readonly waitMs: number;
  readonly notes: QueueNotes;
}

/**
 * Purges the queue and gives it the dump's attributes. Deletes messages. Where the target takes no purge because an
 * earlier process of the job asked for one just before, that one will do.
 */
export async function emptyQueue(api: QueueApi, scope: QueueScope, { waitMs, notes }: Purging): Promise<PreparedQueue> {
  const url = await api.queueUrl(scope.target);
  if (url === undefined) return await createQueue(api, scope);
  const purgedAt = await purge(api, url, notes.purgedAt);
  await notes.notePurge(purgedAt);
  return { url, takeover: "empty", readyAtMs: purgedAt + waitMs, ...(await withDumpAttributes(api, url, scope)) };
}

/** Takes a queue up that an earlier process of the job made ready. Changes nothing; that one's purge may not be over. */
export async function reopenQueue(
  api: QueueApi,
  scope: QueueScope,
  { takeover, purging }: { readonly takeover: Takeover; readonly purging: Purging },
): Promise<PreparedQueue> {
  const { warnings, ...kept } = await keepQueue(api, scope);
  const { suspectSince } = purging.notes;
  return {
    ...kept,
    takeover,
    readyAtMs: takeover === "empty" ? readyAgainAt(purging, api.calls.clock.now()) : 0,
    ...(suspectSince === undefined ? {} : { suspectSince }),
    warnings: takeover === "keep" ? warnings : [],
  };
}

function readyAgainAt({ notes, waitMs }: Purging, now: number): number {
  // To be emptied, it was not there.
  if (notes.takeover === "create") return 0;
  // Where the clock was set back, the wait is no longer than it was.
  return Math.min(notes.purgedAt ?? now, now) + waitMs;
}

/** Takes a queue as it is. */
export async function keepQueue(api: QueueApi, scope: QueueScope): Promise<PreparedQueue> {
  const url = await existingUrl(api, scope);
  const attributes = await api.attributes(url);
  const warnings = [
    ...differences(wantedAttributes(scope.settings), attributes),
    ...policyDifferences(scope, attributes),
  ];
  return { url, takeover: "keep", attributes, readyAtMs: 0, warnings };
}

/**
 * Waits a purge of somebody else's out.
 * @returns Unix milliseconds by which the target had taken the purge; `before`: that of the job's last one
 */
async function purge(api: QueueApi, url: string, before: number | undefined): Promise<number> {
  const { clock, signal } = api.calls;
  const since = clock.now();
  for (;;) {
    try {
      await api.purge(url);
      return clock.now();
    } catch (error) {
      const isUnderWay = error instanceof RestoreError && error.reason === "purge-in-progress";
      if (!isUnderWay || clock.now() - since > PURGE_REST_MS + PURGE_RETRY_MS) throw error;
      if (before !== undefined && since - before >= 0 && since - before < PURGE_REST_MS) return before;
      await clock.sleep(PURGE_RETRY_MS, signal);
    }
  }
}

async function withDumpAttributes(api: QueueApi, url: string, { settings }: QueueScope) {
  const wanted = attributesForSending(settings);
  const before = await api.attributes(url);
  const changing = Object.entries(wanted).filter(([name, value]) => !FIXED.has(name) && before[name] !== value);
  if (changing.length === 0) return { attributes: before, warnings: unlike(wanted, before, []) };
  const { warnings } = await applyLeavingOut(
    Object.fromEntries(changing),
    async (attributes) => {
      if (Object.keys(attributes).length > 0) await api.setAttributes(url, attributes);
    },
    NONE_ESSENTIAL,
  );
  const attributes = await api.attributes(url);
  return {
    attributes,
    warnings: [...warnings, ...unlike(wanted, attributes, warnings), ...kept(settings, attributes)],
  };
}

/** Where the queue is not as it should be, beside what a warning speaks of already. */
function unlike(wanted: QueueAttributes, actual: QueueAttributes, warned: readonly string[]): string[] {
  const isNew = (name: string): boolean => !warned.some((warning) => warning.startsWith(`${name}=`));
  const open = Object.fromEntries(Object.entries(wanted).filter(([name]) => isNew(name)));
  const silent = untold(open, actual);
  return [
    ...differences(open, actual),
    ...(silent.length === 0
      ? []
      : [`the target may have ignored ${silent.join(", ")}: asked for its attributes, it does not show that`]),
  ];
}

/** Attributes that the dump does not tell and a queue that existed may have set to something. */
function kept(settings: QueueScope["settings"], actual: QueueAttributes): string[] {
  const wanted = wantedAttributes(settings);
  return ["VisibilityTimeout", "MessageRetentionPeriod", "MaximumMessageSize"].flatMap((name) =>
    name in wanted || actual[name] === undefined ? [] : [`${name} stays ${actual[name]}: the dump does not tell it`],
  );
}

function policyDifferences({ settings }: QueueScope, actual: QueueAttributes): string[] {
  const pairs = [
    ["RedrivePolicy", settings.redrivePolicy],
    ["RedriveAllowPolicy", settings.redriveAllowPolicy],
  ] as const;
  return pairs.flatMap(([name, inDump]) => {
    const isInDump = (inDump ?? "") !== "";
    if (isInDump === ((actual[name] ?? "") !== "")) return [];
    return [isInDump ? `${name} is missing, the dump has one` : `${name} is set, the dump has none`];
  });
}

async function existingUrl(api: QueueApi, { target, name }: QueueScope): Promise<string> {
  const url = await api.queueUrl(target);
  if (url !== undefined) return url;
  throw new RestoreError("CALL_FAILED", "the queue is no longer there", {
    where: { adapter: "sqs", scope: name, endpoint: api.endpoint },
    hint: "Run the restore again: it creates queues that are missing.",
    reason: "queue-missing",
  });
}
