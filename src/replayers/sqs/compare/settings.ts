/**
 * A queue's settings beside the dump's, and what can be done about those that differ.
 *
 * Attributes that the target does not show are unproven: it may have taken them or not. A redrive policy that it does not
 * show it has not got, for all servers show those that they have.
 */
import type { Difference } from "../../../model/difference.js";
import type { QueueScope } from "../../../model/scope.js";
import type { ScopeComparison } from "../../verifier.js";
import {
  applyLeavingOut,
  FIXED,
  NONE_ESSENTIAL,
  phraseOf,
  type UnlikeAttribute,
  unlikeAttributes,
  untold,
  wantedAttributes,
} from "../attributes.js";
import type { QueueAttributes, SqsApi } from "../client.js";
import { isFifo } from "../queue-state.js";
import { allowDifferences, policyDifferences } from "../redrive.js";
import { applyLateAttributes } from "../redrive-setting.js";

export interface ComparedQueue {
  readonly api: SqsApi;
  readonly scope: QueueScope;
  /** What a queue of the source is called on the target. */
  readonly targetNameOf: (sourceQueue: string) => string;
}

/** Repeatable, changes nothing. */
export async function compareSettings(queue: ComparedQueue, url: string): Promise<ScopeComparison> {
  const actual = await queue.api.attributes(url);
  return {
    exists: true,
    differences: settingDifferences(queue, actual),
    unproven: unshown(queue, actual).map((name) => `the target does not show ${name}, which the dump tells`),
  };
}

function unshown({ scope, targetNameOf }: ComparedQueue, actual: QueueAttributes): string[] {
  const names = untold(comparable(scope), actual);
  const allow = scope.settings.redriveAllowPolicy ?? "";
  const isUnknown = !showsAll(actual) && allowDifferences(allow, "", targetNameOf).length > 0;
  return isUnknown ? [...names, "RedriveAllowPolicy"] : names;
}

/** Whether a policy that the target does not show is one that it has not got: some know fewer attributes than SQS. */
function showsAll(actual: QueueAttributes): boolean {
  return ["MaximumMessageSize", "MessageRetentionPeriod", "RedriveAllowPolicy"].some((name) => name in actual);
}

/** Every setting that differs, by the attribute's name. */
function settingDifferences(
  { scope, targetNameOf }: Omit<ComparedQueue, "api">,
  actual: QueueAttributes,
): Difference[] {
  const { settings } = scope;
  const inDump = { redrive: settings.redrivePolicy ?? "", allow: settings.redriveAllowPolicy ?? "" };
  const held = { redrive: actual["RedrivePolicy"] ?? "", allow: actual["RedriveAllowPolicy"] ?? "" };
  const allow = showsAll(actual) ? allowDifferences(inDump.allow, held.allow, targetNameOf) : [];
  return [
    ...kindDifference(scope, actual),
    ...unlikeAttributes(comparable(scope), actual).map((unlike) => difference(unlike.name, phraseOf(unlike))),
    ...presence("RedrivePolicy", inDump.redrive, held.redrive, () =>
      policyDifferences(inDump.redrive, held.redrive, targetNameOf),
    ),
    ...joined("RedriveAllowPolicy", allow),
  ];
}

/**
 * Sets what differs and can be set. Repeatable.
 * @returns what still differs, a sentence each
 */
export async function mendSettings(queue: ComparedQueue, url: string): Promise<string[]> {
  const { api, scope } = queue;
  const before = await api.attributes(url);
  const warnings = await setUnlike(queue, url, changeable(scope, before));
  if (settingDifferences(queue, before).some(({ at }) => at?.startsWith("Redrive"))) {
    warnings.push(...(await applyLateAttributes({ ...queue, url, settings: scope.settings })));
  }
  const left = settingDifferences(queue, await api.attributes(url));
  return left.map(({ at = "", detail }) => whyOf(at, warnings) ?? `${detail}: it cannot be changed`);
}

/**
 * Sets, of what differs, what messages that are sent afterwards may need. Redrive policies wait for them, and so does a
 * longer delay of a FIFO queue, which would delay them: SQS takes no delay of theirs there.
 */
export async function mendBeforeSending(queue: ComparedQueue, url: string): Promise<void> {
  const { api, scope } = queue;
  const unlike = changeable(scope, await api.attributes(url));
  const delays = ({ name, held, wanted }: UnlikeAttribute): boolean =>
    name === "DelaySeconds" && scope.settings.fifo && Number(wanted) > Number(held);
  await setUnlike(
    queue,
    url,
    unlike.filter((each) => !delays(each)),
  );
}

function changeable(scope: QueueScope, actual: QueueAttributes): UnlikeAttribute[] {
  return unlikeAttributes(comparable(scope), actual).filter(({ name }) => !FIXED.has(name));
}

/** Answers with warnings. */
async function setUnlike({ api }: ComparedQueue, url: string, unlike: readonly UnlikeAttribute[]): Promise<string[]> {
  if (unlike.length === 0) return [];
  const attributes = Object.fromEntries(unlike.map(({ name, wanted }) => [name, wanted]));
  const { warnings } = await applyLeavingOut(attributes, (some) => setSome(api, url, some), NONE_ESSENTIAL);
  return [...warnings];
}

async function setSome(api: SqsApi, url: string, attributes: QueueAttributes): Promise<void> {
  if (Object.keys(attributes).length > 0) await api.setAttributes(url, attributes);
}

/** The warning that speaks of the attribute, in its own words or as the redrive policies' are. */
function whyOf(name: string, warnings: readonly string[]): string | undefined {
  const words = name === "RedrivePolicy" ? "the redrive policy" : "the redrive allow policy";
  return warnings.find((each) => each.startsWith(name) || (name.startsWith("Redrive") && each.startsWith(words)));
}

/** What the dump tells of a queue, but for its kind: a standard queue is one that does not say so. */
function comparable({ settings }: QueueScope): QueueAttributes {
  return Object.fromEntries(Object.entries(wantedAttributes(settings)).filter(([name]) => name !== "FifoQueue"));
}

function kindDifference({ settings }: QueueScope, actual: QueueAttributes): Difference[] {
  const kind = (fifo: boolean): string => (fifo ? "a FIFO queue" : "a standard queue");
  const held = isFifo(actual);
  return held === settings.fifo
    ? []
    : [difference("FifoQueue", `it is ${kind(held)}, in the dump ${kind(settings.fifo)}`)];
}

function presence(name: string, inDump: string, held: string, compare: () => readonly string[]): Difference[] {
  if (inDump === "" && held === "") return [];
  if (held === "") return [difference(name, `${name} is missing, the dump has one`)];
  if (inDump === "") return [difference(name, `${name} is set, the dump has none`)];
  return joined(name, compare());
}

function joined(name: string, phrases: readonly string[]): Difference[] {
  return phrases.length === 0 ? [] : [difference(name, phrases.join("; "))];
}

function difference(name: string, detail: string): Difference {
  return { kind: "setting", at: name, detail };
}
