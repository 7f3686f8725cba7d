/**
 * What elastickv's Redis port holds of a dump. It cannot be listed (SCAN, KEYS and DBSIZE end the server), so only the
 * dump's own keys are asked for: what is there beside them is not seen. A stream's last id shows in what XADD refuses.
 */
import { Redis } from "ioredis";

import { type ExpectedRedis, streamValue } from "./expected-redis.js";
import { compareStates, type Difference, type Exception, type Facets, type State, withoutExceptions } from "./state.js";
import { keyFacets } from "./verify-redis.js";

const UNASKED = "(not asked)";

/** The only database that it has. */
const DATABASE = "db_0";

/** Every difference in the dump's keys of database 0. Changes nothing where there is none. */
export async function verifyElastickvRedis(
  expected: ExpectedRedis,
  url: string,
  exceptions: readonly Exception[] = [],
): Promise<Difference[]> {
  const wanted: State = new Map();
  const actual: State = new Map();
  const client = new Redis(url, { protocol: 2, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    for (const [record, { database, key }] of expected.keys) {
      if (database !== DATABASE) continue;
      const facets = expectedFacets(expected, record);
      wanted.set(record, facets);
      // To ask for a last id that is not there would hand it out.
      const isAsked = !exceptions.some((exception) => exception.record === record && exception.facet === "last id");
      const held = await heldFacets(client, key, isAsked ? facets : { ...facets, "last id": UNASKED });
      if (held !== undefined) actual.set(record, held);
    }
  } finally {
    client.disconnect();
  }
  return withoutExceptions(compareStates(wanted, actual), exceptions);
}

/** Deletes all that database 0 holds of the dump: FLUSHDB leaves streams. */
export async function clearElastickvRedis(expected: ExpectedRedis, url: string): Promise<void> {
  const client = new Redis(url, { protocol: 2 });
  await client.flushdb();
  for (const { database, key } of expected.keys.values()) if (database === DATABASE) await client.del(key);
  client.disconnect();
}

/** It keeps members where Redis keeps registers. */
function expectedFacets({ state, hyperLogLogs }: ExpectedRedis, record: string): Facets {
  const content = hyperLogLogs.get(record);
  const facets = state.get(record) ?? {};
  if (content === undefined || !("members" in content)) return facets;
  const distinct = new Set(content.members.map((member) => member.toString("hex")));
  return { ...facets, members: String(distinct.size) };
}

async function heldFacets(client: Redis, key: Buffer, wanted: Facets): Promise<Facets | undefined> {
  const type = await client.type(key);
  if (type === "none") return undefined;
  const leftMs = await client.pttl(key);
  const expiry: Facets = leftMs < 0 ? {} : { expiry: { atMs: BigInt(Date.now() + leftMs) } };
  if (type === "stream") return { ...(await streamFacets(client, key, String(wanted["last id"]))), ...expiry };
  if ("members" in wanted && type === "string") return { type, members: String(await client.pfcount(key)), ...expiry };
  return { ...(await keyFacets(client, key, false)), ...expiry };
}

/** The wanted last id is reached where no entry can be added under it; how far it is exceeded cannot be asked. */
async function streamFacets(client: Redis, key: Buffer, wantedId: string): Promise<Facets> {
  const entries = await client.xrangeBuffer(key, "-", "+");
  const value = streamValue(entries.map(([id, fields]) => [id.toString(), fields]));
  return { type: "stream", value, "last id": (await takesId(client, key, wantedId)) ? "below" : wantedId };
}

async function takesId(client: Redis, key: Buffer, id: string): Promise<boolean> {
  if (id === "0-0" || id === UNASKED) return false;
  try {
    await client.xadd(key, id, "probe", "");
  } catch (error) {
    if (error instanceof Error && error.message.includes("equal or smaller")) return false;
    throw error;
  }
  return true;
}
