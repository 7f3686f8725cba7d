/** A Redis that is restarted in the middle of a restore, with and without what it had acknowledged. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

import { afterEach, beforeEach, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCliWithReport } from "../support/run-cli.js";

const KEYS = 300;

let before: RunningServer;
let after: RunningServer;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
/** One address, behind which one server or the other stands. */
let front: Server;
const sockets = new Set<Socket>();
let upstream: RunningServer;

beforeEach(async () => {
  [before, after] = [await startRedis(), await startRedis()];
  upstream = before;
  front = createServer((client) => {
    const server = connect(Number(new URL(upstream.endpoint).port), "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const files = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `v${i}`] as const);
  dump = await temporaryDump({ files: Object.fromEntries(files) });
}, 300_000);

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  front?.close();
  await Promise.all([before?.stop(), after?.stop(), dump?.remove()]);
});

/** The other server takes the place of the first one, with all of its keys or with none. */
async function restart({ withData }: { readonly withData: boolean }): Promise<void> {
  const [old, fresh] = [onlooker(before.endpoint), onlooker(after.endpoint)];
  for (const key of withData ? await old.keys("*") : []) await fresh.set(key, (await old.get(key)) ?? "");
  old.disconnect();
  fresh.disconnect();
  upstream = after;
  await before.stop();
  for (const socket of sockets) socket.destroy();
}

it.each([
  ["without what it had, under no mode", { withData: false }, []],
  ["with what it had, under no mode", { withData: true }, []],
  ["without what it had, under skip-existing", { withData: false }, ["--mode", "skip-existing"]],
  ["with what it had, under skip-existing", { withData: true }, ["--mode", "skip-existing"]],
] as const)("%s: has every key in the end, and each counts once", async (_, how, mode) => {
  const url = `redis://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const running = runCliWithReport(["apply", dump.path, "--redis-url", url, "--rate-limit", "150ops/s", ...mode]);
  const old = onlooker(before.endpoint);
  await expect.poll(() => old.dbsize(), { timeout: 30_000, interval: 10 }).toBeGreaterThan(20);
  old.disconnect();
  await restart(how);
  const { status, stderr, report } = await running;
  expect(status, stderr).toBe(0);
  expect(report?.totals).toMatchObject({ restored: KEYS, "skipped-existing": 0, failed: 0 });
  const client = onlooker(after.endpoint);
  expect(await client.dbsize()).toBe(KEYS);
  expect(await client.mget("k0", `k${KEYS - 1}`)).toEqual(["v0", `v${KEYS - 1}`]);
  client.disconnect();
});
