/**
 * Which hosts and origins are answered. A page of another site can make a browser ask this daemon, under a name of its own
 * that it had resolved to the daemon's address: so the name has to be one of ours, and the page one of ours as well.
 */
import { BlockList, isIP } from "node:net";
import { Fault } from "../fault.js";
import type { Way } from "./arrivals.js";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** An address, not a name. */
export function isLoopback(address: string): boolean {
  const kind = isIP(address);
  return kind !== 0 && LOOPBACK.check(address, kind === 6 ? "ipv6" : "ipv4");
}

export interface Asked {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Where the connection ends on this side. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** @throws Fault BAD_REQUEST, FORBIDDEN */
export function assertOwnHost(asked: Asked, way: Way): void {
  const { origin } = asked;
  if (way.kind === "socket") {
    // No browser can open it.
    if (origin !== undefined) throw foreignOrigin();
    return;
  }
  const host = asked.host?.toLowerCase();
  if (host === undefined || host === "") throw new Fault("BAD_REQUEST", "the request names no host");
  if (!ownHosts(asked, way).has(host)) {
    throw new Fault("FORBIDDEN", "the request names a host that is not this daemon's", {
      hint: "Call it by its address, or add the name under `daemon.listen.hosts`.",
    });
  }
  const own = `${way.isTls ? "https" : "http"}://${host}`;
  if (origin !== undefined && origin.toLowerCase() !== own) throw foreignOrigin();
}

function foreignOrigin(): Fault {
  return new Fault("FORBIDDEN", "pages of other origins are not answered");
}

function ownHosts({ localAddress, localPort }: Asked, way: Extract<Way, { kind: "tcp" }>): ReadonlySet<string> {
  const address = (localAddress ?? "").replace(/^::ffff:(?=[\d.]+$)/i, "");
  const names = isLoopback(address) ? [address, "localhost"] : [address];
  const withPort = names.map((name) => `${isIP(name) === 6 ? `[${name}]` : name}:${localPort}`);
  const usual = localPort === (way.isTls ? 443 : 80) ? withPort.map((name) => name.replace(/:\d+$/, "")) : [];
  const configured = way.hosts.map((name) => name.toLowerCase());
  const configuredWithPort = configured.filter((name) => !/:\d+$/.test(name)).map((name) => `${name}:${localPort}`);
  return new Set([...withPort, ...usual, ...configured, ...configuredWithPort]);
}
