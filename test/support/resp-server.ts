/** A server of this process that speaks Redis's protocol and answers what a script says. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { firstCommand } from "./faults/resp-text.js";

export { bulk } from "./faults/resp-text.js";

export interface RespServer {
  readonly port: number;
  /** Connections that were made to it. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** `answer` gets a command's words and gives the reply as it goes over the line. Small commands only. */
export async function startRespServer(answer: (words: readonly string[], port: number) => string): Promise<RespServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    let read: Buffer = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      read = Buffer.concat([read, data]);
      for (let next = firstCommand(read); next !== undefined; next = firstCommand(read)) {
        read = read.subarray(next.bytes.length);
        const words = next.words.map((word) => word.toString("latin1"));
        socket.write(answer(words, (server.address() as AddressInfo).port));
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
