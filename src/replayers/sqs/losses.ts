/** What a queue loses beside its visible messages when it is emptied for the dump: settings too, which become the dump's. */
import type { QueueScope } from "../../model/scope.js";
import { FIXED, unlikeAttributes, wantedAttributes } from "./attributes.js";
import type { QueueAttributes } from "./client.js";
import { depthOf } from "./queue-state.js";
import { allowDifferences, policyDifferences } from "./redrive.js";

/** A phrase each. */
export function lossesOf(
  { settings }: QueueScope,
  held: QueueAttributes,
  targetNameOf: (sourceQueue: string) => string,
): string[] {
  const { inFlight = 0, delayed = 0 } = depthOf(held) ?? {};
  const changed = unlikeAttributes(wantedAttributes(settings), held).filter(({ name }) => !FIXED.has(name));
  const redrive = [settings.redrivePolicy ?? "", held["RedrivePolicy"] ?? ""] as const;
  const allow = [settings.redriveAllowPolicy ?? "", held["RedriveAllowPolicy"] ?? ""] as const;
  return [
    ...(inFlight === 0 ? [] : [`messages in flight (${inFlight})`]),
    ...(delayed === 0 ? [] : [`delayed messages (${delayed})`]),
    ...changed.map(({ name, held: value, wanted }) => `${name} ${value}, which becomes ${wanted}`),
    ...policyLoss("the redrive policy", redrive, policyDifferences(...redrive, targetNameOf)),
    ...policyLoss("the redrive allow policy", allow, allowDifferences(...allow, targetNameOf)),
  ];
}

/** Only a policy that is there can be lost. */
function policyLoss(
  what: string,
  [inDump, held]: readonly [inDump: string, held: string],
  differences: readonly string[],
): string[] {
  if (held === "" || differences.length === 0) return [];
  return [inDump === "" ? `${what}: the dump has none` : `${what}: ${differences.join("; ")}`];
}
