/**
 * The S3 operations that a restore uses on buckets and objects, each of them retried and answered in this adapter's
 * words. Uploads in parts stand in `uploads-api.ts`.
 */
import { createHash, hash } from "node:crypto";
import type { Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";

import { RestoreError } from "../../errors/restore-error.js";
import type { CallStats } from "../calls.js";
import { carrying, type Exchange } from "../exchange.js";
import { type Source, streamed } from "./body.js";
import { errorOfOne, hasReason, NO_SUCH_BUCKET, NOT_FOUND } from "./classify-error.js";
import { type AnswerHeaders, answerHeaders, type Wire, withHeaders } from "./client.js";
import { decodedKey, type ObjectName, type Requests, withAttempts } from "./requests.js";
import { assertArrived, type Stored, stored, unquoted } from "./stored.js";
import { UploadsApi } from "./uploads-api.js";

export interface HeldObject {
  readonly size: number;
  /** Without quotes, empty when the server gives none. */
  readonly etag: string;
  readonly headers: AnswerHeaders;
}

export interface VersionName {
  readonly key: string;
  readonly versionId: string;
}

export interface HeldVersion extends VersionName {
  /** What is read under the key; else an earlier version or a delete marker. */
  readonly isCurrent: boolean;
}

/** A page of names; absent `next`: the last. */
export interface VersionPage {
  readonly items: readonly HeldVersion[];
  readonly next?: VersionName;
}

export interface ListedObject {
  readonly size: number;
  /** As of `HeldObject`. */
  readonly etag: string;
}

export interface KeyPage {
  readonly keys: readonly string[];
  /** Of the key at the same place. */
  readonly objects: readonly ListedObject[];
  /** Whether the keys stand in the answer in a form in which every key can be written: XML cannot write them all. */
  readonly isExact: boolean;
  readonly next?: string;
}

export interface KeysAsked {
  /** As an earlier page's `next`. */
  readonly after?: string;
  /** Keys behind this one, which need not be there. */
  readonly behind?: string;
  readonly prefix?: string;
  readonly most?: number;
  /** Called when the request goes out. */
  readonly onSend?: () => void;
}

export interface PutInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly ifAbsent: boolean;
  /** Lower-case hex, of the whole body. The server refuses a body that has another one. */
  readonly sha256: string;
  readonly bytes: number;
}

