/**
 * The wire to the nodes of a Redis Cluster: every command goes to the primary that owns its slot, those of one call side
 * by side, over one quiet connection a node.
 *
 * Whom it talks to: the seeds, which the operator named, and the nodes that a seed lists (CLUSTER SLOTS, and CLUSTER NODES
 * for those without slots); while no seed can be asked, those that such a node lists. A redirection (MOVED, ASK) is an
 * answer that nothing was run, and is followed to those nodes alone: where it names another address, the call fails and
 * that address is never connected to. So a node can send us astray only among what the operator's own seeds vouch for.
 *
 * It does not promise a view of the cluster that is up to date; a node that does not own a slot any more says so.
 */

import { ConnectionLost, NoNode } from "./classify-error.js";
import { type NodeAddress, redirectionOf, shardsOf } from "./cluster-layout.js";
import { type ClusterNodes, unknownNode } from "./cluster-nodes.js";
import type { Command, Connection, Reply, StreamedArgument } from "./connection.js";
import { slotOf } from "./slots.js";
import { type Shard, StreamingConnections, type Wire } from "./wire.js";

/** Redirections of one command in a row; a slot that moves back and forth is asked for again later. */
const MAX_HOPS = 5;
const ASKING: Command = { name: "ASKING", args: [] };

/** A command on its way, with where it was redirected to. */
interface Errand {
  readonly at: number;
  readonly command: Command;
  readonly to?: NodeAddress | undefined;
  readonly ask?: boolean;
}

export class ClusterWire implements Wire {
  readonly clustered = true;
  readonly #nodes: ClusterNodes;
  readonly #streaming = new StreamingConnections();

  constructor(nodes: ClusterNodes) {
    this.#nodes = nodes;
  }

  async exchange(commands: readonly Command[]): Promise<Reply[]> {
    const replies = new Array<Reply>(commands.length).fill(null);
    let errands: readonly Errand[] = commands.map((command, at) => ({ at, command }));
    for (let hops = 0; errands.length > 0; hops++) {
      const groups = await this.#byNode(errands, replies);
      const redirected = await Promise.all(
        [...groups].map(async ([address, group]) => await this.#sendTo(address, group, replies)),
      );
      errands = redirected.flat().sort((a, b) => a.at - b.at);
      if (hops < MAX_HOPS) continue;
      // Nothing of them was run.
      for (const { at } of errands) replies[at] = new ConnectionLost(false, new NoNode("redirected in circles"));
      errands = [];
    }
    return replies;
  }

  async shards(): Promise<readonly Shard[]> {
    return shardsOf(await this.#nodes.refreshed());
  }

  async layout(): Promise<string> {
    const { owners } = await this.#nodes.refreshed();
    return `${this.#nodes.generation} ${owners.join(" ")}`;
  }

  async sendStreamed(command: Command, value: StreamedArgument, pause?: () => Promise<void>): Promise<Reply> {
    let errand: Errand = { at: 0, command };
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const address = errand.to ?? (await this.#nodes.ownerOf(slotOfCommand(command)));
      if (address === undefined) break;
      const reply = await this.#streamTo(address, errand, async (connection) => {
        return await connection.sendStreamed(command, value, pause);
      });
      const next = await this.#redirected(errand, reply, address);
      if (next instanceof Error || next === undefined) return next ?? reply;
      errand = next;
    }
    throw new ConnectionLost(false, new NoNode("no node takes the slot"));
  }

  close(): void {
    this.#nodes.close();
    this.#streaming.close();
  }

  async #streamTo(
    address: NodeAddress,
    { ask = false }: Errand,
    send: (connection: Connection) => Promise<Reply>,
  ): Promise<Reply> {
    return await this.#streaming.use(this.#nodes.ownConnection(address), async (connection) => {
      try {
        if (ask) await connection.exchange([ASKING]);
        return await send(connection);
      } catch (error) {
        if (error instanceof ConnectionLost) throw this.#nodes.lost(address, error);
        throw error;
      }
    });
  }

  /** The errands by the node that each goes to. Those without one get their reply here. */
  async #byNode(errands: readonly Errand[], replies: Reply[]): Promise<ReadonlyMap<NodeAddress, readonly Errand[]>> {
    const groups = new Map<NodeAddress, Errand[]>();
    for (const errand of errands) {
      const address = errand.to ?? (await this.#nodes.ownerOf(slotOfCommand(errand.command)));
      if (address === undefined) {
        this.#nodes.doubt();
        replies[errand.at] = new ConnectionLost(false, new NoNode("no node owns the slot"));
        continue;
      }
      const group = groups.get(address) ?? [];
      groups.set(address, group);
      group.push(errand);
    }
    return groups;
  }

  /** Puts the replies in their places and returns what has to be sent elsewhere. */
  async #sendTo(address: NodeAddress, errands: readonly Errand[], replies: Reply[]): Promise<Errand[]> {
    const sent = errands.flatMap(({ command, ask }) => (ask === true ? [ASKING, command] : [command]));
    const answers = await this.#exchangeWith(address, sent);
    const elsewhere: Errand[] = [];
    let next = 0;
    for (const errand of errands) {
      if (errand.ask === true) next++;
      const reply = answers[next++] ?? null;
      const redirected = await this.#redirected(errand, reply, address);
      if (redirected === undefined) replies[errand.at] = reply;
      else if (redirected instanceof Error) replies[errand.at] = redirected;
      else elsewhere.push(redirected);
    }
    return elsewhere;
  }

  /** A node that cannot be reached answers all of its commands with that. */
  async #exchangeWith(address: NodeAddress, commands: readonly Command[]): Promise<readonly Reply[]> {
    let answers: readonly Reply[];
    try {
      answers = await this.#nodes.connectionTo(address).exchange(commands);
    } catch (error) {
      answers = commands.map(() => (error instanceof Error ? error : new ConnectionLost(false, error)));
    }
    return answers.map((reply) => {
      if (reply instanceof ConnectionLost) return this.#nodes.lost(address, reply);
      if (reply instanceof Error && reply.message.startsWith("CLUSTERDOWN")) this.#nodes.doubt();
      return reply;
    });
  }

  /** Undefined: an answer of another kind. An Error: not to a node of the cluster. */
  async #redirected(errand: Errand, reply: Reply, answeredBy: NodeAddress): Promise<Errand | Error | undefined> {
    const redirection = redirectionOf(reply, answeredBy);
    if (redirection === undefined) return undefined;
    const { to, ask } = redirection;
    if (!ask) this.#nodes.doubt();
    if (!(await this.#nodes.includes(to))) return unknownNode(this.#nodes.label, answeredBy, to);
    return { ...errand, to, ask };
  }
}

/** Behind these stand no keys: any node answers them, or the one that is named by a slot. */
const KEYLESS = new Set(["PING", "INFO", "COMMAND", "DBSIZE", "FLUSHDB", "SCAN", "ACL", "CONFIG"]);

/** All keys of a command are in one slot, so the first one tells. */
function slotOfCommand({ name, args, slot }: Command): number {
  if (slot !== undefined) return slot;
  const key = KEYLESS.has(name) || (name === "EVAL" && args[1] === "0") ? undefined : args[KEY_AT.get(name) ?? 0];
  return key === undefined ? 0 : slotOf(Buffer.from(key));
}

const KEY_AT = new Map([
  ["EVAL", 2],
  ["XGROUP", 1],
  ["XINFO", 1],
]);
