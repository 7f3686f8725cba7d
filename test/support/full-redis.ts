/** A Redis whose memory ends in the middle of a batch. */
import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { RedisRecord } from "../../src/model/record.js";
import { WriteStopped } from "../../src/replayers/replayer.js";
import { databaseScope } from "./redis-records.js";
import { type RestoreOptions, replayerFor } from "./redis-restore.js";

/** Leaves room for some of the records, which take ten megabytes, and expects the run to end and to know what was taken. */
export async function expectFullIsKnown(
  { url, admin }: { readonly url: string; readonly admin: Redis },
  records: readonly RedisRecord[],
  options?: RestoreOptions,
): Promise<void> {
  const replayer = replayerFor(url, options);
  try {
    await replayer.probe();
    const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    await admin.config("SET", "maxmemory", String(used + 4_000_000));
    const thrown: unknown = await replayer.write(databaseScope(), records).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(WriteStopped);
    const { ends, cause } = thrown as WriteStopped;
    expect(cause).toMatchObject({ code: "TARGET_FULL" });
    const written = ends.filter((end) => typeof end === "object" && end.kind === "restored");
    expect(written.length).toBeGreaterThan(0);
    expect(await admin.dbsize()).toBe(written.length);
    expect(new Set(ends.filter((end) => typeof end === "string"))).toEqual(new Set(["unknown"]));
  } finally {
    await replayer.close();
  }
}
