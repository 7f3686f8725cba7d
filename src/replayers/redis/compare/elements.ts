/**
 * Compares a hash, a set or a zset: every element of the dump is asked for. When the target then holds more than were
 * found, and only then, it is gone through for what the dump lacks.
 */
import type { CollectionRecord } from "../../../model/record.js";
import type { Command, Reply } from "../connection.js";
import { findExtras } from "./extras.js";
import { pathOf } from "./findings.js";
import type { Matter } from "./matter.js";
import { type Element, isSame, type NamedType, NOUN, nameOf } from "./parts.js";

const COUNT = { hash: "HLEN", set: "SCARD", zset: "ZCARD" } as const;

export async function compareElements(matter: Matter, record: CollectionRecord): Promise<void> {
  const { type } = record;
  if (type === "list") return;
  const { reader, findings, allowMore } = matter;
  const held = Number(await reader.link.command(COUNT[type], [record.key]));
  if (findings.oneIsEnough && held !== record.count) {
    findings.add("count", `the target holds ${held} elements, the dump ${record.count}`);
    return;
  }
  let missing = 0;
  for await (const chunk of record.elements()) {
    missing += await compareChunk(matter, { key: record.key, type }, chunk);
    if (findings.isSettled) return;
  }
  const extras = held - (record.count - missing);
  if (extras > 0 && !allowMore) await findExtras(matter, { record, type, held, extras });
}

interface Named {
  readonly key: Buffer;
  readonly type: NamedType;
}

/** How many are not there. */
async function compareChunk({ reader, findings }: Matter, named: Named, chunk: readonly Element[]): Promise<number> {
  const held = await ask(reader.link, named, chunk);
  let missing = 0;
  chunk.forEach((element, i) => {
    const reply = held[i] ?? null;
    const at = (): string => pathOf(NOUN[named.type], nameOf(named.type, element));
    if (reply === null || (named.type === "set" && reply !== 1)) {
      missing++;
      findings.add("missing-part", "the target lacks it", at());
    } else if (named.type === "hash" && !isSame(reply, element[1])) {
      findings.add("value", "the target holds another value", at());
    } else if (named.type === "zset" && scoreOf(reply) !== scoreOf(element[0])) {
      findings.add("score", "the target holds another score", at());
    }
  });
  return missing;
}

/** A reply an element. */
async function ask(
  link: Matter["reader"]["link"],
  { key, type }: Named,
  chunk: readonly Element[],
): Promise<readonly Reply[]> {
  const names = chunk.map((element) => nameOf(type, element));
  const commands: readonly Command[] =
    type === "hash"
      ? [{ name: "HMGET", args: [key, ...names] }]
      : names.map((name) => ({ name: type === "set" ? "SISMEMBER" : "ZSCORE", args: [key, name] }));
  const replies = await link.request({ build: () => commands });
  const refused = replies.find((reply) => reply instanceof Error);
  if (refused !== undefined) throw link.classify(refused, commands[0]?.name ?? "");
  if (type !== "hash") return replies;
  const [values] = replies;
  return Array.isArray(values) ? (values as readonly Reply[]) : [];
}

/**
 * Infinities are written `inf`, `+inf` and `+Inf`, depending on who writes. Minus zero is zero: Redis 7.2 and later lose
 * its sign in small collections, and it sorts as zero does.
 */
function scoreOf(text: unknown): number {
  const score = String(text).toLowerCase();
  if (/^\+?inf/.test(score)) return Number.POSITIVE_INFINITY;
  return score.startsWith("-inf") ? Number.NEGATIVE_INFINITY : Number(score);
}
