/** S3: one object far larger than memory, one that is merely large, and many small ones. */
import { createHash } from "node:crypto";
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListBucketsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";

import { startMinio } from "../../testcontainers/minio.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";
import { type BigDump, differingBlocks } from "../big-dump.js";
import { MEBIBYTE } from "../limit.js";
import { filler, type Shape, wrong } from "./shape.js";

const BUCKET = "big";
const MOVIE = "movie.mkv";
const VIDEO_BYTES = 50_000_000;
const IN_A_FOLDER = 1_000;
/** A mark so often: parts that change places change the digest. */
const MARK_EVERY_BYTES = 4 * MEBIBYTE;
const META_SUFFIX = ".elastickv-meta.json";
/** Parts as command line clients make them, which the ETag of the dump tells. */
const UPLOADED_PART_BLOCKS = 8;

// A MinIO that is started anew is empty sooner than one whose objects are deleted.
const onMinio = { adapter: "s3", start: startMinio } as const;

/** One object of `size` bytes. Its source is sparse; what goes over the wire and into the target is not. */
export const s3SparseObject: Shape = {
  ...onMinio,
  async generate(dump, size) {
    const digest = await dump.addSparse(`s3/${BUCKET}/${MOVIE}`, size, marks(size));
    await addSidecar(dump, MOVIE, { size_bytes: size, content_type: "video/x-matroska" });
    await addBucket(dump);
    return { records: 1, digest };
  },
  check: async (server, { size, generated, without }) =>
    await onServer(server, (client) => wrongInMovie(client, { size, digest: generated.digest, without })),
};

/** One object of `size` bytes, none of them a hole. */
export const s3LargeObject: Shape = {
  ...s3SparseObject,
  async generate(dump, size) {
    const parts = new PartsDigest();
    const digest = await dump.add(`s3/${BUCKET}/${MOVIE}`, parts.through(differingBlocks(size)));
    await addSidecar(dump, MOVIE, { etag: parts.etag(), size_bytes: size, content_type: "video/x-matroska" });
    await addBucket(dump);
    return { records: 1, digest };
  },
};

/** `size` objects of 4 KiB, with metadata. */
export const s3SmallObjects: Shape = s3Objects({ bytes: 4096 });

/** `size` objects of so many bytes, with metadata. */
export function s3Objects({ bytes }: { bytes: number }): Shape {
  return {
    ...onMinio,
    async generate(dump, size) {
      for (let index = 0; index < size; index++) {
        const body = bodyOf(index, bytes);
        const etag = createHash("md5").update(body).digest("hex");
        const sidecar = { format_version: 1, etag, size_bytes: bytes, ...METADATA, user_metadata: userMetadata(index) };
        dump.addSmall(`s3/${BUCKET}/${keyOf(index)}`, body);
        dump.addSmall(`s3/${BUCKET}/${keyOf(index)}${META_SUFFIX}`, JSON.stringify(sidecar));
      }
      await addBucket(dump);
      return { records: size };
    },
    check: async (server, { size, without }) =>
      await onServer(server, (client) => wrongInSmall(client, { size, bytes, without })),
  };
}

const METADATA = { content_type: "text/x-log", cache_control: "max-age=60" };

function userMetadata(index: number): Record<string, string> {
  return { number: String(index), origin: `camera-${index % 9}` };
}

function keyOf(index: number): string {
  return `folder-${Math.floor(index / IN_A_FOLDER)}/object-${index}.log`;
}

