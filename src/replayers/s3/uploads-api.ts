/** The requests of uploads in parts, each of them retried and answered in this adapter's words. */
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { interrupted } from "../../errors/interruption.js";
import { awsErrorStatus } from "../aws-client.js";
import { type Reading, streamed } from "./body.js";
import { hasReason, NO_SUCH_UPLOAD } from "./classify-error.js";
import { withHeaders } from "./client.js";
import { decodedKey, type ObjectName, type Requests, withAttempts } from "./requests.js";
import { assertArrived, type Stored, stored, toldMd5, unquoted } from "./stored.js";

export interface UploadName {
  readonly key: string;
  readonly uploadId: string;
}

export interface PendingUpload extends UploadName {
  /** Unix milliseconds, by the server's clock. */
  readonly initiatedAt?: number;
}

export interface UploadPage {
  readonly items: readonly PendingUpload[];
  /** Absent: the last. */
  readonly next?: UploadName;
}

/** A part that was sent. */
export interface SentPart {
  /** To complete with. */
  readonly etag: string;
  /** Lower-case hex, of the bytes that were read; absent where it was not made. */
  readonly md5?: string;
  /** Of the bytes that the target holds, where its ETag tells that. If both are there, they are the same. */
  readonly told?: string;
}

/** A part that is to be sent. */
export interface PartToSend {
  readonly uploadId: string;
  readonly number: number;
  readonly bytes: number;
  /** Whether its MD5 is made while it is sent, and compared with what the target answers. */
  readonly isHashed: boolean;
  /** Gives the body anew for every attempt. */
  readonly open: () => Reading;
  readonly signal: AbortSignal;
}

/** A part that the target says it holds. */
export interface HeldPart {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
}

