/**
 * One connection to one database: commands in, answers out. It connects when asked and reconnects when asked again;
 * it never resends. Errors that the server answered are answers; a broken connection is a `ConnectionLost` in the place
 * of every answer that did not come.
 *
 * The client library makes the connection (TLS, credentials, the database); from then on its socket is a session's.
 */
import { Redis } from "ioredis";

import { RestoreError } from "../../errors/restore-error.js";
import { ConnectionLost, isReplyError } from "./classify-error.js";
import type { Command, Reply, StreamedArgument } from "./resp.js";
import { Session } from "./session.js";
import type { ClientOptions } from "./target-url.js";
import { wrongScheme } from "./wrong-scheme.js";

export type { Command, Reply, StreamedArgument } from "./resp.js";

export class Connection {
  readonly #options: ClientOptions;
  readonly #onOpen: (client: Redis) => Promise<void>;
  #open: { readonly client: Redis; readonly session: Session } | undefined;
  #opening: Promise<Session> | undefined;
  /** Not ready yet: a server that hangs may keep it so. */
  #connecting: Redis | undefined;
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
    const session = await this.#ready();
    return await session.exchange(commands);
  }

  /**
   * Sends one command whose argument `value.index` is read while it is sent, with no more than a block in memory. When
   * the source fails the connection is cut before the command is complete, so that the server never runs it.
   * Not to be mixed with `exchange` under way. With `pause`, the value waits behind its announced size until the pause is
   * over: a server that refuses the size says so and hangs up, and what is sent meanwhile can cost its answer.
   * @throws what the source threw; ConnectionLost
   */
  async sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    const session = await this.#ready();
    return await session.sendStreamed(command, value, pause);
  }

  close(): void {
    this.#closed = true;
    this.#open?.client.disconnect();
    this.#open = undefined;
    this.#connecting?.disconnect();
  }

  async #ready(): Promise<Session> {
    if (this.#closed) throw new RestoreError("INTERRUPTED", "the connection was closed", { retry: "fatal" });
    if (this.#open?.session.isOpen === true) return this.#open.session;
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  async #connect(): Promise<Session> {
    this.#open?.client.disconnect();
    this.#open = undefined;
    const client = new Redis(this.#options);
    this.#connecting = client;
    let lastError: unknown;
    client.on("error", (error: unknown) => {
      lastError = error;
      // No broken socket, if it is none of its errors: from here on, no answer is known to belong to its command.
      client.disconnect();
    });
    try {
      await client.connect();
      await this.#onOpen(client);
    } catch (error) {
      client.disconnect();
      const cause = lastError ?? error;
      if (isReplyError(cause)) throw cause;
      if (isReplyError(error)) throw error;
      throw new ConnectionLost(false, (await wrongScheme(this.#options, cause)) ?? cause);
    } finally {
      this.#connecting = undefined;
    }
    const session = new Session(client.stream, this.#options.socketTimeout);
    this.#open = { client, session };
    return session;
  }
}
