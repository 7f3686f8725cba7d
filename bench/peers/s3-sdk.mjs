/**
 * `node s3-sdk.mjs DUMP ENDPOINT`: the dump's buckets and objects by the AWS SDK, PutObject with the metadata of the sidecar,
 * 16 calls in flight. No check; an object is read whole.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { inFlight } from "./in-flight.mjs";
import { bucketsIn, metadataOf, objectsIn } from "./s3-objects.mjs";

const [, , dump = "", endpoint = ""] = process.argv;
const client = new S3Client({ endpoint, forcePathStyle: true });

for (const { folder, Bucket } of bucketsIn(dump)) {
  await client.send(new CreateBucketCommand({ Bucket }));
  await inFlight(objectsIn(folder), async (Key) => {
    const [Body, metadata] = await Promise.all([readFile(join(folder, Key)), metadataOf(folder, Key)]);
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ...metadata }));
  });
}
client.destroy();
