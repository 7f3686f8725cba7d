/**
 * One connection to one database: commands in, answers out. It connects when asked and reconnects when asked again;
 * it never resends. Errors that the server answered are answers; a broken connection is a `ConnectionLost` in the place
 * of every answer that did not come.
 */
import { Command as ClientCommand, Redis } from "ioredis";

import { RestoreError } from "../../errors/restore-error.js";
import { ConnectionLost, isReplyError } from "./classify-error.js";
import type { ClientOptions } from "./target-url.js";
import { wrongScheme } from "./wrong-scheme.js";

export interface Command {
  /** Upper case: the client changes the answers of commands that it knows by their lower-case name. */
  readonly name: string;
  readonly args: readonly (string | Buffer)[];
  /** On a cluster, the node that owns this slot gets it, whatever keys it names. */
  readonly slot?: number;
}

/** Bulk and status replies are Buffers, integers numbers. An error reply, also inside an array, is an Error. */
export type Reply = Buffer | number | null | Error | readonly Reply[];

/** A value that is sent from its source block by block, as the argument at `index`. */
export interface StreamedArgument {
  readonly index: number;
  readonly size: number;
  readonly blocks: () => AsyncIterable<Buffer>;
}

export class Connection {
  readonly #options: ClientOptions;
  readonly #onOpen: (client: Redis) => Promise<void>;
  #client: Redis | undefined;
  #opening: Promise<Redis> | undefined;
  /** Not ready yet: a server that hangs may keep it so. */
  #connecting: Redis | undefined;
  #lastError: unknown;
  #closed = false;

  /** `onOpen` runs on every new connection before the first command. */
  constructor(options: ClientOptions, onOpen: (client: Redis) => Promise<void> = () => Promise.resolve()) {
    this.#options = options;
    this.#onOpen = onOpen;
  }

  /** @throws ConnectionLost with `sent` false, or the server's refusal of the credentials or the database */
  async open(): Promise<void> {
    await this.#ready();
  }

  /** Sends all commands at once. One reply a command, in order. @throws as `open` when there is no connection */
  async exchange(commands: readonly Command[]): Promise<Reply[]> {
    const client = await this.#ready();
    // One write for all of them.
    client.stream.cork();
    const replies = commands.map((command) => this.#send(client, clientCommand(command)));
    client.stream.uncork();
    return await Promise.all(replies);
  }

  /**
   * Sends one command whose argument `value.index` is read while it is sent, with no more than a block in memory. When
   * the source fails the connection is cut before the command is complete, so that the server never runs it.
   * Not to be mixed with `exchange` under way. With `pause`, the value waits behind its announced size until the pause is
   * over: a server that refuses the size says so and hangs up, and what is sent meanwhile can cost its answer.
   * @throws what the source threw; ConnectionLost
   */
  async sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    const client = await this.#ready();
    // The client counts what it receives alone, and no answer is due while the value is sent.
    delete client.options.socketTimeout;
    client.stream.setTimeout(this.#options.socketTimeout, () => client.stream.destroy());
    const sending = new StreamedCommand(command, value);
    const reply = this.#send(client, sending);
    const over = new AbortController();
    void reply.then(() => over.abort());
    try {
      if (pause !== undefined) await Promise.race([reply, pause()]);
      await pump(client, value.blocks(), over.signal);
      if (!over.signal.aborted) client.stream.write(sending.trailer);
    } catch (error) {
      client.stream.destroy();
      await reply;
      throw error;
    }
    return await reply;
  }

  close(): void {
    this.#closed = true;
    this.#client?.disconnect();
    this.#client = undefined;
    this.#connecting?.disconnect();
  }

  async #send(client: Redis, command: ClientCommand): Promise<Reply> {
    try {
      return (await client.sendCommand(command)) as Reply;
    } catch (error) {
      return isReplyError(error) ? error : new ConnectionLost(true, this.#lastError ?? error);
    }
  }

  async #ready(): Promise<Redis> {
    if (this.#closed) throw new RestoreError("INTERRUPTED", "the connection was closed", { retry: "fatal" });
    if (this.#client?.status === "ready") return this.#client;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #connect(): Promise<Redis> {
    this.#client?.disconnect();
    this.#client = undefined;
    this.#lastError = undefined;
    const client = new Redis(this.#options);
    this.#connecting = client;
    client.on("error", (error: unknown) => {
      this.#lastError = error;
    });
    // An answer that nobody waits for, if no broken socket: from here on, no answer is known to belong to its command.
    client.once("error", () => {
      client.disconnect();
      if (this.#client === client) this.#client = undefined;
    });
    try {
      await client.connect();
      await this.#onOpen(client);
    } catch (error) {
      client.disconnect();
      const cause = this.#lastError ?? error;
      if (isReplyError(cause)) throw cause;
      if (isReplyError(error)) throw error;
      throw new ConnectionLost(false, (await wrongScheme(this.#options, cause)) ?? cause);
    } finally {
      this.#connecting = undefined;
    }
    this.#client = client;
    return client;
  }
}

function clientCommand({ name, args }: Command): ClientCommand {
  return new ClientCommand(name, [...args], { replyEncoding: null });
}

/** Writes blocks with backpressure until the source ends, the server answers early, or the socket closes. */
async function pump(client: Redis, blocks: AsyncIterable<Buffer>, over: AbortSignal): Promise<void> {
  for await (const block of blocks) {
    if (over.aborted) return;
    if (!client.stream.write(block)) await drained(client, over);
  }
}

async function drained(client: Redis, over: AbortSignal): Promise<void> {
  const { stream } = client;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      over.removeEventListener("abort", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    over.addEventListener("abort", done);
    if (over.aborted || stream.destroyed) done();
  });
}

/** The client writes everything up to the streamed argument; the rest follows by hand. */
class StreamedCommand extends ClientCommand {
  readonly #header: Buffer;
  /** What stands behind the streamed argument. */
  readonly trailer: Buffer;

  constructor({ name, args }: Command, { index, size }: StreamedArgument) {
    super(name, [], { replyEncoding: null });
    const before = [name, ...args.slice(0, index)].map(bulk);
    const head = [`*${args.length + 2}\r\n`, ...before, `$${size}\r\n`];
    this.#header = Buffer.concat(head.map((part) => Buffer.from(part)));
    this.trailer = Buffer.concat([Buffer.from("\r\n"), ...args.slice(index).map(bulk)]);
  }

  override toWritable(): Buffer {
    return this.#header;
  }
}

function bulk(argument: string | Buffer): Buffer {
  const bytes = Buffer.from(argument);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}
