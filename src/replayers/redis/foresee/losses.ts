/** What emptying a database takes away beside its keys and their values. Functions and users stay: FLUSHDB keeps them. */
import type { Link } from "../link.js";
import { scannedKeys, type Target } from "../scope.js";

/** Keys that are looked at. */
const MOST_KEYS = 100_000;

/** A phrase each. Changes nothing. @throws RestoreError as `Link.request` */
export async function lossesOf({ link, abilities }: Target): Promise<readonly string[]> {
  if (!abilities.listable || !abilities.xgroup) return [];
  const { streams, isAll } = await streamsWithGroups(link);
  if (streams === 0) return [];
  const number = `${isAll ? "" : "at least "}${streams} ${streams === 1 ? "stream" : "streams"}`;
  return [`the consumer groups of ${number}, with what is pending in them`];
}

async function streamsWithGroups(link: Link): Promise<{ readonly streams: number; readonly isAll: boolean }> {
  let [seen, streams] = [0, 0];
  for (const shard of await link.shards()) {
    for await (const keys of scannedKeys(link.at(shard))) {
      streams += await countWithGroups(link, keys);
      seen += keys.length;
      if (seen >= MOST_KEYS) return { streams, isAll: false };
    }
  }
  return { streams, isAll: true };
}

async function countWithGroups(link: Link, keys: readonly Buffer[]): Promise<number> {
  const types = await link.request({ build: () => keys.map((key) => ({ name: "TYPE", args: [key] })) });
  const streams = keys.filter((_, i) => String(types[i]) === "stream");
  const groups = await link.request({ build: () => streams.map((key) => ({ name: "XINFO", args: ["GROUPS", key] })) });
  return groups.filter((reply) => Array.isArray(reply) && reply.length > 0).length;
}
