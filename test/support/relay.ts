/** A relay on the loopback in front of a server that calls a function when a client has sent a text. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Relay {
  /** The server's address, through the relay. */
  readonly endpoint: string;
  /** Called once, before the server sees the packet that holds `text`. */
  onceSent(text: string, then: () => void): void;
  stop(): Promise<void>;
}

/** `at`: the port; by default one that is free. */
export async function startRelay(target: string, at = 0): Promise<Relay> {
  const { protocol, hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let watch: { readonly text: string; readonly then: () => void } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (data) => {
      if (watch === undefined || !data.includes(watch.text)) return;
      const { then } = watch;
      watch = undefined;
      then();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  return {
    endpoint: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    onceSent: (text, then) => {
      watch = { text, then };
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
