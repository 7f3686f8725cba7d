/** Watchers between a tool and its server, or on the server, that count what comes each second. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createInterface } from "node:readline";

import type { RunningServer } from "../testcontainers/server.js";
import { RateCount } from "./rate.js";

export interface RateWatch {
  /** Where the tool is sent. */
  readonly server: RunningServer;
  readonly count: RateCount;
  stop(): Promise<void>;
}

/** Of a Redis: each command of this name, at the time that the server says it ran it. */
export async function watchCommands(server: RunningServer, command: string): Promise<RateWatch> {
  const count = new RateCount();
  const { hostname, port } = new URL(server.endpoint);
  const socket = connect(Number(port), hostname);
  socket.write("MONITOR\r\n");
  const lines = createInterface({ input: socket });
  const told = new RegExp(`^\\+(\\d+\\.\\d+) \\[[^\\]]*\\] "${command}" `, "iu");
  lines.on("line", (line) => {
    const at = told.exec(line)?.[1];
    if (at !== undefined) count.note(Number(at), 1);
  });
  await once(lines, "line");
  return {
    ...{ server, count },
    stop: async () => {
      // What the server has said is still on its way.
      await new Promise((resolve) => setTimeout(resolve, 200));
      socket.destroy();
    },
  };
}

/** Of an HTTP server: the bytes of bodies, as they pass a proxy. */
export async function watchBodies(server: RunningServer): Promise<RateWatch> {
  const count = new RateCount();
  const { hostname, port } = new URL(server.endpoint);
  const proxy = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const passed = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.once("error", () => outgoing.destroy());
    incoming.on("data", (chunk: Buffer) => count.note(Date.now() / 1000, chunk.length));
    incoming.pipe(passed);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    server: { ...server, endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
    count,
    stop: async () => {
      proxy.closeAllConnections();
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
    },
  };
}
