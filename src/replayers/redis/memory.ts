/** How much a server may hold and holds, from its INFO. What it is short of later, through others, nobody can know. */
import type { MemoryState } from "../replayer.js";

/** Undefined where there is no limit, or the server does not tell. */
export function memoryOf(info: ReadonlyMap<string, string>): MemoryState | undefined {
  const limitBytes = numberIn(info.get("maxmemory"));
  const usedBytes = numberIn(info.get("used_memory"));
  if (limitBytes === undefined || limitBytes === 0 || usedBytes === undefined) return undefined;
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  return { limitBytes, usedBytes, ...(policy === "noeviction" ? {} : { dropsBy: policy }) };
}

/**
 * Bytes that flushing a database of so many keys gives back, at a guess: its share of all keys, of what the server uses
 * beyond what it began with.
 */
export function freedByFlush(info: ReadonlyMap<string, string>, keys: number): number {
  const used = numberIn(info.get("used_memory")) ?? 0;
  const startup = numberIn(info.get("used_memory_startup")) ?? used;
  // `db0:keys=3,expires=0,avg_ttl=0`
  const counts = [...info].map(([name, value]) =>
    /^db\d+$/.test(name) ? (/keys=(\d+)/.exec(value)?.[1] ?? "0") : "0",
  );
  const all = counts.reduce((sum, count) => sum + Number(count), 0);
  return all === 0 ? 0 : Math.max(0, used - startup) * Math.min(1, keys / all);
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
