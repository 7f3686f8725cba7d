/** An interruption before the first write, while a target hangs. The target is a socket that answers nothing. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDump } from "../support/dump-builder.js";
import { runCli } from "../support/run-cli.js";

let server: Server;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "ours" } });
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server?.close();
  await dump?.remove();
});

describe("while a target hangs", () => {
  it.each([
    ["apply", "interrupted before anything was written"],
    ["plan", "interrupted"],
  ])("an interruption ends %s at once", async (command, message) => {
    const { port } = server.address() as AddressInfo;
    const interruption = new AbortController();
    server.once("connection", () => interruption.abort());
    const argv = [command, dump.path, "--redis-url", `redis://127.0.0.1:${port}`, "--progress", "none"];
    const { status, stderr } = await runCli(argv, {}, { signal: interruption.signal });
    expect(status).toBe(130);
    expect(stderr).toBe(`error: ${message}\n`);
  });
});
