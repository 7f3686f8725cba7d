/**
 * One database of the target: its connections, and what was learnt about its server on the way.
 *
 * The server's run id is asked on every new connection. When it is another one, the server was restarted or replaced,
 * and what it held in memory may be gone, in every database: `generation` rises, and half-built things are built again.
 */
import type { Redis } from "ioredis";

import type { RestoreError } from "../../errors/restore-error.js";
import type { Calls } from "../calls.js";
import { classifyRedisError, isReplyError } from "./classify-error.js";
import { type Command, Connection, type Reply, type StreamedArgument } from "./connection.js";
import { Link } from "./link.js";
import { parseInfo } from "./probe.js";
import type { RedisAddress } from "./target-url.js";
import { WholeWriter } from "./whole.js";

interface DatabaseInit {
  readonly address: RedisAddress;
  readonly database: number;
  readonly calls: Calls;
  readonly scope: string;
  /** Shared by all databases of the server. */
  readonly identity: ServerIdentity;
}

/** Which process the server is, as far as it tells. */
export class ServerIdentity {
  #runId: string | undefined;
  #generation = 0;

  /** How often the server turned out to be another process than before. */
  get generation(): number {
    return this.#generation;
  }

  met(runId: string | undefined): void {
    if (this.#runId !== undefined && runId !== this.#runId) this.#generation++;
    this.#runId = runId ?? this.#runId;
  }
}

/** How long an answer to an announced size is waited for, once a connection broke. */
const REFUSAL_PAUSE_MS = 500;

export class Database {
  readonly link: Link;
  readonly whole: WholeWriter;
  readonly #init: DatabaseInit;
  readonly #connection: Connection;
  readonly #streaming = new Set<Connection>();

  constructor(init: DatabaseInit) {
    this.#init = init;
    const { address, calls, scope } = init;
    this.#connection = new Connection(address.options, (client) => this.#begin(client));
    this.link = new Link({ connection: this.#connection, calls, classify: this.#classify, scope });
    this.whole = new WholeWriter(this.link);
  }

  /**
   * Sends a command with a value that is read while it is sent. Starts over with a new connection when one breaks.
   * @throws RestoreError as `Calls.run`, CHANGED_AFTER_CHECK, and RECORD_REFUSED when the server refuses the value
   */
  async sendStreamed(command: () => Command, value: StreamedArgument, repeatable: boolean): Promise<Reply> {
    const operation = command().name;
    const { calls, scope } = this.#init;
    let attempts = 0;
    return await calls.run({ operation, scope, bytes: value.size, repeatable }, async () => {
      // A first connection that broke may have been cut by a server that refuses the size.
      const pause = attempts++ === 0 ? undefined : () => calls.clock.sleep(REFUSAL_PAUSE_MS);
      return await this.#streamOnce(command(), value, pause);
    });
  }

  async #streamOnce(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    // The silence that counts on this connection is of both directions, so the client's own limit is taken off.
    const options = { ...this.#init.address.options, socketTimeout: undefined };
    const connection = new Connection(options, (client) => this.#begin(client));
    this.#streaming.add(connection);
    try {
      const reply = await connection.sendStreamed(command, value, pause);
      if (reply instanceof Error) throw reply;
      return reply;
    } finally {
      connection.close();
      this.#streaming.delete(connection);
    }
  }

  close(): void {
    this.#connection.close();
    for (const connection of this.#streaming) connection.close();
  }

  readonly #classify = (error: unknown, operation: string): RestoreError =>
    classifyRedisError(error, operation, { endpoint: this.#init.address.label });

  /** The client would go on in database 0 when a SELECT of its own is refused. */
  async #begin(client: Redis): Promise<void> {
    const { database, identity } = this.#init;
    if (database !== 0) await client.select(database);
    identity.met(await runIdOf(client));
  }
}

/** Undefined where the server does not tell, as elastickv, which keeps on disk what it acknowledges. */
async function runIdOf(client: Redis): Promise<string | undefined> {
  try {
    return parseInfo(String(await client.call("INFO", "server"))).get("run_id");
  } catch (error) {
    if (isReplyError(error)) return undefined;
    throw error;
  }
}