export class UploadsApi {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Pending uploads; `prefix`: of keys that begin so. */
  async list(bucket: string, after?: UploadName, prefix?: string): Promise<UploadPage> {
    const answer = await this.#requests.run("ListMultipartUploads", bucket, () =>
      this.#requests.wire.sdk.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          EncodingType: "url",
          ...(prefix === undefined ? {} : { Prefix: prefix }),
          ...(after === undefined ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }),
        }),
      ),
    );
    const named = (key = "", uploadId = ""): UploadName => ({ key: decodedKey(key, answer.EncodingType), uploadId });
    const items = (answer.Uploads ?? []).map(({ Key, UploadId, Initiated }) => ({
      ...named(Key, UploadId),
      ...(Initiated === undefined ? {} : { initiatedAt: Initiated.getTime() }),
    }));
    if (answer.IsTruncated !== true) return { items };
    return { items, next: named(answer.NextKeyMarker, answer.NextUploadIdMarker) };
  }

  /** All parts of the upload that the target holds, by their numbers. */
  async parts({ bucket, key }: ObjectName, uploadId: string): Promise<Map<number, HeldPart>> {
    const held = new Map<number, HeldPart>();
    for (let after: string | undefined; ; ) {
      const marker = after === undefined ? {} : { PartNumberMarker: after };
      const answer = await this.#requests.run("ListParts", bucket, () =>
        this.#requests.wire.sdk.send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, ...marker })),
      );
      for (const { PartNumber = 0, Size = -1, ETag } of answer.Parts ?? []) {
        held.set(PartNumber, { size: Size, etag: unquoted(ETag) });
      }
      const next = answer.IsTruncated === true ? answer.NextPartNumberMarker : undefined;
      // A server that answers the same page again and again would never come to an end.
      if (next === undefined || Number(next) <= Number(after ?? 0)) return held;
      after = next;
    }
  }

  /**
   * `unanswered` requests before the last one may each have made an upload that nobody knows; so may those of its error.
   * `again`: called before a request is sent that makes them more.
   */
  async create(
    { bucket, key }: ObjectName,
    headers: Readonly<Record<string, string>>,
    again: (unanswered: number) => Promise<void>,
  ) {
    let [unanswered, told] = [0, 0];
    const answer = await this.#requests
      .run("CreateMultipartUpload", bucket, async () => {
        if (unanswered > told) await again(unanswered);
        told = unanswered;
        const command = new CreateMultipartUploadCommand(withHeaders({ Bucket: bucket, Key: key }, headers));
        try {
          return await this.#requests.wire.sdk.send(command);
        } catch (error) {
          if (!this.#isDeclined(error)) unanswered++;
          throw error;
        }
      })
      .catch((error: unknown) => {
        throw withAttempts(error, unanswered);
      });
    return { uploadId: answer.UploadId ?? "", unanswered };
  }

  /** Streams one part; its digest is known only when it has been sent. */
  async sendPart({ bucket, key }: ObjectName, part: PartToSend): Promise<SentPart> {
    return await this.#requests.run(
      "UploadPart",
      bucket,
      async () => {
        const { md5, answer } = await this.#requests.withDigest(bucket, async (wanted) => {
          // Known beforehand only by reading the part twice.
          const digest = wanted ? { "content-md5": (await md5Of(part.open())).toString("base64") } : {};
          const { bytes, signal, isHashed } = part;
          const source = { ...part.open(), bytes, signal, isHashed };
          return await streamed(source, async (body, abortSignal) => {
            const input = {
              Bucket: bucket,
              Key: key,
              UploadId: part.uploadId,
              PartNumber: part.number,
              // A stream of nothing would never end for the SDK's pipe.
              Body: part.bytes === 0 ? Buffer.alloc(0) : body,
              ContentLength: part.bytes,
            };
            const headers = { ...digest, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
            const command = new UploadPartCommand(withHeaders(input, headers));
            return stored(await this.#requests.wire.sdk.send(command, { abortSignal }), "UploadPart");
          });
        });
        if (md5 !== undefined) assertArrived(md5, answer);
        const told = toldMd5(answer);
        return { etag: answer.etag, ...(md5 === undefined ? {} : { md5 }), ...(told === undefined ? {} : { told }) };
      },
      part.bytes,
    );
  }

  async complete(
    { bucket, key }: ObjectName,
    upload: { readonly uploadId: string; readonly etags: readonly string[]; readonly ifAbsent: boolean },
  ): Promise<Stored> {
    let attempts = 0;
    return await this.#requests
      .run("CompleteMultipartUpload", bucket, async () => {
        attempts++;
        const answer = await this.#requests.wire.sdk.send(
          new CompleteMultipartUploadCommand({
            Bucket: bucket,
            Key: key,
            UploadId: upload.uploadId,
            MultipartUpload: { Parts: upload.etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 })) },
            ...(upload.ifAbsent ? { IfNoneMatch: "*" } : {}),
          }),
        );
        return { ...stored(answer, "CompleteMultipartUpload"), attempts };
      })
      .catch((error: unknown) => {
        throw withAttempts(error, attempts);
      });
  }

  /** Repeatable: an upload that is gone is fine. Gives up soon. */
  async abort({ bucket, key }: ObjectName, uploadId: string): Promise<void> {
    try {
      await this.#requests.cleanupCalls.run({ operation: "AbortMultipartUpload", scope: bucket }, () =>
        this.#requests.wire.sdk.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })),
      );
    } catch (error) {
      if (!hasReason(error, NO_SUCH_UPLOAD)) throw error;
    }
  }

  /** It never reached the server, or the server says that it did nothing. */
  #isDeclined(error: unknown): boolean {
    const status = awsErrorStatus(error);
    if (status !== undefined) return (status >= 400 && status < 500) || status === 503;
    return this.#requests.classify(error, "CreateMultipartUpload").reason === "not-sent";
  }
}

/** The digest of blocks as they are read, up to an abort. */
export async function md5Of({ blocks, release }: Reading, signal?: AbortSignal): Promise<Buffer> {
  const md5 = createHash("md5");
  for await (const block of blocks) {
    if (signal?.aborted === true) throw interrupted();
    md5.update(block);
  }
  release();
  return md5.digest();
}
