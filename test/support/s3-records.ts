/** Buckets, objects and replayers for tests of S3, and a plain client that looks at what they left behind. */
import { createHash } from "node:crypto";
import { S3Client } from "@aws-sdk/client-s3";
import type { Content, ObjectMetadata, ObjectRecord } from "../../src/model/record.js";
import type { BucketScope, BucketSettings } from "../../src/model/scope.js";

export const MIB = 1024 * 1024;

export function bucketScope(name: string, settings: Partial<BucketSettings> = {}): BucketScope {
  return {
    adapter: "s3",
    name,
    target: name,
    path: `s3/${name}`,
    warnings: [],
    settings: { acl: "private", ...settings },
  };
}

/** Content that is held in memory. `sha256` may be set to another digest than the bytes have. */
export function bufferContent(bytes: Buffer | string, sha256?: string): Content {
  const all = Buffer.from(bytes);
  return {
    size: all.length,
    sha256: sha256 ?? createHash("sha256").update(all).digest("hex"),
    async *blocks(range = { start: 0, end: all.length }) {
      await Promise.resolve();
      for (let at = range.start; at < range.end; at += MIB) yield all.subarray(at, Math.min(range.end, at + MIB));
    },
    buffer: () => Promise.resolve(all),
  };
}

/** Bytes that differ everywhere, the same for the same seed. */
export function patterned(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = seed; at < size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, Math.min(at, size - 4));
  }
  return bytes;
}

export interface ObjectInit {
  readonly body?: Content | Buffer | string;
  readonly metadata?: Partial<ObjectMetadata>;
  readonly etag?: string;
}

export function objectRecord(key: string, { body = "", metadata = {}, etag }: ObjectInit = {}): ObjectRecord {
  const content = typeof body === "string" || Buffer.isBuffer(body) ? bufferContent(body) : body;
  const path = `s3/bucket/${Buffer.from(key).toString("hex")}`;
  return {
    kind: "object",
    place: { path },
    after: { path },
    displayKey: key,
    bytes: content.size,
    key,
    body: content,
    metadata: { user: [], ...metadata },
    ...(etag === undefined ? {} : { etag }),
  };
}

export function md5(bytes: Buffer | string): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** The ETag of an upload in parts of this size. */
export function etagOfParts(bytes: Buffer, partBytes: number): string {
  const all = createHash("md5");
  let count = 0;
  for (let at = 0; at < bytes.length || count === 0; at += partBytes, count++) {
    all.update(
      createHash("md5")
        .update(bytes.subarray(at, at + partBytes))
        .digest(),
    );
  }
  return `${all.digest("hex")}-${count}`;
}

export async function* noRecords(): AsyncGenerator<ObjectRecord> {}

export async function* recordsOf(...records: readonly ObjectRecord[]): AsyncGenerator<ObjectRecord> {
  await Promise.resolve();
  yield* records;
}

export function plainClient(server: {
  readonly endpoint: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    ...(server.credentials === undefined ? {} : { credentials: server.credentials }),
  });
}
