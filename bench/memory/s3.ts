/** S3: one object far larger than memory. The source is sparse; what goes over the wire and into the target is not. */
import { createHash } from "node:crypto";
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";

import { startMinio } from "../../testcontainers/minio.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import type { Scenario } from "../scenario.js";
import { LIMIT_BYTES, MEBIBYTE } from "./limit.js";

/** A mark so often: parts that change places change the digest. */
const MARK_EVERY_BYTES = 4 * MEBIBYTE;
const OBJECT = { Bucket: "big", Key: "movie.mkv" };

export const s3Object: Scenario = {
  name: "memory/s3-object",
  title: "S3 object, bytes",
  adapter: "s3",
  size: 20_000_000_000,
  limitBytes: LIMIT_BYTES,
  start: startMinio,
  async generate(dump, size) {
    const sidecar = { format_version: 1, size_bytes: size, content_type: "video/x-matroska" };
    const digest = await dump.addSparse("s3/big/movie.mkv", size, marks(size));
    await dump.add("s3/big/movie.mkv.elastickv-meta.json", [JSON.stringify(sidecar)]);
    await dump.add("s3/big/_bucket.json", ['{"format_version":1,"name":"big"}']);
    return { records: 1, digest };
  },
  async check({ endpoint }, size, { digest }) {
    const client = new S3Client({
      endpoint,
      credentials: LOCAL_CREDENTIALS,
      region: "us-east-1",
      forcePathStyle: true,
    });
    try {
      const { ContentLength, ContentType } = await client.send(new HeadObjectCommand(OBJECT));
      return [
        ...(ContentLength === size ? [] : [`the object has ${ContentLength} bytes instead of ${size}`]),
        ...(ContentType === "video/x-matroska" ? [] : [`the object's type is ${ContentType}`]),
        ...((await digestOf(client)) === digest ? [] : ["the object's SHA-256 is another one"]),
      ];
    } finally {
      client.destroy();
    }
  },
};

function marks(size: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < size; at += MARK_EVERY_BYTES) found.set(at, Buffer.from(`mark ${at}`));
  return found;
}

async function digestOf(client: S3Client): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand(OBJECT));
  const hash = createHash("sha256");
  for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}
