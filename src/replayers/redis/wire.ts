/** Where commands go: to one server, or to the nodes of a cluster. */
import type { Command, Connection, Reply, StreamedArgument } from "./connection.js";

/** A primary that holds keys, by the first slot that it owns. Undefined: there is but one server. */
export type Shard = number | undefined;

export interface Wire {
  /** Every command names keys of one slot only. */
  readonly clustered: boolean;

  /**
   * Sends all commands at once; those of one node keep their order. One reply a command. What a node does not answer is
   * a ConnectionLost in the place of its replies. Never sends a command again that may have been run.
   * @throws ConnectionLost with `sent` false when nothing could be sent
   */
  exchange(commands: readonly Command[]): Promise<Reply[]>;

  /** All nodes that hold keys, as they are known now. */
  shards(): Promise<readonly Shard[]>;

  /** Changes when keys may have come under another node, or a node under another process. */
  layout(): Promise<string>;

  /** As `Connection.sendStreamed`, over a connection of its own. */
  sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply>;

  /** Repeatable. */
  close(): void;
}

/** Makes connections that send one large value and are closed. */
export class StreamingConnections {
  readonly #open = new Set<Connection>();

  async use(connection: Connection, send: (connection: Connection) => Promise<Reply>): Promise<Reply> {
    this.#open.add(connection);
    try {
      return await send(connection);
    } finally {
      connection.close();
      this.#open.delete(connection);
    }
  }

  close(): void {
    for (const connection of this.#open) connection.close();
  }
}
