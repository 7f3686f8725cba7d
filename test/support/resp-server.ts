/** A server of this process that speaks Redis's protocol and answers what a script says. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

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
    let read = "";
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      read += data.toString("latin1");
      for (let next = firstCommand(read); next !== undefined; next = firstCommand(read)) {
        read = read.slice(next.length);
        socket.write(answer(next.words, (server.address() as AddressInfo).port));
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

function firstCommand(text: string): { readonly words: readonly string[]; readonly length: number } | undefined {
  const count = /^\*(\d+)\r\n/.exec(text);
  if (count === null) return undefined;
  const words: string[] = [];
  let at = count[0].length;
  for (let i = 0; i < Number(count[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(at, end));
    at = end + 2;
  }
  return { words, length: at };
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