export class S3Api {
  readonly uploads: UploadsApi;
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
    this.uploads = new UploadsApi(requests);
  }

  /** The same, for what belongs to the write of an object: it may go on for some time when the run is to stop. */
  forWrites(): S3Api {
    return new S3Api(this.#requests.forWrites());
  }

  /** The same, for what can be done without: asked once, and given up when this signal aborts, too. */
  aside(signal: AbortSignal): S3Api {
    return new S3Api(this.#requests.aside(signal));
  }

  get endpoint(): string {
    return this.#requests.endpoint;
  }

  get wire(): Wire {
    return this.#requests.wire;
  }

  get stats(): CallStats {
    return this.#requests.calls.stats;
  }

  /** Ends its requests. */
  get signal(): AbortSignal | undefined {
    return this.#requests.calls.signal;
  }

  destroy(): void {
    this.wire.sdk.destroy();
  }

  /** Returns the id of the account's owner, where the server tells it. */
  async listBuckets(): Promise<string | undefined> {
    const answer = await this.#requests.probeCalls.run({ operation: "ListBuckets" }, () =>
      this.wire.sdk.send(new ListBucketsCommand({})),
    );
    return answer.Owner?.ID;
  }

  /** Whether the bucket is the account's own. AWS lists buckets by their prefix; names in order, the shortest first. */
  async ownsBucket(bucket: string): Promise<boolean> {
    const answer = await this.#requests.run("ListBuckets", bucket, () =>
      this.wire.sdk.send(new ListBucketsCommand({ Prefix: bucket, MaxBuckets: 1 })),
    );
    return (answer.Buckets ?? []).some(({ Name }) => Name === bucket);
  }

  /** Whether versions of the bucket's objects may be locked against deletion. */
  async hasObjectLock(bucket: string): Promise<boolean> {
    const answer = await this.#requests.run("GetObjectLockConfiguration", bucket, () =>
      this.wire.sdk.send(new GetObjectLockConfigurationCommand({ Bucket: bucket })),
    );
    return answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled";
  }

  /** Whether deleting a version asks for a second factor, which no restore has. */
  async needsSecondFactor(bucket: string): Promise<boolean> {
    const answer = await this.#requests.run("GetBucketVersioning", bucket, () =>
      this.wire.sdk.send(new GetBucketVersioningCommand({ Bucket: bucket })),
    );
    return answer.MFADelete === "Enabled";
  }

  /** @throws RestoreError NOT_FOUND, ACCESS_DENIED, OTHER_REGION as reasons */
  async headBucket(bucket: string): Promise<void> {
    await this.#requests.run("HeadBucket", bucket, () => this.wire.sdk.send(new HeadBucketCommand({ Bucket: bucket })));
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#requests.run("CreateBucket", bucket, () =>
      this.wire.sdk.send(new CreateBucketCommand({ Bucket: bucket })),
    );
  }

  /** Repeatable: a bucket that is gone is fine. @throws RestoreError BUCKET_NOT_EMPTY as reason */
  async deleteBucket(bucket: string): Promise<void> {
    try {
      await this.#requests.run("DeleteBucket", bucket, () =>
        this.wire.sdk.send(new DeleteBucketCommand({ Bucket: bucket })),
      );
    } catch (error) {
      if (!hasReason(error, NO_SUCH_BUCKET, NOT_FOUND)) throw error;
    }
  }

  /** Keys in the server's order. */
  async listObjects(bucket: string, { after, behind, prefix, most, onSend }: KeysAsked = {}): Promise<KeyPage> {
    const answer = await this.#requests.run("ListObjectsV2", bucket, () => {
      onSend?.();
      return this.wire.sdk.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          EncodingType: "url",
          ...(after === undefined ? {} : { ContinuationToken: after }),
          ...(behind === undefined ? {} : { StartAfter: behind }),
          ...(prefix === undefined ? {} : { Prefix: prefix }),
          ...(most === undefined ? {} : { MaxKeys: most }),
        }),
      );
    });
    const { Contents = [], EncodingType } = answer;
    const keys = Contents.map(({ Key = "" }) => decodedKey(Key, EncodingType));
    const objects = Contents.map(({ Size = 0, ETag }) => ({ size: Size, etag: unquoted(ETag) }));
    const next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    return { keys, objects, isExact: EncodingType === "url", ...(next === undefined ? {} : { next }) };
  }

  /** Versions and delete markers; at most `most` on the page, of keys that begin with `prefix`. */
  async listVersions(
    bucket: string,
    after?: VersionName,
    { most, prefix }: { readonly most?: number; readonly prefix?: string } = {},
  ): Promise<VersionPage> {
    const answer = await this.#requests.run("ListObjectVersions", bucket, () =>
      this.wire.sdk.send(
        new ListObjectVersionsCommand({
          Bucket: bucket,
          EncodingType: "url",
          ...(after === undefined ? {} : { KeyMarker: after.key, VersionIdMarker: after.versionId }),
          ...(most === undefined ? {} : { MaxKeys: most }),
          ...(prefix === undefined ? {} : { Prefix: prefix }),
        }),
      ),
    );
    const named = (key: string | undefined, versionId: string | undefined): VersionName => ({
      key: decodedKey(key ?? "", answer.EncodingType),
      versionId: versionId ?? "null",
    });
    const current = (answer.Versions ?? []).filter(({ IsLatest }) => IsLatest === true);
    const rest = (answer.Versions ?? []).filter(({ IsLatest }) => IsLatest !== true);
    const items = [
      ...current.map((one) => ({ ...named(one.Key, one.VersionId), isCurrent: true })),
      ...[...rest, ...(answer.DeleteMarkers ?? [])].map((one) => ({
        ...named(one.Key, one.VersionId),
        isCurrent: false,
      })),
    ];
    if (answer.IsTruncated !== true) return { items };
    return { items, next: named(answer.NextKeyMarker, answer.NextVersionIdMarker) };
  }

  /**
   * Deletes at most 1,000 objects or versions in one request; what the server puts off is asked for again. Returns what it
   * says of each that it would not delete.
   */
  async deleteMany(bucket: string, names: readonly { readonly key: string; readonly versionId?: string }[]) {
    const refused: string[] = [];
    let left = names;
    await this.#requests.run("DeleteObjects", bucket, async () => {
      const answer = await this.wire.sdk.send(
        new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: { Quiet: true, Objects: left.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })) },
        }),
      );
      const again = new Set<string>();
      let putOff: RestoreError | undefined;
      for (const one of answer.Errors ?? []) {
        const error = this.#requests.classify(errorOfOne(one), "DeleteObjects");
        if (error.retry === "yes") {
          again.add(one.Key ?? "");
          putOff ??= error;
        } else refused.push(`${one.Code}: ${one.Message}`);
      }
      if (putOff === undefined) return;
      const named = left.filter(({ key }) => again.has(key));
      // A server may write keys otherwise than they are.
      if (named.length > 0) left = named;
      throw putOff;
    });
    return refused;
  }

  async deleteObject({ bucket, key }: ObjectName, versionId?: string): Promise<void> {
    await this.#requests.run("DeleteObject", bucket, () =>
      this.wire.sdk.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId })),
    );
  }

  /**
   * Undefined when nothing stands under the key. `checksums`: asks for digests, which the target may keep from who may
   * not decrypt the object.
   */
  async headObject({ bucket, key }: ObjectName, { checksums = false } = {}): Promise<HeldObject | undefined> {
    try {
      return await this.#requests.run("HeadObject", bucket, async () => {
        const mode = checksums ? ({ ChecksumMode: "ENABLED" } as const) : {};
        const exchange: Exchange = {};
        const input = carrying({ Bucket: bucket, Key: key, ...mode }, exchange);
        const answer = await this.wire.sdk.send(new HeadObjectCommand(input));
        return { size: answer.ContentLength ?? 0, etag: unquoted(answer.ETag), headers: answerHeaders(exchange) };
      });
    } catch (error) {
      if (hasReason(error, NOT_FOUND)) return undefined;
      throw error;
    }
  }

  /** The size of one part of an object that was uploaded in so many parts. Undefined where the target does not say. */
  async partBytes({ bucket, key }: ObjectName, partNumber: number, parts: number): Promise<number | undefined> {
    const answer = await this.#requests.run("HeadObject", bucket, () =>
      this.wire.sdk.send(new HeadObjectCommand({ Bucket: bucket, Key: key, PartNumber: partNumber })),
    );
    return answer.PartsCount === parts ? answer.ContentLength : undefined;
  }

  /** Reads the whole object, of so many bytes. Lower-case hex. */
  async sha256Of({ bucket, key }: ObjectName, bytes: number): Promise<string> {
    return await this.#requests.run(
      "GetObject",
      bucket,
      async () => {
        const abort = this.signal === undefined ? {} : { abortSignal: this.signal };
        const { Body } = await this.wire.sdk.send(new GetObjectCommand({ Bucket: bucket, Key: key }), abort);
        const sha256 = createHash("sha256");
        for await (const block of Body as Readable) sha256.update(block as Buffer);
        return sha256.digest("hex");
      },
      bytes,
    );
  }

  /** One PUT. `open` gives the body anew for every attempt. */
  async putObject(name: ObjectName, init: PutInit, open: () => Buffer | Source | Promise<Buffer>): Promise<Stored> {
    let attempts = 0;
    return await this.#requests
      .run(
        "PutObject",
        name.bucket,
        async () => {
          const body = await open();
          attempts++;
          const commandOf = (payload: Buffer | Readable, wanted: boolean) => {
            const digest = wanted
              ? { "x-amz-checksum-sha256": Buffer.from(init.sha256, "hex").toString("base64") }
              : {};
            const input = {
              Bucket: name.bucket,
              Key: name.key,
              Body: payload,
              ContentLength: init.bytes,
              ...(init.ifAbsent ? { IfNoneMatch: "*" } : {}),
            };
            const headers = { ...init.headers, ...digest, "x-amz-content-sha256": init.sha256 };
            return new PutObjectCommand(withHeaders(input, headers));
          };
          const { answer, md5 } = await this.#requests.withDigest(name.bucket, async (wanted) =>
            Buffer.isBuffer(body)
              ? { answer: await this.wire.putObject(commandOf(body, wanted)), md5: hash("md5", body) }
              : await streamed(body, (payload, abortSignal) =>
                  this.wire.sdk.send(commandOf(payload, wanted), { abortSignal }),
                ),
          );
          const result = { ...stored(answer, "PutObject"), attempts };
          if (md5 !== undefined) assertArrived(md5, result);
          return result;
        },
        init.bytes,
      )
      .catch((error: unknown) => {
        throw withAttempts(error, attempts);
      });
  }

  /** Whether anybody may read the bucket's objects by its ACL. */
  async isPublic(bucket: string): Promise<boolean> {
    const answer = await this.#requests.run("GetBucketAcl", bucket, () =>
      this.wire.sdk.send(new GetBucketAclCommand({ Bucket: bucket })),
    );
    return (answer.Grants ?? []).some(({ Grantee }) => Grantee?.URI?.endsWith("/AllUsers") === true);
  }

  async setAcl(bucket: string, acl: "private" | "public-read"): Promise<void> {
    await this.#requests.run("PutBucketAcl", bucket, () =>
      this.wire.sdk.send(new PutBucketAclCommand({ Bucket: bucket, ACL: acl })),
    );
  }

  async versioning(bucket: string): Promise<string | undefined> {
    const answer = await this.#requests.run("GetBucketVersioning", bucket, () =>
      this.wire.sdk.send(new GetBucketVersioningCommand({ Bucket: bucket })),
    );
    return answer.Status;
  }

  async setVersioning(bucket: string, status: "Enabled" | "Suspended"): Promise<void> {
    await this.#requests.run("PutBucketVersioning", bucket, () =>
      this.wire.sdk.send(
        new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: status } }),
      ),
    );
  }

  async policy(bucket: string): Promise<string | undefined> {
    const answer = await this.#requests.run("GetBucketPolicy", bucket, () =>
      this.wire.sdk.send(new GetBucketPolicyCommand({ Bucket: bucket })),
    );
    return answer.Policy;
  }

  async setPolicy(bucket: string, policy: string): Promise<void> {
    await this.#requests.run("PutBucketPolicy", bucket, () =>
      this.wire.sdk.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy })),
    );
  }

  /** Whether the server refused a request for what it asked, not for the state it is in. */
  isRefusal(error: unknown): boolean {
    return error instanceof RestoreError && (error.code === "RECORD_REFUSED" || error.code === "TARGET_CREDENTIALS");
  }
}
