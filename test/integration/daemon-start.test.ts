/** The daemon's beginning and end: what is found before anything is started, and what is left behind. */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CheckedSettings, checkSettings, SettingsFault } from "../../src/daemon/check-settings.js";
import { type DaemonInit, startDaemon } from "../../src/daemon/daemon.js";
import { createLog } from "../../src/daemon/log.js";
import { daemonSchema } from "../../src/daemon/settings.js";
import { systemClock } from "../../src/support/clock.js";
import { fakeJobs } from "../support/fake-jobs.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-daemon-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ENV = { TOKEN: "a-token-of-enough-chars" };

async function init(
  settings: object,
  jobs: Partial<Awaited<ReturnType<DaemonInit["openJobs"]>>> = {},
): Promise<DaemonInit> {
  const parsed = daemonSchema.parse(settings);
  const init = { settings: parsed, stateDirectory: folder, targets: [], env: ENV, cwd: folder };
  const checked: CheckedSettings = await checkSettings(init);
  return {
    ...init,
    checked,
    pid: process.pid,
    isAlive: () => true,
    clock: systemClock,
    log: createLog(new Writable({ write: (_chunk, _encoding, done) => done() })),
    version: "0.0.0",
    openJobs: async () => ({ ...fakeJobs(), start: async () => undefined, stop: async () => undefined, ...jobs }),
  };
}

async function statusOf(path: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(folder, "daemon.sock"), path, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("error", reject).end();
  });
}

it("jobs can be asked for once those of before were taken up, and no more when the daemon ends", async () => {
  const moments: Record<string, () => void> = {};
  const moment = (name: string) =>
    new Promise<void>((resolve) => {
      moments[name] = resolve;
    });
  const start = () => moment("begun");
  const stop = () => moment("ended");
  const starting = startDaemon(await init({}, { start, stop }));
  await expect.poll(() => statusOf("/readyz").catch(() => 0)).toBe(503);
  expect(await statusOf("/v1/jobs")).toBe(503);
  expect(await statusOf("/healthz")).toBe(200);
  moments["begun"]?.();
  const daemon = await starting;
  expect(daemon.urls).toEqual([`unix:${join(folder, "daemon.sock")}`]);
  expect([await statusOf("/readyz"), await statusOf("/v1/jobs")]).toEqual([200, 200]);
  const stopping = daemon.stop();
  await expect.poll(() => moments["ended"]).toBeDefined();
  expect(await statusOf("/v1/jobs")).toBe(503);
  moments["ended"]?.();
  await stopping;
  await expect(statusOf("/healthz")).rejects.toMatchObject({ code: "ENOENT" });
});

it("a second daemon of one state directory is refused, until the first has ended", async () => {
  const first = await startDaemon(await init({}));
  await expect(startDaemon(await init({ socket: join(folder, "other.sock") }))).rejects.toMatchObject({
    code: "JOB_HELD",
    message: `a daemon has the state directory ${folder} already (process ${process.pid})`,
  });
  await first.stop();
  await (await startDaemon(await init({}))).stop();
});

it("a port in use is found before a job is begun, and nothing is left", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  let hasStarted = false;
  const start = async () => {
    hasStarted = true;
  };
  const settings = { listen: { port }, tokens: [{ name: "a", role: "read", env: "TOKEN" }] };
  const error: unknown = await startDaemon(await init(settings, { start })).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SettingsFault);
  expect((error as SettingsFault).mistakes).toEqual([
    { path: ["listen"], message: `cannot listen on 127.0.0.1, port ${port}: another process listens there` },
  ]);
  expect(hasStarted).toBe(false);
  expect((await readdir(folder)).filter((name) => name.includes("sock"))).toEqual([]);
  await new Promise((resolve) => other.close(resolve));
  await (await startDaemon(await init(settings))).stop();
});

it("jobs that cannot be taken up end the daemon, and leave nothing", async () => {
  const start = () => Promise.reject(new Error("damaged"));
  await expect(startDaemon(await init({}, { start }))).rejects.toThrow("damaged");
  await expect(stat(join(folder, "daemon.sock"))).rejects.toMatchObject({ code: "ENOENT" });
  await (await startDaemon(await init({}))).stop();
});
