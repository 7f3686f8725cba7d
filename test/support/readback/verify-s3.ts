/**
 * What an S3 server holds: every listed object and, since a server may keep an object that it does not list, every
 * object of the dump by its own key.
 */
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
} from "@aws-sdk/client-s3";

import type { Expected } from "./expected.js";
import { headerText } from "./header-text.js";
import {
  compareStates,
  type Difference,
  digestBytes,
  type Exception,
  type Facets,
  type State,
  withoutExceptions,
} from "./state.js";

export interface Server {
  readonly endpoint: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** elastickv wants every header signed and bucket paths without a slash at their end, and lists no uploads. */
  readonly isElastickv?: boolean;
}

/** Every difference between the dump's buckets and the target's, all buckets of the target included. */
export async function verifyS3(
  expected: Expected,
  server: Server,
  exceptions: readonly Exception[] = [],
): Promise<Difference[]> {
  return withoutExceptions(compareStates(expected.s3, await s3State(server, expected.s3)), exceptions);
}

/** All buckets, and all objects that are listed or that `asked` names. */
export async function s3State(server: Server, asked: State = new Map()): Promise<State> {
  const client = plainClient(server);
  try {
    const state: State = new Map();
    for (const { Name: bucket = "" } of (await client.send(new ListBucketsCommand({}))).Buckets ?? []) {
      state.set(`s3 ${bucket}`, server.isElastickv === true ? {} : await uploadsLeft(client, bucket));
      const own = [...asked.keys()].filter((record) => record.startsWith(`s3 ${bucket} `));
      const keys = new Set([
        ...(await listedKeys(client, bucket)),
        ...own.map((name) => name.slice(bucket.length + 4)),
      ]);
      for (const key of keys) {
        const facets = await objectFacets(client, bucket, key);
        if (facets !== undefined) state.set(`s3 ${bucket} ${key}`, facets);
      }
    }
    return state;
  } finally {
    client.destroy();
  }
}

export function plainClient(server: Server): S3Client {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    ...(server.credentials === undefined ? {} : { credentials: server.credentials }),
  });
  if (server.isElastickv === true) speakElastickv(client);
  return client;
}

function speakElastickv(client: S3Client): void {
  const original = client.config.signer;
  client.config.signer = async (scheme) => {
    const signer = await original(scheme);
    const signableHeaders = new Set(["connection"]);
    return { sign: (request, options) => signer.sign(request, { ...options, signableHeaders }) };
  };
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { path: string; headers: Record<string, string> };
      request.headers["connection"] = "keep-alive";
      request.path = request.path.replace(/^(\/[^/]+)\/$/, "$1");
      return next(args);
    },
    { step: "build", priority: "low" },
  );
}

/** An upload that nobody completed is a thing left behind. */
async function uploadsLeft(client: S3Client, bucket: string): Promise<Facets> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Object.fromEntries(Uploads.map(({ Key = "", UploadId = "" }) => [`pending upload ${Key}`, UploadId]));
}

export async function listedKeys(client: S3Client, bucket: string): Promise<string[]> {
  const found: string[] = [];
  for (let token: string | undefined; ; ) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token, EncodingType: "url" }),
    );
    // A server that does not know the encoding lists keys as they are.
    const decode = (key: string) => (page.EncodingType === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key);
    found.push(...(page.Contents ?? []).map(({ Key = "" }) => decode(Key)));
    token = page.NextContinuationToken;
    if (token === undefined) return found;
  }
}

async function objectFacets(client: S3Client, bucket: string, key: string): Promise<Facets | undefined> {
  let answer: GetObjectCommandOutput;
  try {
    answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    // Names that the server can never hold are refused in other words than names that it does not hold.
    if (error instanceof NoSuchKey || (error instanceof Error && error.name.startsWith("XMinioInvalid")))
      return undefined;
    throw error;
  }
  const facets: Facets = {
    body: digestBytes(Buffer.from((await answer.Body?.transformToByteArray()) ?? [])),
    etag: answer.ETag?.replaceAll('"', "") ?? "",
  };
  const { ContentType, ContentEncoding, CacheControl, ContentDisposition } = answer;
  if (ContentType !== undefined && ContentType !== "binary/octet-stream") facets["content_type"] = ContentType;
  if (ContentEncoding !== undefined) facets["content_encoding"] = ContentEncoding;
  if (CacheControl !== undefined) facets["cache_control"] = CacheControl;
  if (ContentDisposition !== undefined) facets["content_disposition"] = ContentDisposition;
  for (const [name, value] of Object.entries(answer.Metadata ?? {}))
    facets[`user_metadata ${name}`] = headerText(value);
  return facets;
}
