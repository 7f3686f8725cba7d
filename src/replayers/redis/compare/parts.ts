/** What a collection's element is known by, and when bytes of an answer are the dump's. Pure. */

export type Element = readonly Buffer[];

export const NOUN = { hash: "field", set: "member", zset: "member" } as const;

/** What is asked by name: a list is compared by place. */
export type NamedType = keyof typeof NOUN;

export function nameOf(type: NamedType, element: Element): Buffer {
  return (type === "zset" ? element[1] : element[0]) ?? Buffer.alloc(0);
}

export function isSame(reply: unknown, bytes: Buffer | undefined): boolean {
  return Buffer.isBuffer(reply) && bytes !== undefined && reply.equals(bytes);
}
