/** The wire to one server and one of its databases. */
import type { Redis } from "ioredis";

import { type Command, Connection, type Reply, type StreamedArgument } from "./connection.js";
import { runIdOf, type ServerIdentity } from "./identity.js";
import type { RedisAddress } from "./target-url.js";
import { type Shard, StreamingConnections, type Wire } from "./wire.js";

interface SingleWireInit {
  readonly address: RedisAddress;
  readonly database: number;
  /** Shared by all databases of the server. */
  readonly identity: ServerIdentity;
}

export class SingleWire implements Wire {
  readonly clustered = false;
  readonly #init: SingleWireInit;
  readonly #connection: Connection;
  readonly #streaming = new StreamingConnections();

  constructor(init: SingleWireInit) {
    this.#init = init;
    this.#connection = new Connection(init.address.options, (client) => this.#begin(client));
  }

  async exchange(commands: readonly Command[]): Promise<Reply[]> {
    return await this.#connection.exchange(commands);
  }

  shards(): Promise<readonly Shard[]> {
    return Promise.resolve([undefined]);
  }

  layout(): Promise<string> {
    return Promise.resolve("");
  }

  async sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    const connection = new Connection(this.#init.address.options, (client) => this.#begin(client));
    return await this.#streaming.use(connection, async () => await connection.sendStreamed(command, value, pause));
  }

  close(): void {
    this.#connection.close();
    this.#streaming.close();
  }

  /** The client would go on in database 0 when a SELECT of its own is refused. */
  async #begin(client: Redis): Promise<void> {
    const { address, database, identity } = this.#init;
    if (database !== 0) await client.select(database);
    identity.met(address.label, await runIdOf(client));
  }
}
