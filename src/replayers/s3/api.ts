/**
 * The S3 operations that a restore uses, each of them retried through `Calls` and answered in this adapter's words. It
 * holds what was learned of the server's way to sign, and nothing of a run.
 */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { RestoreError } from "../../errors/restore-error.js";
import { type AwsOptions, endpointLabel } from "../aws-client.js";
import { type CallOptions, Calls } from "../calls.js";
import type { ReplayerContext } from "../replayer.js";
import { type Source, streamed } from "./body.js";
import { asksForDigest, classifyError, hasReason, NO_SUCH_UPLOAD, NOT_FOUND } from "./classify-error.js";
import { type AnswerHeaders, createWire, keepingHeaders, type Wire, withHeaders } from "./client.js";
import { assertArrived, type Stored, stored, unquoted } from "./stored.js";

/** An object's bucket and key on the target. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

export interface HeldObject {
  readonly size: number;
  /** Without quotes, empty when the server gives none. */
  readonly etag: string;
  readonly headers: AnswerHeaders;
}

/** One page of keys, versions or uploads; absent `next`: the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: T;
}

export interface VersionName {
  readonly key: string;
  readonly versionId: string;
}

export interface UploadName {
  readonly key: string;
  readonly uploadId: string;
}

/** A part that arrived: the MD5 of the bytes that were read, and the ETag to complete with. */
export interface SentPart {
  readonly md5: string;
  readonly etag: string;
}

export interface PutInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly ifAbsent: boolean;
  /** Lower-case hex, of the whole body. The server refuses a body that has another one. */
  readonly sha256: string;
  readonly bytes: number;
}

const SHORT_RETRY_MS = 5_000;

export class S3Api {
  readonly endpoint: string;
  readonly calls: Calls;
  /** Gives up soon. */
  readonly #probeCalls: Calls;
  /** As that, and works after the run was interrupted. */
  readonly #cleanupCalls: Calls;
  readonly wire: Wire;
  readonly #signal: AbortSignal | undefined;
  /** Buckets that asked for digests in headers of their own. */
  readonly #wantDigests = new Set<string>();

  constructor(options: AwsOptions, context: ReplayerContext, onThrottled: () => void) {
    this.endpoint = endpointLabel(options.endpoint, options.region);
    this.wire = createWire(options);
    this.#signal = context.signal;
    const classify = (error: unknown, operation: string): RestoreError => {
      const context = { adapter: "s3", endpoint: this.endpoint } as const;
      const classified = classifyError(error, operation, context, options.region);
      if (classified.code === "THROTTLED") onThrottled();
      return classified;
    };
    const { clock, pacer, maxRetryTimeMs, signal } = context;
    const init = { adapter: "s3", endpoint: this.endpoint, clock, pacer, classify };
    const stopping = signal === undefined ? {} : { signal };
    const shortTimeMs = Math.min(maxRetryTimeMs, SHORT_RETRY_MS);
    this.calls = new Calls({ ...init, ...stopping, maxRetryTimeMs });
    this.#probeCalls = new Calls({ ...init, ...stopping, maxRetryTimeMs: shortTimeMs });
    this.#cleanupCalls = new Calls({ ...init, maxRetryTimeMs: shortTimeMs });
  }

  destroy(): void {
    this.wire.sdk.destroy();
  }

