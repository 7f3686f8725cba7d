/** The MD5 digests with which SQS tells what it took: of the body, and of the attributes in SQS's own encoding. Pure. */
import { createHash, hash } from "node:crypto";
import type { MessageAttribute, MessageRecord } from "../../model/record.js";

const STRING_VALUE = 1;
const BINARY_VALUE = 2;

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
  const digest = createHash("md5");
  const sized = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    digest.update(length).update(bytes);
  };
  for (const [name, { dataType, value }] of [...attributes].sort(byName)) {
    sized(Buffer.from(name));
    sized(Buffer.from(dataType));
    digest.update(Uint8Array.of("binary" in value ? BINARY_VALUE : STRING_VALUE));
    sized("binary" in value ? value.binary : Buffer.from(value.string));
  }
  return digest.digest("hex");
}

type Named = readonly [name: string, attribute: MessageAttribute];

function byName([a]: Named, [b]: Named): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
