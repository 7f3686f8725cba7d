/**
 * A proxy on the loopback in front of a Redis. A script sees every command, whole, and says what becomes of it and of
 * its reply; commands of one pipeline may meet different ends. Replies keep their order.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

import { type Fault, isSlowness, pause } from "./fault.js";
import { endOfReply, firstCommand, type RespCommand } from "./resp-text.js";

export interface RedisRequest {
  /** How many came before it since the script was set. */
  readonly index: number;
  /** Upper case. */
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * `answer`: a reply as it goes over the line, without its end; the server sees nothing. `hold`: the client is cut off, and
 * the server gets the request when the function that is handed out is called, as from something that keeps what it
 * cannot pass on.
 */
export type RedisVerdict = Fault | { readonly answer: string } | { readonly hold: (deliver: () => void) => void };

/** Later commands of the connection wait for it. */
export type RedisScript = (request: RedisRequest) => RedisVerdict | Promise<RedisVerdict>;

export interface RedisFaultProxy {
  readonly endpoint: string;
  readonly requests: readonly RedisRequest[];
  /** Takes the place of the script from the next command on. */
  follow(script: RedisScript): void;
  stop(): Promise<void>;
}

export async function startRedisFaultProxy(target: string): Promise<RedisFaultProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const requests: RedisRequest[] = [];
  let script: RedisScript = () => "pass";
  const judge = async ({ words, bytes }: RespCommand): Promise<RedisVerdict> => {
    const request = { index: requests.length, name: String(words[0]).toUpperCase(), bytes };
    requests.push(request);
    return await script(request);
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    new Conversation(client, upstream, judge).begin();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    follow: (next) => {
      script = next;
      requests.length = 0;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A reply that is due: of the server, or made here. */
type Due = { readonly fault: RedisVerdict; readonly made?: Buffer };

/** One client's connection and the one to the server that belongs to it. */
class Conversation {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #judge: (command: RespCommand) => Promise<RedisVerdict>;
  #commands: Buffer = Buffer.alloc(0);
  #replies: Buffer = Buffer.alloc(0);
  readonly #due: Due[] = [];
  /** Nothing more goes to the server, or to the client. */
  #deaf = false;
  #mute = false;
  /** The server's side outlives the client's. */
  #holds = false;
  #taking: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();

  constructor(client: Socket, upstream: Socket, judge: (command: RespCommand) => Promise<RedisVerdict>) {
    this.#client = client;
    this.#upstream = upstream;
    this.#judge = judge;
  }

  begin(): void {
    this.#client.on("data", (data) => this.#take(data));
    this.#upstream.on("data", (data) => this.#answer(data));
    this.#client.on("close", () => {
      if (!this.#holds) this.#upstream.end();
    });
    this.#upstream.on("close", () => {
      if (!this.#mute) void this.#sending.then(() => this.#client.destroy());
    });
  }

  #take(data: Buffer): void {
    this.#commands = Buffer.concat([this.#commands, data]);
    this.#taking = this.#taking.then(() => this.#doAll());
  }

  async #doAll(): Promise<void> {
    while (!this.#deaf) {
      const next = firstCommand(this.#commands);
      if (next === undefined) return;
      this.#commands = this.#commands.subarray(next.bytes.length);
      this.#do(next.bytes, await this.#judge(next));
    }
  }

  #do(bytes: Buffer, fault: RedisVerdict): void {
    if (typeof fault === "object" && "answer" in fault) {
      this.#due.push({ fault, made: Buffer.from(`${fault.answer}\r\n`) });
      this.#sendDue();
      return;
    }
    if (typeof fault === "object" && "hold" in fault) {
      this.#deaf = this.#mute = this.#holds = true;
      fault.hold(() => this.#upstream.write(bytes));
      this.#client.destroy();
      return;
    }
    switch (fault) {
      case "cut-before":
        this.#deaf = true;
        // What was asked before is answered first.
        this.#due.push({ fault, made: Buffer.alloc(0) });
        this.#sendDue();
        return;
      case "hang-before":
        this.#deaf = this.#mute = true;
        return;
      case "cut-within":
        this.#deaf = true;
        this.#upstream.write(bytes.subarray(0, bytes.length / 2), () => this.#end());
        return;
      case "cut-after":
        this.#deaf = true;
        this.#upstream.write(bytes, () => this.#client.destroy());
        return;
      default:
        this.#due.push({ fault });
        this.#upstream.write(bytes);
    }
  }

  #answer(data: Buffer): void {
    this.#replies = Buffer.concat([this.#replies, data]);
    this.#sendDue();
  }

  #sendDue(): void {
    for (let next = this.#due[0]; next !== undefined; next = this.#due[0]) {
      const reply = next.made ?? this.#nextReply();
      if (reply === undefined) return;
      this.#due.shift();
      const { fault } = next;
      this.#sending = this.#sending.then(() => this.#hand(reply, fault));
    }
  }

  #nextReply(): Buffer | undefined {
    const end = endOfReply(this.#replies);
    if (end === undefined) return undefined;
    const reply = this.#replies.subarray(0, end);
    this.#replies = this.#replies.subarray(end);
    return reply;
  }

  async #hand(reply: Buffer, fault: RedisVerdict): Promise<void> {
    if (this.#mute) return;
    if (isSlowness(fault)) return await this.#handSlowly(reply, fault);
    if (fault === "hang-after") this.#deaf = this.#mute = true;
    else if (fault === "lose-reply" || fault === "cut-before") this.#end();
    else if (fault === "cut-reply") {
      this.#deaf = this.#mute = true;
      this.#client.write(reply.subarray(0, reply.length / 2), () => this.#end());
    } else this.#client.write(reply);
  }

  async #handSlowly(reply: Buffer, fault: { delayMs: number } | { byteEveryMs: number }): Promise<void> {
    if ("delayMs" in fault) {
      await pause(fault.delayMs);
      this.#client.write(reply);
      return;
    }
    for (const byte of reply) {
      this.#client.write(Buffer.of(byte));
      await pause(fault.byteEveryMs);
    }
  }

  #end(): void {
    this.#deaf = this.#mute = true;
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
