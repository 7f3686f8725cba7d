/** By what messages are known and told apart, and where two of them differ. Pure. */
import { createHash } from "node:crypto";
import type { Difference } from "../../../model/difference.js";
import { escapeForDisplay } from "../../../model/display.js";
import type { MessageAttribute, MessageRecord } from "../../../model/record.js";
import { canonicalNumber } from "../../../support/decimal.js";
import { isMadeId } from "../deduplication.js";
import type { HeldMessage } from "../held-message.js";

/** What a message is, wherever it stands. */
export type Parts = Pick<HeldMessage, "attributes" | "groupId" | "deduplicationId"> & {
  /** Hexadecimal SHA-256. */
  readonly bodyDigest: string;
  readonly bodyBytes: number;
};

export function partsOf(message: MessageRecord | HeldMessage): Parts {
  const { body, attributes, groupId = "", deduplicationId = "" } = message;
  return {
    attributes,
    bodyDigest: createHash("sha256").update(body).digest("hex"),
    bodyBytes: body.length,
    ...(groupId === "" ? {} : { groupId }),
    ...(deduplicationId === "" ? {} : { deduplicationId }),
  };
}

/** The same for two messages exactly when body, attributes and group are. */
export function contentKey({ bodyDigest, attributes, groupId }: Parts): string {
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const told = sorted.map(([name, attribute]) => [name, attribute.dataType, ...comparable(attribute)]);
  return createHash("sha256")
    .update(JSON.stringify([bodyDigest, groupId ?? null, told]))
    .digest("hex");
}

/** The id that a FIFO queue knows the message by: where it has none, the digest of its body may take its place. */
export function effectiveId({ deduplicationId, bodyDigest }: Parts): string {
  return deduplicationId ?? bodyDigest;
}

/** Where the target's message is not the dump's; its deduplication id may be one that a restore made. */
export function differencesBetween(record: Parts, held: Parts, fifo: boolean): Difference[] {
  return [
    ...(record.bodyDigest === held.bodyDigest
      ? []
      : [value("body", `another body of ${held.bodyBytes} bytes, the dump's has ${record.bodyBytes}`)]),
    ...attributeDifferences(new Map(record.attributes), new Map(held.attributes)),
    ...(record.groupId === held.groupId ? [] : [value("MessageGroupId", "it is in another group")]),
    ...(fifo && isOtherId(record, held) ? [value("MessageDeduplicationId", "it has another deduplication id")] : []),
  ];
}

/** elastickv tells no id of a message that it took by its body. */
function isOtherId({ deduplicationId: own, bodyDigest }: Parts, { deduplicationId: held }: Parts): boolean {
  if (own === undefined || held === own) return false;
  return held === undefined ? own !== bodyDigest : !isMadeId(held);
}

function attributeDifferences(
  inDump: ReadonlyMap<string, MessageAttribute>,
  held: ReadonlyMap<string, MessageAttribute>,
): Difference[] {
  const names = new Set([...inDump.keys(), ...held.keys()]);
  return [...names].flatMap((name): Difference[] => {
    const at = `attribute "${escapeForDisplay(name)}"`;
    const [wanted, actual] = [inDump.get(name), held.get(name)];
    if (actual === undefined) return [{ kind: "missing-part", at, detail: "the message has no such attribute" }];
    if (wanted === undefined) return [{ kind: "extra-part", at, detail: "the dump's message has no such attribute" }];
    if (wanted.dataType !== actual.dataType) {
      const types = `${escapeForDisplay(actual.dataType)}, in the dump ${escapeForDisplay(wanted.dataType)}`;
      return [{ kind: "type", at, detail: `its data type is ${types}` }];
    }
    return isSameValue(wanted, actual) ? [] : [value(at, "it has another value")];
  });
}

function isSameValue(a: MessageAttribute, b: MessageAttribute): boolean {
  const [kind, text] = comparable(a);
  const [otherKind, otherText] = comparable(b);
  return kind === otherKind && text === otherText;
}

/** SQS takes leading and trailing zeros off numbers (developer guide, "Message attribute data types"). */
function comparable({ dataType, value: given }: MessageAttribute): readonly [kind: string, text: string] {
  if ("binary" in given) return ["binary", given.binary.toString("base64")];
  const isNumber = dataType === "Number" || dataType.startsWith("Number.");
  return isNumber ? ["number", canonicalNumber(given.string)] : ["string", given.string];
}

function value(at: string, detail: string): Difference {
  return { kind: "value", at, detail };
}
