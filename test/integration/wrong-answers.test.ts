/** Endpoints that are not what they are taken for: no server of the protocol, a portal, a proxy's page. Nothing counts as restored. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { SOUND_FILES } from "../support/corpus/case.js";
import { blemishes } from "../support/corpus/laboratory.js";
import { temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { runCli } from "../support/run-cli.js";

let dump: Awaited<ReturnType<typeof temporaryDump>>;
const open: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  dump = await temporaryDump({ files: SOUND_FILES });
});
afterAll(async () => {
  await dump?.remove();
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  open.push(server);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers every request so, whatever it asks. */
const answering =
  (status: number, type: string, body: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": type }).end(body);
  };

const ADAPTERS = ["redis", "dynamodb", "s3", "sqs"] as const;
type AdapterName = (typeof ADAPTERS)[number];

/** The target's name in its message, the status of a target that is not acceptable, and not a byte of the answer. */
async function refuses(adapter: AdapterName, address: string): Promise<void> {
  const named =
    adapter === "redis" ? ["--redis-url", `redis://${address}`] : [`--${adapter}-endpoint`, `http://${address}`];
  const argv = ["apply", dump.path, "--adapter", adapter, ...named, "--max-retry-time", "300ms", "--progress", "none"];
  const result = await runCli(argv, CLI_ENVIRONMENT);
  expect(result.status, result.stdout + result.stderr).toBe(5);
  expect(result.stdout).toBe("");
  expect(result.stderr).toContain(address);
  expect(result.stderr.trimEnd().split("\n").length, "it says what next").toBeGreaterThan(1);
  expect(result.stderr).not.toContain("secret-page");
  expect(blemishes(result)).toEqual([]);
}

const PAGE = "<html><body>\u001b[31m sign in: secret-page</body></html>";

const WEB: readonly (readonly [name: string, answer: RequestListener])[] = [
  ["a portal's page", answering(200, "text/html", PAGE)],
  ["a proxy's page", answering(502, "text/html", PAGE)],
  ["nothing", answering(200, "text/plain", "")],
  ["null", answering(200, "application/x-amz-json-1.0", "null")],
  ["an empty object", answering(200, "application/x-amz-json-1.0", "{}")],
  [
    "fields of other types",
    answering(200, "application/x-amz-json-1.0", '{"__proto__":{},"TableNames":7,"QueueUrls":{}}'),
  ],
  ["a redirect", (_, response) => response.writeHead(301, { location: "http://127.0.0.1:9/secret-page" }).end()],
  [
    "an answer that is cut",
    (_, response) => {
      response.writeHead(200, { "content-length": 5000, "content-type": "application/xml" });
      response.write('<?xml version="1.0"?><Lis', () => response.destroy());
    },
  ],
];

describe.each(WEB)("a web server that answers all with %s is refused as a target of", (_, answer) => {
  it.each(ADAPTERS)("%s", async (adapter) => {
    await refuses(adapter, await listen(createHttpServer(answer)));
  });
});

const COMMANDS = /\*\d+\r\n\$\d+\r\n[A-Za-z]/g;

/** One answer a command, always the same; one to what holds no command. */
const replying = (answer: string) => (socket: Socket) => {
  socket.on("data", (bytes) => {
    const commands = bytes.toString("latin1").match(COMMANDS)?.length ?? 1;
    socket.write(answer.repeat(commands));
  });
};

const RESP: readonly (readonly [name: string, connection: (socket: Socket) => void])[] = [
  ["OK", replying("+OK\r\n")],
  ["1", replying(":1\r\n")],
  ["a text", replying("$5\r\nhello\r\n")],
  ["nothing there", replying("$-1\r\n")],
  ["what is no RESP", (socket) => socket.end("\0\u0001garbage\r\n\r\n")],
  ["arrays in arrays", replying("*1\r\n".repeat(100_000))],
  [
    "more than was asked",
    (socket) => {
      socket.on("data", () => socket.write("+OK\r\n".repeat(1000)));
    },
  ],
];

describe.each(RESP)("a server that answers all with %s is refused as a target of", (_, connection) => {
  it.each(ADAPTERS)("%s", async (adapter) => {
    await refuses(adapter, await listen(createTcpServer(connection)));
  });
});
