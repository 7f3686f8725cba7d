/**
 * `node s3-lib-storage.mjs DUMP ENDPOINT PACKAGES`: the dump's objects by the managed upload of the AWS SDK, in parts of 16
 * MiB, four at once, with the metadata of the sidecar. The libraries are those of the folder PACKAGES. No check.
 */
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bucketsIn, metadataOf, objectsIn } from "./s3-objects.mjs";

const PART_BYTES = 16 * 1024 * 1024;
const [, , dump = "", endpoint = "", packages = ""] = process.argv;
/** @type {(name: string) => any} */
const load = createRequire(join(packages, "package.json"));
const { CreateBucketCommand, S3Client } = load("@aws-sdk/client-s3");
const { Upload } = load("@aws-sdk/lib-storage");
const client = new S3Client({ endpoint, forcePathStyle: true });

for (const { folder, Bucket } of bucketsIn(dump)) {
  await client.send(new CreateBucketCommand({ Bucket }));
  for (const Key of objectsIn(folder)) {
    const Body = createReadStream(join(folder, Key), { highWaterMark: 1024 * 1024 });
    const params = { Bucket, Key, Body, ...(await metadataOf(folder, Key)) };
    await new Upload({ client, params, partSize: PART_BYTES, queueSize: 4 }).done();
  }
}
client.destroy();