  /** Returns the id of the account's owner, where the server tells it. */
  async listBuckets(): Promise<string | undefined> {
    const answer = await this.#probeCalls.run({ operation: "ListBuckets" }, () =>
      this.wire.sdk.send(new ListBucketsCommand({})),
    );
    return answer.Owner?.ID;
  }

  /** Whether the bucket is the account's own. AWS lists buckets by their prefix; names in order, the shortest first. */
  async ownsBucket(bucket: string): Promise<boolean> {
    const answer = await this.#run("ListBuckets", bucket, () =>
      this.wire.sdk.send(new ListBucketsCommand({ Prefix: bucket, MaxBuckets: 1 })),
    );
    return (answer.Buckets ?? []).some(({ Name }) => Name === bucket);
  }

  /** Whether versions of the bucket's objects may be locked against deletion. */
  async hasObjectLock(bucket: string): Promise<boolean> {
    const answer = await this.#run("GetObjectLockConfiguration", bucket, () =>
      this.wire.sdk.send(new GetObjectLockConfigurationCommand({ Bucket: bucket })),
    );
    return answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled";
  }

  /** Whether deleting a version asks for a second factor, which no restore has. */
  async needsSecondFactor(bucket: string): Promise<boolean> {
    const answer = await this.#run("GetBucketVersioning", bucket, () =>
      this.wire.sdk.send(new GetBucketVersioningCommand({ Bucket: bucket })),
    );
    return answer.MFADelete === "Enabled";
  }

  /** @throws RestoreError NOT_FOUND, ACCESS_DENIED, OTHER_REGION as reasons */
  async headBucket(bucket: string): Promise<void> {
    await this.#run("HeadBucket", bucket, () => this.wire.sdk.send(new HeadBucketCommand({ Bucket: bucket })));
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#run("CreateBucket", bucket, () => this.wire.sdk.send(new CreateBucketCommand({ Bucket: bucket })));
  }

  /** Keys in the server's order. */
  async listObjects(bucket: string, after?: string) {
    const answer = await this.#run("ListObjectsV2", bucket, () =>
      this.wire.sdk.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          EncodingType: "url",
          ...(after === undefined ? {} : { ContinuationToken: after }),
        }),
      ),
    );
    const keys = (answer.Contents ?? []).map(({ Key = "" }) => decoded(Key, answer.EncodingType));
    const next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    return { keys, ...(next === undefined ? {} : { next }) };
  }

  /** Versions and delete markers. */
  async listVersions(bucket: string, after?: VersionName, most?: number): Promise<Page<VersionName>> {
    const answer = await this.#run("ListObjectVersions", bucket, () =>
      this.wire.sdk.send(
        new ListObjectVersionsCommand({
          Bucket: bucket,
          EncodingType: "url",
          ...(after === undefined ? {} : { KeyMarker: after.key, VersionIdMarker: after.versionId }),
          ...(most === undefined ? {} : { MaxKeys: most }),
        }),
      ),
    );
    const named = (key: string | undefined, versionId: string | undefined): VersionName => ({
      key: decoded(key ?? "", answer.EncodingType),
      versionId: versionId ?? "null",
    });
    const items = [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])].map((one) =>
      named(one.Key, one.VersionId),
    );
    if (answer.IsTruncated !== true) return { items };
    return { items, next: named(answer.NextKeyMarker, answer.NextVersionIdMarker) };
  }

  /** Pending uploads; `prefix`: of keys that begin so. */
  async listUploads(bucket: string, after?: UploadName, prefix?: string): Promise<Page<UploadName>> {
    const answer = await this.#run("ListMultipartUploads", bucket, () =>
      this.wire.sdk.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          EncodingType: "url",
          ...(prefix === undefined ? {} : { Prefix: prefix }),
          ...(after === undefined ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }),
        }),
      ),
    );
    const named = (key = "", uploadId = ""): UploadName => ({ key: decoded(key, answer.EncodingType), uploadId });
    const items = (answer.Uploads ?? []).map(({ Key, UploadId }) => named(Key, UploadId));
    if (answer.IsTruncated !== true) return { items };
    return { items, next: named(answer.NextKeyMarker, answer.NextUploadIdMarker) };
  }

  /** Deletes at most 1,000 objects or versions in one request. Returns how many the server would not delete, and why. */
  async deleteMany(bucket: string, names: readonly { readonly key: string; readonly versionId?: string }[]) {
    const answer = await this.#run("DeleteObjects", bucket, () =>
      this.wire.sdk.send(
        new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: { Quiet: true, Objects: names.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })) },
        }),
      ),
    );
    return (answer.Errors ?? []).map(({ Code = "", Message = "" }) => `${Code}: ${Message}`);
  }

  async deleteObject({ bucket, key }: ObjectName, versionId?: string): Promise<void> {
    await this.#run("DeleteObject", bucket, () =>
      this.wire.sdk.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId })),
    );
  }

  /** Undefined when nothing stands under the key. */
  async headObject({ bucket, key }: ObjectName): Promise<HeldObject | undefined> {
    try {
      return await this.#run("HeadObject", bucket, async () => {
        const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
        const headers = keepingHeaders(command.middlewareStack);
        const answer = await this.wire.sdk.send(command);
        return { size: answer.ContentLength ?? 0, etag: unquoted(answer.ETag), headers: headers() };
      });
    } catch (error) {
      if (hasReason(error, NOT_FOUND)) return undefined;
      throw error;
    }
  }

  /** One PUT. `open` gives the body anew for every attempt. */
  async putObject(name: ObjectName, init: PutInit, open: () => Buffer | Source | Promise<Buffer>): Promise<Stored> {
    let attempts = 0;
    return await this.#run(
      "PutObject",
      name.bucket,
      async () => {
        const body = await open();
        attempts++;
        const send = async (payload: Buffer | Readable, wanted: boolean, abortSignal?: AbortSignal) => {
          const command = new PutObjectCommand({
            Bucket: name.bucket,
            Key: name.key,
            Body: payload,
            ContentLength: init.bytes,
            ...(init.ifAbsent ? { IfNoneMatch: "*" } : {}),
          });
          const digest = wanted ? { "x-amz-checksum-sha256": Buffer.from(init.sha256, "hex").toString("base64") } : {};
          withHeaders(command.middlewareStack, { ...init.headers, ...digest, "x-amz-content-sha256": init.sha256 });
          return await this.wire.sdk.send(command, abortSignal === undefined ? {} : { abortSignal });
        };
        const { answer, md5 } = await this.#withDigest(name.bucket, async (wanted) =>
          Buffer.isBuffer(body)
            ? { answer: await send(body, wanted), md5: createHash("md5").update(body).digest("hex") }
            : await streamed(body, (payload, abortSignal) => send(payload, wanted, abortSignal)),
        );
        const result = { ...stored(answer, "PutObject"), attempts };
        assertArrived(md5, result);
        return result;
      },
      init.bytes,
    ).catch((error: unknown) => {
      throw withAttempts(error, attempts);
    });
  }

  /** `attempts` above one: an earlier request may have made an upload that nobody knows. */
  async createUpload({ bucket, key }: ObjectName, headers: Readonly<Record<string, string>>) {
    let attempts = 0;
    const answer = await this.#run("CreateMultipartUpload", bucket, () => {
      attempts++;
      const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key });
      withHeaders(command.middlewareStack, headers);
      return this.wire.sdk.send(command);
    });
    return { uploadId: answer.UploadId ?? "", attempts };
  }

  /** Streams one part; its digest is known only when it has been sent. */
  async uploadPart(
    { bucket, key }: ObjectName,
    part: { readonly uploadId: string; readonly number: number; readonly bytes: number },
    blocks: () => AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<SentPart> {
    return await this.#run(
      "UploadPart",
      bucket,
      async () => {
        const { md5, answer } = await this.#withDigest(bucket, async (wanted) => {
          // Known beforehand only by reading the part twice.
          const digest = wanted ? { "content-md5": await md5Of(blocks()) } : {};
          return await streamed({ blocks: blocks(), bytes: part.bytes, signal }, async (body, abortSignal) => {
            const command = new UploadPartCommand({
              Bucket: bucket,
              Key: key,
              UploadId: part.uploadId,
              PartNumber: part.number,
              // A stream of nothing would never end for the SDK's pipe.
              Body: part.bytes === 0 ? Buffer.alloc(0) : body,
              ContentLength: part.bytes,
            });
            withHeaders(command.middlewareStack, { ...digest, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
            return stored(await this.wire.sdk.send(command, { abortSignal }), "UploadPart");
          });
        });
        assertArrived(md5, answer);
        return { md5, etag: answer.etag };
      },
      part.bytes,
    );
  }

  async completeUpload(
    { bucket, key }: ObjectName,
    upload: { readonly uploadId: string; readonly etags: readonly string[]; readonly ifAbsent: boolean },
  ): Promise<Stored> {
    let attempts = 0;
    return await this.#run("CompleteMultipartUpload", bucket, async () => {
      attempts++;
      const answer = await this.wire.sdk.send(
        new CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          UploadId: upload.uploadId,
          MultipartUpload: { Parts: upload.etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) },
          ...(upload.ifAbsent ? { IfNoneMatch: "*" } : {}),
        }),
      );
      return { ...stored(answer, "CompleteMultipartUpload"), attempts };
    }).catch((error: unknown) => {
      throw withAttempts(error, attempts);
    });
  }

  /** Repeatable: an upload that is gone is fine. Gives up soon. */
  async abortUpload({ bucket, key }: ObjectName, uploadId: string): Promise<void> {
    try {
      await this.#cleanupCalls.run({ operation: "AbortMultipartUpload", scope: bucket }, () =>
        this.wire.sdk.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })),
      );
    } catch (error) {
      if (!hasReason(error, NO_SUCH_UPLOAD)) throw error;
    }
  }

  /** Whether anybody may read the bucket's objects by its ACL. */
  async isPublic(bucket: string): Promise<boolean> {
    const answer = await this.#run("GetBucketAcl", bucket, () =>
      this.wire.sdk.send(new GetBucketAclCommand({ Bucket: bucket })),
    );
    return (answer.Grants ?? []).some(({ Grantee }) => Grantee?.URI?.endsWith("/AllUsers") === true);
  }

  async setAcl(bucket: string, acl: "private" | "public-read"): Promise<void> {
    await this.#run("PutBucketAcl", bucket, () =>
      this.wire.sdk.send(new PutBucketAclCommand({ Bucket: bucket, ACL: acl })),
    );
  }

  async versioning(bucket: string): Promise<string | undefined> {
    const answer = await this.#run("GetBucketVersioning", bucket, () =>
      this.wire.sdk.send(new GetBucketVersioningCommand({ Bucket: bucket })),
    );
    return answer.Status;
  }

  async setVersioning(bucket: string, status: "Enabled" | "Suspended"): Promise<void> {
    await this.#run("PutBucketVersioning", bucket, () =>
      this.wire.sdk.send(
        new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: status } }),
      ),
    );
  }

  async policy(bucket: string): Promise<string | undefined> {
    const answer = await this.#run("GetBucketPolicy", bucket, () =>
      this.wire.sdk.send(new GetBucketPolicyCommand({ Bucket: bucket })),
    );
    return answer.Policy;
  }

  async setPolicy(bucket: string, policy: string): Promise<void> {
    await this.#run("PutBucketPolicy", bucket, () =>
      this.wire.sdk.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy })),
    );
  }

  /** Whether the server refused a request for what it asked, not for the state it is in. */
  isRefusal(error: unknown): boolean {
    return error instanceof RestoreError && (error.code === "RECORD_REFUSED" || error.code === "TARGET_CREDENTIALS");
  }

  /** Aborted when the run is. */
  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** A bucket that asks for digests is remembered, and what it refused is sent again. */
  async #withDigest<T>(bucket: string, send: (wanted: boolean) => Promise<T>): Promise<T> {
    const wanted = this.#wantDigests.has(bucket);
    try {
      return await send(wanted);
    } catch (error) {
      if (wanted || !asksForDigest(error)) throw error;
      this.#wantDigests.add(bucket);
      const message = "the bucket asks for a digest in a header";
      throw new RestoreError("CALL_FAILED", message, { retry: "yes", reason: "digest-wanted", cause: error });
    }
  }

  async #run<T>(operation: string, scope: string, attempt: () => Promise<T>, bytes = 0): Promise<T> {
    const options: CallOptions = { operation, scope, bytes };
    return await this.calls.run(options, attempt);
  }
}

/** Base64, as the header wants it. */
async function md5Of(blocks: AsyncIterable<Buffer>): Promise<string> {
  const md5 = createHash("md5");
  for await (const block of blocks) md5.update(block);
  return md5.digest("base64");
}

const ATTEMPTS = new WeakMap<object, number>();

function withAttempts(error: unknown, attempts: number): unknown {
  if (typeof error === "object" && error !== null) ATTEMPTS.set(error, attempts);
  return error;
}

/** How many requests were sent before this error of `putObject` or `completeUpload`. */
export function attemptsOf(error: unknown): number {
  return typeof error === "object" && error !== null ? (ATTEMPTS.get(error) ?? 0) : 0;
}

/** A server that does not know the encoding says so by not repeating it. */
function decoded(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
}
