/**
 * Compares a record with what stands under its key now: type, content, expiry, and a stream's last id. One key takes
 * three requests, which many records' share.
 */
import type { Expiry } from "../../../model/policy.js";
import type { RedisRecord } from "../../../model/record.js";
import { type Comparing, type Comparison, EQUAL } from "../../verifier.js";
import { typeOfRecord, type WriteContext } from "../context.js";
import { outcomeOfError } from "../outcomes.js";
import { compareContent } from "./content.js";
import { compareExpiry, type HeldExpiry, heldExpiryOf } from "./expiry.js";
import { Findings } from "./findings.js";
import { compareLastId } from "./last-id.js";
import type { Matter } from "./matter.js";

const EXPIRED: Comparison = { differences: [], expired: true };
const NEW_IDS = "entries that were appended have other ids than the dump's";

/** @throws RestoreError that ends the run; what concerns the record alone leaves it unproven */
export async function compareRecord(context: WriteContext, record: RedisRecord, how: Comparing): Promise<Comparison> {
  try {
    return await compared(context, record, how);
  } catch (error) {
    const { reason = "unknown", detail = reason } = outcomeOfError(error);
    return { differences: [], unproven: [`it could not be compared: ${detail}`] };
  }
}

async function compared(context: WriteContext, record: RedisRecord, how: Comparing): Promise<Comparison> {
  const expiry = context.policy.expiryOf(record.expireAtMs);
  const held = await look(context, record.key);
  const isGone = held.type === "none";
  if (isPast(context, expiry, how) && (isGone || isPast(context, asExpiry(held.expiry), how))) return EXPIRED;
  if (isNoKey(context, record)) {
    const detail = "the target holds something where the dump has nothing that a server can hold";
    return isGone || how.allowMore ? EQUAL : { differences: [{ kind: "type", detail }] };
  }
  if (isGone) return { differences: [{ kind: "missing", detail: "the target lacks the key" }] };
  if (expiry.kind === "skip") {
    return { differences: [{ kind: "expiry", detail: "its time is past, and the target holds it still" }] };
  }
  const comparison = await comparedWith(context, { record, held, expiry }, how);
  if (comparison.differences.length === 0 || !isPast(context, expiry, how)) return comparison;
  return (await look(context, record.key)).type === "none" ? EXPIRED : comparison;
}

interface Pair {
  readonly record: RedisRecord;
  readonly held: Held;
  readonly expiry: Exclude<Expiry, { kind: "skip" }>;
}

async function comparedWith(context: WriteContext, pair: Pair, how: Comparing): Promise<Comparison> {
  const { record, held, expiry } = pair;
  const { abilities, clock, policy } = context;
  const { allowMore, toleranceMs } = how;
  const findings = new Findings();
  const isAppended = allowMore && policy.actionFor(typeOfRecord(record)) === "append";
  const matter: Matter = { reader: context, findings, allowMore, isAppended };
  await compareContent(matter, record, held.type);
  if (record.kind === "stream" && held.type === "stream") {
    await compareLastId(matter, record);
    if (isAppended && findings.count > 0) return { differences: [], unproven: [NEW_IDS] };
    const unreadable = record.faultyEntries.length;
    if (unreadable > 0) findings.cannotTell(`${unreadable} of its entries cannot be read in the dump`);
  }
  // What the dump gives no expiry keeps the one that it has there.
  if (!allowMore || record.expireAtMs !== undefined) {
    compareExpiry(findings, { expected: expiry, held: held.expiry, abilities, nowMs: clock.now(), toleranceMs });
  }
  return findings.comparison();
}

/** Writing it leaves no key: what a target cannot hold empty. */
function isNoKey({ abilities }: WriteContext, record: RedisRecord): boolean {
  if (record.kind === "collection") return record.count === 0;
  return (
    record.kind === "hll" && record.content.form === "members" && record.content.count === 0 && abilities.elastickv
  );
}

interface Held {
  readonly type: string;
  readonly expiry: HeldExpiry;
}

async function look({ link, abilities, clock }: WriteContext, key: Buffer): Promise<Held> {
  const question = abilities.expireTime ? "PEXPIRETIME" : "PTTL";
  let askedAt = 0;
  const [type, reply] = await link.request({
    build: () => {
      askedAt = clock.now();
      return [
        { name: "TYPE", args: [key] },
        { name: question, args: [key] },
      ];
    },
  });
  for (const [name, answer] of [
    ["TYPE", type],
    [question, reply],
  ] as const) {
    if (answer instanceof Error) throw link.classify(answer, name);
  }
  const answeredAt = clock.now();
  return { type: String(type), expiry: heldExpiryOf({ reply, isAbsolute: abilities.expireTime, askedAt, answeredAt }) };
}

/** The target's clock may be ahead of ours. */
function isPast({ clock }: WriteContext, expiry: Expiry, { toleranceMs }: Comparing): boolean {
  if (expiry.kind === "skip") return true;
  return expiry.kind === "at" && expiry.atMs <= BigInt(Math.ceil(clock.now() + toleranceMs));
}

function asExpiry(held: HeldExpiry): Expiry {
  return held.kind === "none" ? { kind: "none" } : { kind: "at", atMs: held.from };
}
