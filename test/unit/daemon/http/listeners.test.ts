import { mkdtemp, rm } from "node:fs/promises";
import { get, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { listenOnTcp, listenOnUnix } from "../../../../src/daemon/http/listeners.js";
import { systemClock } from "../../../../src/support/clock.js";

const servers: Server[] = [];
vi.mock("node:http", async (original) => {
  const real = await original<typeof import("node:http")>();
  const createServer = (options: object) => {
    const server = real.createServer(options);
    servers.push(server);
    return server;
  };
  return { ...real, createServer };
});

it("a connection that the system does not let it take ends no listener", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ek-listeners-"));
  const socketPath = join(folder, "d.sock");
  const handle: Parameters<typeof listenOnUnix>[1] = (_request, response) => void response.end("here");
  const listeners = [
    await listenOnUnix(socketPath, handle, systemClock),
    await listenOnTcp({ host: "127.0.0.1", port: 0, hosts: [] }, handle, systemClock),
  ];
  try {
    expect(servers).toHaveLength(2);
    // As Node tells of it, and more than once.
    const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE", syscall: "accept" });
    for (const server of [...servers, ...servers]) server.emit("error", error);
    const url = listeners[1]?.url ?? "";
    for (const place of [{ socketPath }, { port: new URL(url).port }]) {
      const status = await new Promise((resolve, reject) => {
        get({ ...place, agent: false }, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
      });
      expect(status).toBe(200);
    }
  } finally {
    await Promise.all(listeners.map((each) => each.close(1_000)));
    await rm(folder, { recursive: true });
  }
});
