/**
 * `node redis-loop.mjs DUMP URL`: the dump's strings by a plain loop, SET after SET, 16 under way at once: for targets that
 * take no RESP from a pipe.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { inFlight } from "./in-flight.mjs";
import { expiriesIn } from "./redis-files.mjs";

const [, , dump = "", url = ""] = process.argv;
const database = join(dump, "redis", "db_0");
const folder = join(database, "strings");
const client = new Redis(url, { protocol: 2, enableReadyCheck: false });
const expiries = expiriesIn(database);
await inFlight(readdirSync(folder), async (name) => {
  const key = name.slice(0, -".bin".length);
  const value = readFileSync(join(folder, name));
  const expiry = expiries.get(key);
  await (expiry === undefined ? client.set(key, value) : client.set(key, value, "PX", expiry - Date.now()));
});
client.disconnect();
