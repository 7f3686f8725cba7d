/** How a connection ends that never came to be ready. The server is a socket of this process that answers nothing. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Command } from "ioredis";
import { expect, it } from "vitest";
import { Connection } from "../../../../src/replayers/redis/connection.js";
import { parseRedisUrl } from "../../../../src/replayers/redis/target-url.js";

it("a connection that is closed while a server that hangs keeps it from being ready ends at once", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const { options } = parseRedisUrl(`redis://127.0.0.1:${port}`);
    const connection = new Connection(options, async (client) => {
      await client.sendCommand(new Command("SELECT", ["3"]));
    });
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const opening = connection.open().then(
      () => "open",
      () => "ended",
    );
    const [socket] = await accepted;
    await once(socket, "data");
    const end = once(socket, "end");
    connection.close();
    await end;
    socket.destroy();
    expect(await opening).toBe("ended");
  } finally {
    server.close();
  }
}, 5_000);

it("a connection that is given an answer nobody waits for is not used again", async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    const answer = `+${["first", "second"][accepted++]}\r\n`;
    socket.on("data", () => socket.write(answer)).on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connection = new Connection(parseRedisUrl(`redis://127.0.0.1:${port}`).options);
  try {
    const connected = once(server, "connection") as Promise<[Socket]>;
    const ping = { name: "PING", args: [] };
    expect(String(await connection.exchange([ping]))).toBe("first");
    const [socket] = await connected;
    const closed = once(socket, "close");
    socket.write("+stale\r\n");
    await closed;
    expect(String(await connection.exchange([ping]))).toBe("second");
  } finally {
    connection.close();
    server.close();
  }
}, 5_000);
