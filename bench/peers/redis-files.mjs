/** What the Redis peers know of the dump's format beside one file a key: lines of JSON, and the expiries of strings. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} path @returns {Generator<any>} */
export function* linesIn(path) {
  for (const line of readFileSync(path, "utf8").split("\n")) if (line !== "") yield JSON.parse(line);
}

/** @param {string} database its folder @returns {Map<string, number>} milliseconds by key, as the dump encodes it */
export function expiriesIn(database) {
  const path = join(database, "strings_ttl.jsonl");
  if (!existsSync(path)) return new Map();
  return new Map(Array.from(linesIn(path), ({ key, expire_at_ms: expiry }) => [key, expiry]));
}
