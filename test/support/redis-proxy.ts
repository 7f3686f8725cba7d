/**
 * A TCP proxy on the loopback in front of a Redis. It watches what clients send for a text and then, once an order:
 * cuts the connection before the server sees it, lets the server apply it and loses the answer, or cuts the connection
 * and delivers what it sent much later, as something between client and server may that keeps what it cannot pass on.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Fault = "cut" | "lose-answer";

export interface RedisProxy {
  readonly url: string;
  /** Times that a fault was acted out. */
  readonly faults: number;
  /** The next `times` packets that hold `text` suffer `fault`. */
  order(text: string, fault: Fault, times?: number): void;
  /** The next packet that holds `text` is cut off, and reaches the server just before one that holds `before`. */
  deliverLate(text: string, before: string): void;
  stop(): Promise<void>;
}

export async function startRedisProxy(target: string): Promise<RedisProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let order: { text: string; fault: Fault; left: number } | undefined;
  let late: { text: string; before: string; held?: () => void } | undefined;
  let faults = 0;

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        if (!holding) upstream.destroy();
      });
    }
    let losing = false;
    let holding = false;
    client.on("data", (data) => {
      if (late !== undefined && late.held === undefined && data.includes(late.text)) {
        faults++;
        holding = true;
        late.held = () => upstream.write(data);
        client.destroy();
        return;
      }
      if (late?.held !== undefined && data.includes(late.before)) {
        late.held();
        late = undefined;
        // The server reads connections in turn.
        setTimeout(() => upstream.write(data), 50);
        return;
      }
      if (order !== undefined && order.left > 0 && data.includes(order.text)) {
        order.left--;
        faults++;
        if (order.fault === "cut") {
          client.destroy();
          return;
        }
        losing = true;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (losing) client.destroy();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get faults() {
      return faults;
    },
    order: (text, fault, times = 1) => {
      order = { text, fault, left: times };
    },
    deliverLate: (text, before) => {
      late = { text, before };
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