/** Differs from index to index from its beginning on. */
function bodyOf(index: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${index} ${filler(index, 500)} `);
}

/** Takes everything out of a server that holds little. */
export async function emptyBuckets(server: RunningServer): Promise<void> {
  await onServer(server, async (client) => {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    for (const { Name: Bucket } of Buckets) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));
      await client.send(new DeleteBucketCommand({ Bucket }));
    }
  });
}

/** `size` objects of 50 MB, with sidecars: 2 GiB are 43 of them. */
export const s3Videos: Pick<Shape, "generate"> = {
  async generate(dump, size) {
    for (let index = 0; index < size; index++) {
      await dump.add(`s3/${BUCKET}/video-${index}.mkv`, differingBlocks(VIDEO_BYTES));
      await addSidecar(dump, `video-${index}.mkv`, { size_bytes: VIDEO_BYTES, content_type: "video/x-matroska" });
    }
    await addBucket(dump);
    return { records: size };
  },
};

interface Wanted {
  readonly size: number;
  readonly digest?: string | undefined;
  readonly bytes?: number;
  readonly without: "metadata" | undefined;
}

async function wrongInMovie(client: S3Client, { size, digest, without }: Wanted): Promise<string[]> {
  const { ContentLength, ContentType } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: MOVIE }));
  return [
    ...wrong("bytes of the object", ContentLength, size),
    ...(without === undefined ? wrong("the object's type", ContentType, "video/x-matroska") : []),
    ...wrong("the object's SHA-256", await digestOf(client, MOVIE), digest),
  ];
}

async function wrongInSmall(client: S3Client, { size, bytes = 0, without }: Wanted): Promise<string[]> {
  const last = keyOf(size - 1);
  const wantedDigest = createHash("sha256")
    .update(bodyOf(size - 1, bytes))
    .digest("hex");
  const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: last }));
  return [
    ...wrong("objects in the bucket", await count(client), size),
    ...wrong("the last object's SHA-256", await digestOf(client, last), wantedDigest),
    ...(without === undefined ? wrongInMetadata(head, size - 1) : []),
  ];
}

function wrongInMetadata(
  { ContentType, CacheControl, Metadata = {} }: HeadObjectCommandOutput,
  index: number,
): string[] {
  return [
    ...wrong("the last object's type", ContentType, METADATA.content_type),
    ...wrong("its Cache-Control", CacheControl, METADATA.cache_control),
    ...wrong("its user metadata", textOf(Metadata), textOf(userMetadata(index))),
  ];
}

function textOf(metadata: Record<string, string>): string {
  return JSON.stringify(Object.entries(metadata).sort());
}

async function addBucket(dump: BigDump): Promise<void> {
  await dump.add(`s3/${BUCKET}/_bucket.json`, [JSON.stringify({ format_version: 1, name: BUCKET })]);
}

async function addSidecar(dump: BigDump, key: string, fields: object): Promise<void> {
  await dump.add(`s3/${BUCKET}/${key}${META_SUFFIX}`, [JSON.stringify({ format_version: 1, ...fields })]);
}

function marks(size: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < size; at += MARK_EVERY_BYTES) found.set(at, Buffer.from(`mark ${at}`));
  return found;
}

async function count(client: S3Client): Promise<number> {
  let found = 0;
  for await (const { KeyCount = 0 } of paginateListObjectsV2({ client }, { Bucket: BUCKET })) found += KeyCount;
  return found;
}

async function digestOf(client: S3Client, key: string): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  const hash = createHash("sha256");
  for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

async function onServer<T>({ endpoint }: RunningServer, use: (client: S3Client) => Promise<T>): Promise<T> {
  const credentials = LOCAL_CREDENTIALS;
  const client = new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

/** The ETag of an object in parts, of blocks that pass. */
class PartsDigest {
  readonly #digests: Buffer[] = [];

  *through(blocks: Iterable<Buffer>): Generator<Buffer> {
    let part = createHash("md5");
    let inPart = 0;
    for (const block of blocks) {
      part.update(block);
      inPart++;
      yield block;
      if (inPart < UPLOADED_PART_BLOCKS) continue;
      this.#digests.push(part.digest());
      part = createHash("md5");
      inPart = 0;
    }
    if (inPart > 0) this.#digests.push(part.digest());
  }

  etag(): string {
    return `${createHash("md5").update(Buffer.concat(this.#digests)).digest("hex")}-${this.#digests.length}`;
  }
}
