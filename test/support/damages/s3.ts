/** Damages to buckets: an object each, and buckets of their own for what concerns a bucket. */
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type DumpFile, s3Object } from "../dump-builder.js";
import { type Damage, foundAs } from "./damage.js";

type Parts = Partial<PutObjectCommandInput>;

const OWN: Parts = {
  Body: "the bytes",
  ContentType: "image/png",
  ContentEncoding: "gzip",
  CacheControl: "no-cache",
  ContentDisposition: "inline",
  Metadata: { caption: "Ünïcode", author: "ann" },
};

const SIDECAR = {
  content_type: "image/png",
  content_encoding: "gzip",
  cache_control: "no-cache",
  content_disposition: "inline",
  user_metadata: { caption: "Ünïcode", author: "ann" },
};

function object(key: string): Record<string, DumpFile> {
  return s3Object(`s3/photos/${key}`, "the bytes", SIDECAR);
}

/** As a client says text that is not ASCII. */
const CAPTION = `=?UTF-8?B?${Buffer.from("Ünïcode").toString("base64")}?=`;

async function putObject(s3: S3Client, Key: string, parts: Parts = {}): Promise<void> {
  const Metadata = { caption: CAPTION, author: "ann" };
  await s3.send(new PutObjectCommand({ Bucket: "photos", Key, ...OWN, Metadata, ...parts }));
}

/** The object is put anew, with these parts instead of the dump's. */
function changed(key: string, parts: Parts, ...found: string[]): Damage<S3Client> {
  return {
    key,
    files: object(key),
    damage: (s3) => putObject(s3, key, parts),
    found: foundAs({ scope: "s3:photos", key }, ...found),
  };
}

export const OBJECT_DAMAGES: readonly Damage<S3Client>[] = [
  changed("byte", { Body: "the bites" }, "body"),
  changed("truncated", { Body: "the byte" }, "body"),
  changed("type", { ContentType: "image/jpeg" }, "metadata header content-type"),
  changed("encoding", { ContentEncoding: "br" }, "metadata header content-encoding"),
  changed("cache", { CacheControl: "no-store" }, "metadata header cache-control"),
  changed("disposition", { ContentDisposition: "attachment" }, "metadata header content-disposition"),
  changed("header-less", { CacheControl: undefined }, "missing-part header cache-control"),
  changed("header-more", { ContentLanguage: "de" }, "extra-part header content-language"),
  changed("metadata", { Metadata: { caption: CAPTION, author: "bob" } }, "metadata metadata author"),
  changed("metadata-less", { Metadata: { author: "ann" } }, "missing-part metadata caption"),
  changed("metadata-more", { Metadata: { caption: CAPTION, author: "ann", more: "1" } }, "extra-part metadata more"),
  {
    key: "is-gone",
    files: object("is-gone"),
    damage: (s3) => s3.send(new DeleteObjectCommand({ Bucket: "photos", Key: "is-gone" })),
    found: foundAs({ scope: "s3:photos", key: "is-gone" }, "missing"),
  },
  {
    key: "stranger",
    files: {},
    damage: (s3) => putObject(s3, "stranger"),
    found: foundAs({ scope: "s3:photos", key: "stranger" }, "extra"),
  },
  {
    key: "versioning",
    files: {
      "s3/versioned/_bucket.json": { name: "versioned", versioning: "Enabled" },
      ...s3Object("s3/versioned/one", "one"),
    },
    damage: (s3) =>
      s3.send(
        new PutBucketVersioningCommand({ Bucket: "versioned", VersioningConfiguration: { Status: "Suspended" } }),
      ),
    found: foundAs({ scope: "s3:versioned" }, "setting versioning"),
  },
  {
    key: "bucket",
    files: { "s3/lost/_bucket.json": { name: "lost" }, ...s3Object("s3/lost/one", "one") },
    damage: async (s3) => {
      await s3.send(new DeleteObjectCommand({ Bucket: "lost", Key: "one" }));
      await s3.send(new DeleteBucketCommand({ Bucket: "lost" }));
    },
    found: foundAs({ scope: "s3:lost" }, "scope-missing"),
  },
];

export const OBJECT_FILES: Readonly<Record<string, DumpFile>> = {
  "s3/photos/_bucket.json": { name: "photos" },
  ...object("untouched"),
};

/** Deletes the versions of the bucket that keeps them, so that it can be deleted. */
export async function deleteVersions(s3: S3Client): Promise<void> {
  const Bucket = "versioned";
  const all = await s3.send(new ListObjectVersionsCommand({ Bucket })).catch(() => undefined);
  for (const { Key, VersionId } of [...(all?.Versions ?? []), ...(all?.DeleteMarkers ?? [])]) {
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  }
}
