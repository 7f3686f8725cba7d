/**
 * `node s3-requests.mjs DUMP ENDPOINT FOLDER LANES`: the dump's objects in parts of 16 MiB, with the metadata of the sidecar.
 * The bodies stay where they are.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { bucketsIn, metadataOf, objectsIn } from "../peers/s3-objects.mjs";
import { Recorder, RequestFile } from "./requests.mjs";

const PART_BYTES = 16 * 1024 * 1024;
const [, , dump = "", endpoint = "", folder = "", lanes = "1"] = process.argv;
const recorder = new Recorder();
const config = { endpoint, forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" };
const recording = new S3Client(/** @type {any} */ ({ ...config, requestHandler: recorder, maxAttempts: 1 }));
const client = new S3Client(/** @type {any} */ (config));
const requests = new RequestFile(folder, Number(lanes));

// Signed without its body, which then is read once, by the program that sends it.
recording.middlewareStack.add(
  (next) => (/** @type {any} */ args) => {
    args.request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
    return next(args);
  },
  { step: "build", name: "unsigned" },
);

for (const { folder: bucket, Bucket } of bucketsIn(dump)) {
  await client.send(new CreateBucketCommand({ Bucket }));
  for (const Key of objectsIn(bucket)) await prepare(join(bucket, Key), { Bucket, Key });
}
requests.close();
client.destroy();

/** @param {string} path @param {{ Bucket: string, Key: string }} object */
async function prepare(path, { Bucket, Key }) {
  const metadata = await metadataOf(path.slice(0, -Key.length), Key);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...metadata }));
  const { size } = statSync(path);
  const Parts = [];
  for (let at = 0, PartNumber = 1; at < size; at += PART_BYTES, PartNumber++) {
    const bytes = Math.min(PART_BYTES, size - at);
    const part = { Bucket, Key, UploadId, PartNumber, Body: "", ContentLength: bytes };
    const request = await recorder.requestOf(recording.send(new UploadPartCommand(part)));
    requests.add((PartNumber - 1) % Number(lanes), request, [[path, at, bytes]]);
    Parts.push({ PartNumber, ETag: `"${md5(path, at, bytes)}"` });
  }
  const completed = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
  requests.add("last", await recorder.requestOf(recording.send(new CompleteMultipartUploadCommand(completed))));
}

/** @param {string} path @param {number} at @param {number} bytes */
function md5(path, at, bytes) {
  const [file, part] = [openSync(path, "r"), Buffer.allocUnsafe(bytes)];
  for (let done = 0; done < bytes; ) done += readSync(file, part, done, bytes - done, at + done);
  closeSync(file);
  return createHash("md5").update(part).digest("hex");
}
