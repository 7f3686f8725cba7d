/** What the S3 peers know of the dump's format: a bucket is a folder with its name in a file, and an object is a file with a sidecar, and what the sidecar says goes with it. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const SUFFIX = ".elastickv-meta.json";

/** @param {string} dump @returns {Generator<{ folder: string, Bucket: string }>} */
export function* bucketsIn(dump) {
  for (const segment of readdirSync(join(dump, "s3"))) {
    const folder = join(dump, "s3", segment);
    const { name } = JSON.parse(readFileSync(join(folder, "_bucket.json"), "utf8"));
    yield { folder, Bucket: name };
  }
}

/** @param {string} folder the bucket's @param {string} [prefix] @returns {Generator<string>} keys */
export function* objectsIn(folder, prefix = "") {
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory()) yield* objectsIn(folder, `${path}/`);
    else if (path.endsWith(SUFFIX)) yield path.slice(0, -SUFFIX.length);
  }
}

/** @param {string} folder @param {string} key */
export async function metadataOf(folder, key) {
  const sidecar = JSON.parse(await readFile(join(folder, `${key}${SUFFIX}`), "utf8"));
  return {
    ContentType: sidecar.content_type,
    ContentEncoding: sidecar.content_encoding,
    CacheControl: sidecar.cache_control,
    ContentDisposition: sidecar.content_disposition,
    Metadata: sidecar.user_metadata,
  };
}
