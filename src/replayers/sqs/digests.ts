/** The MD5 digests with which SQS tells what it took: of the body, and of the attributes in SQS's own encoding. Pure. */
import { hash } from "node:crypto";
import type { MessageAttribute, MessageRecord } from "../../model/record.js";

const STRING_KIND = Buffer.of(1);
const BINARY_KIND = Buffer.of(2);

export interface Digests {
  readonly body: string;
  readonly attributes: string | undefined;
}

/** Made when they are first asked for. */
export function digestsOnce({ body, attributes }: MessageRecord): () => Digests {
  let digests: Digests | undefined;
  return () => {
    digests ??= { body: md5OfBody(body), attributes: md5OfAttributes(attributes) };
    return digests;
  };
}

export function md5OfBody(body: Uint8Array): string {
  return hash("md5", body);
}

/**
 * Attributes sorted by name; of each: name, data type, one byte for the kind of value, value; all but the byte preceded
 * by their length in four bytes (SQS developer guide, "Calculating the MD5 message digest for message attributes").
 */
export function md5OfAttributes(attributes: MessageRecord["attributes"]): string | undefined {
  if (attributes.length === 0) return undefined;
  const parts = [...attributes]
    .sort(byName)
    .flatMap(([name, { dataType, value }]) => [
      ...sized(Buffer.from(name)),
      ...sized(Buffer.from(dataType)),
      "binary" in value ? BINARY_KIND : STRING_KIND,
      ...sized("binary" in value ? value.binary : Buffer.from(value.string)),
    ]);
  return hash("md5", Buffer.concat(parts));
}

/** Preceded by their length. */
function sized(bytes: Buffer): [length: Buffer, bytes: Buffer] {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

type Named = readonly [name: string, attribute: MessageAttribute];

function byName([a]: Named, [b]: Named): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
