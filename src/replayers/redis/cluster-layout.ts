/**
 * Who owns which slot of a Redis Cluster, from the answers of CLUSTER SLOTS and CLUSTER NODES, and where a redirection
 * leads. Pure.
 */
import type { Reply } from "./connection.js";
import { SLOTS } from "./slots.js";

/** `host:port`, with the host as the cluster announces it. */
export type NodeAddress = string;

export interface Layout {
  /** The primary of each slot; undefined: none. */
  readonly owners: readonly (NodeAddress | undefined)[];
  /** The replicas of each primary. */
  readonly replicas: ReadonlyMap<NodeAddress, ReadonlySet<NodeAddress>>;
  /** Primaries and replicas. */
  readonly nodes: ReadonlySet<NodeAddress>;
  /** What the cluster calls a node, whatever address it has at the time. */
  readonly ids: ReadonlyMap<NodeAddress, string>;
}

function addressOf(host: string, port: number): NodeAddress {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function hostAndPort(address: NodeAddress): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(at + 1)) };
}

/**
 * An answer to CLUSTER SLOTS: ranges, each with its first and last slot, its primary and its replicas; of a node host,
 * port, and more. No host, or an empty one, is the host that was asked. Undefined: not such an answer.
 */
export function layoutOf(reply: Reply, askedHost: string): Layout | undefined {
  if (!Array.isArray(reply)) return undefined;
  const owners = new Array<NodeAddress | undefined>(SLOTS).fill(undefined);
  const replicas = new Map<NodeAddress, Set<NodeAddress>>();
  const nodes = new Set<NodeAddress>();
  const ids = new Map<NodeAddress, string>();
  for (const range of reply as readonly Reply[]) {
    if (!Array.isArray(range)) return undefined;
    const [first, last, ...members] = range as readonly Reply[];
    const [owner, ...others] = members.map((member) => memberAddress(member, askedHost));
    members.forEach((member, i) => {
      const [address, id] = [[owner, ...others][i], Array.isArray(member) ? (member as readonly Reply[])[2] : null];
      if (address !== undefined && Buffer.isBuffer(id)) ids.set(address, id.toString());
    });
    if (typeof first !== "number" || typeof last !== "number" || owner === undefined) return undefined;
    owners.fill(owner, first, last + 1);
    const own = replicas.get(owner) ?? new Set();
    replicas.set(owner, own);
    nodes.add(owner);
    for (const other of others) {
      if (other === undefined) continue;
      own.add(other);
      nodes.add(other);
    }
  }
  return { owners, replicas, nodes, ids };
}

function memberAddress(member: Reply, askedHost: string): NodeAddress | undefined {
  if (!Array.isArray(member)) return undefined;
  const [host, port] = member as readonly Reply[];
  if (typeof port !== "number") return undefined;
  const named = Buffer.isBuffer(host) ? host.toString() : "";
  return addressOf(named === "" ? askedHost : named, port);
}

/** Slots without a primary. */
export function uncoveredSlots({ owners }: Layout): number[] {
  return owners.flatMap((owner, slot) => (owner === undefined ? [slot] : []));
}

/** One slot of every primary that owns some. */
export function shardsOf({ owners }: Layout): number[] {
  const first = new Map<NodeAddress, number>();
  owners.forEach((owner, slot) => {
    if (owner !== undefined && !first.has(owner)) first.set(owner, slot);
  });
  return [...first.values()];
}

/**
 * Whether a replica has taken the place of a primary, which may not have had all that was acknowledged. A slot that moved
 * between primaries has its keys with it.
 */
export function failedOver(before: Layout, after: Layout): boolean {
  const primaries = new Set(after.owners);
  return after.owners.some((owner, slot) => {
    const former = before.owners[slot];
    if (owner === undefined || former === undefined || owner === former || before.replicas.has(owner)) return false;
    const id = after.ids.get(owner);
    if (id !== undefined && id === before.ids.get(former)) return false;
    return before.replicas.get(former)?.has(owner) === true || !primaries.has(former);
  });
}

/**
 * The addresses that CLUSTER NODES lists, by IP address and by host name: lines of id, `ip:port@bus-port[,hostname]`,
 * flags and more. Also primaries that own no slot yet, which CLUSTER SLOTS leaves out and to which ASK may lead.
 */
export function membersOf(text: string): ReadonlySet<NodeAddress> {
  const members = new Set<NodeAddress>();
  for (const line of text.split("\n")) {
    const [, address = "", flags = ""] = line.split(" ");
    const [, ip = "", port = "", hostname = ""] = /^(.*):(\d+)(?:@\d+)?(?:,([^,=]*))?/.exec(address) ?? [];
    if (port === "" || /handshake|noaddr/.test(flags)) continue;
    for (const host of [ip, hostname]) if (host !== "") members.add(addressOf(host, Number(port)));
  }
  return members;
}

export interface Redirection {
  /** For this command only: the slot is on its way. Otherwise the slot has moved. */
  readonly ask: boolean;
  readonly to: NodeAddress;
}

/** Of the error replies `MOVED slot host:port` and `ASK slot host:port`. No host is the host of the node that answered. */
export function redirectionOf(reply: Reply | undefined, answeredBy: NodeAddress): Redirection | undefined {
  if (!(reply instanceof Error)) return undefined;
  const [, word, host = "", port] = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(reply.message.trim()) ?? [];
  if (word === undefined) return undefined;
  const named = host.replace(/^\[(.*)\]$/, "$1");
  return { ask: word === "ASK", to: addressOf(named === "" ? hostAndPort(answeredBy).host : named, Number(port)) };
}
