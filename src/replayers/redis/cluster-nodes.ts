/**
 * The nodes of a Redis Cluster: what the seeds say of it, renewed when something tells that it is out of date, and a
 * connection to each node that is used.
 */
import type { Redis } from "ioredis";

import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { ConnectionLost, NoNode } from "./classify-error.js";
import {
  failedOver,
  hostAndPort,
  type Layout,
  layoutOf,
  membersOf,
  type NodeAddress,
  uncoveredSlots,
} from "./cluster-layout.js";
import { Connection, type Reply } from "./connection.js";
import { runIdOf, type ServerIdentity } from "./identity.js";
import { SLOTS } from "./slots.js";
import { type ClientOptions, nodeOptions, type RedisAddress } from "./target-url.js";

export class ClusterNodes {
  readonly #address: RedisAddress;
  readonly #identity: ServerIdentity;
  /** A seed may be a name that leads to one node now and to another later, so nothing else goes over these. */
  readonly #seeds: ReadonlyMap<NodeAddress, Connection>;
  readonly #connections = new Map<NodeAddress, Connection>();
  #layout: Layout | undefined;
  #doubted = false;
  #asking: Promise<Layout> | undefined;

  constructor(address: RedisAddress, identity: ServerIdentity) {
    this.#address = address;
    this.#identity = identity;
    this.#seeds = new Map(address.seeds.map((seed) => [seed, new Connection(this.#optionsOf(seed))]));
  }

  get label(): string {
    return this.#address.label;
  }

  get generation(): number {
    return this.#identity.generation;
  }

  /** What is known of the cluster may be out of date: it is asked again before the next use. */
  doubt(): void {
    this.#doubted = true;
  }

  /** Undefined: nobody owns the slot now. @throws ConnectionLost with `sent` false when no node can be asked */
  async ownerOf(slot: number): Promise<NodeAddress | undefined> {
    const layout = this.#layout === undefined || this.#doubted ? await this.refreshed() : this.#layout;
    return layout.owners[slot];
  }

  /** Asks the cluster. @throws ConnectionLost with `sent` false, or what a seed answers instead */
  async refreshed(): Promise<Layout> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  /** Whether the address is a node of the cluster, as the cluster says now. */
  async includes(address: NodeAddress): Promise<boolean> {
    if (this.#layout?.nodes.has(address) === true) return true;
    if ((await this.refreshed()).nodes.has(address)) return true;
    const text = await this.#askAny(["NODES"], (reply) => (Buffer.isBuffer(reply) ? reply.toString() : undefined));
    return membersOf(text).has(address);
  }

  /** Shared by all who talk to the node. Only for addresses of the layout, and such as `includes` says yes to. */
  connectionTo(address: NodeAddress): Connection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const opened = this.#newConnection(address);
    this.#connections.set(address, opened);
    return opened;
  }

  /** For one large value. */
  ownConnection(address: NodeAddress): Connection {
    return this.#newConnection(address);
  }

  /** The loss of a connection to the node, with its name. */
  lost(address: NodeAddress, { sent, cause }: ConnectionLost): ConnectionLost {
    this.doubt();
    return new ConnectionLost(sent, cause, `the node ${address} of ${this.label}`);
  }

  close(): void {
    for (const connection of [...this.#seeds.values(), ...this.#connections.values()]) connection.close();
  }

  async #ask(): Promise<Layout> {
    this.#doubted = false;
    try {
      const layout = await this.#askAny(["SLOTS"], (reply, host) => layoutOf(reply, host));
      if (this.#layout !== undefined && failedOver(this.#layout, layout)) this.#identity.replaced();
      this.#layout = layout;
      return layout;
    } catch (error) {
      this.#doubted = true;
      throw error;
    }
  }

  /** The first seed's answer; when none answers, a node's. An error is that of the first seed. */
  async #askAny<T>(question: readonly string[], read: (reply: Reply, host: string) => T | undefined): Promise<T> {
    const ask = async ([address, connection]: readonly [NodeAddress, Connection]): Promise<T> => {
      const [reply = null] = await connection.exchange([{ name: "CLUSTER", args: question }]);
      if (reply instanceof Error) throw reply;
      const answer = read(reply, hostAndPort(address).host);
      if (answer === undefined) throw new ConnectionLost(false, new NoNode("it does not answer as a cluster does"));
      return answer;
    };
    try {
      return await Promise.any([...this.#seeds].map(ask));
    } catch (error) {
      const nodes = [...(this.#layout?.nodes ?? [])].filter((address) => !this.#seeds.has(address));
      return await Promise.any(nodes.map((address) => ask([address, this.connectionTo(address)]))).catch(() => {
        const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
        // A question that was asked in vain may be asked again.
        throw first instanceof ConnectionLost ? new ConnectionLost(false, first.cause) : first;
      });
    }
  }

  #newConnection(address: NodeAddress): Connection {
    return new Connection(this.#optionsOf(address), (client) => this.#begin(client, address));
  }

  async #begin(client: Redis, address: NodeAddress): Promise<void> {
    this.#identity.met(address, await runIdOf(client));
  }

  #optionsOf(address: NodeAddress): ClientOptions {
    return nodeOptions(this.#address.options, hostAndPort(address));
  }
}

/** @throws RestoreError TARGET_UNFIT when slots have no node, so that some keys could not be written */
export function assertCovered(layout: Layout, label: string): void {
  const uncovered = uncoveredSlots(layout);
  if (uncovered.length === 0) return;
  throw new RestoreError(
    "TARGET_UNFIT",
    `${uncovered.length} of the ${SLOTS} slots of ${label} belong to no node, the first of them ${uncovered[0]}`,
    {
      where: { adapter: "redis", endpoint: label },
      hint: "Give them to a node: redis-cli --cluster check tells which, redis-cli --cluster fix does it.",
    },
  );
}

/** Somebody redirects us to where the operator's seeds know no node. */
export function unknownNode(label: string, answeredBy: NodeAddress, to: NodeAddress): RestoreError {
  const where = { adapter: "redis", endpoint: label };
  const [from, foreign] = [answeredBy, to].map((address) => escapeForDisplay(address.slice(0, 300)));
  return new RestoreError("TARGET_UNFIT", `${from} redirects to ${foreign}, which is no node of ${label}`, {
    where,
    hint: "Nothing was sent there. Check with CLUSTER NODES that all nodes of the cluster know one another by one address.",
    retry: "fatal",
  });
}
