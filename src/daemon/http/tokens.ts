/** Bearer tokens: kept as digests, compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Client } from "../services.js";
import type { Role } from "../settings.js";

export interface Token {
  readonly name: string;
  readonly role: Role;
  readonly digest: Buffer;
}

export function digestOf(value: string): Buffer {
  return createHash("sha256").update(value).digest();
}

const BEARER = /^Bearer ([\x21-\x7e]+)$/i;

/** Every token is compared, whichever it is. Undefined where the header is no bearer token or none of these. */
export function clientOf(header: string, tokens: readonly Token[]): Client | undefined {
  const given = BEARER.exec(header)?.[1];
  if (given === undefined) return undefined;
  const digest = digestOf(given);
  const [found] = tokens.filter((token) => timingSafeEqual(token.digest, digest));
  return found === undefined ? undefined : { name: found.name, role: found.role };
}

const RANK: Readonly<Record<Role, number>> = { read: 0, restore: 1, destroy: 2 };

export function mayDo(client: Client, role: Role): boolean {
  return RANK[client.role] >= RANK[role];
}
