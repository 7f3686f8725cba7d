/** What an S3 server says that it holds after a body was sent, and whether that is what was sent. */
import { RestoreError } from "../../errors/restore-error.js";
import type { AnswerHeaders } from "./client.js";
import { isPlainMd5 } from "./part-size.js";

export interface Stored {
  /** Without quotes. */
  readonly etag: string;
  readonly versionId?: string;
  /** Whether the ETag says nothing of the bytes: the server encrypts them with keys of its own. */
  readonly opaqueEtag: boolean;
  /** Requests that were sent for it; above one, an earlier one may have been applied. */
  readonly attempts: number;
}

interface StoreAnswer {
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}

/**
 * What the server says that it holds. Every S3 service gives the ETag; a proxy or portal that answers 200 to anything, with
 * a page or nothing, gives none, and stored nothing.
 * @throws RestoreError CONNECTION, to be tried again
 */
export function stored(answer: StoreAnswer, operation: string): Omit<Stored, "attempts"> {
  const etag = unquoted(answer.ETag);
  if (etag === "") {
    throw new RestoreError("CONNECTION", `the answer to ${operation} has no ETag: it is not an S3 service's`, {
      retry: "yes",
      reason: "unreadable-answer",
    });
  }
  return {
    etag,
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    opaqueEtag: isEncrypted(answer.ServerSideEncryption, answer.SSECustomerAlgorithm),
  };
}

/** Whether an object's ETag says nothing of its bytes. */
export function isOpaque(headers: AnswerHeaders): boolean {
  return isEncrypted(
    headers["x-amz-server-side-encryption"],
    headers["x-amz-server-side-encryption-customer-algorithm"],
  );
}

/** With keys that are not the service's: then ETags are no MD5 (API reference, Object). */
function isEncrypted(encryption: string | undefined, customerAlgorithm: string | undefined): boolean {
  return encryption?.startsWith("aws:") === true || customerAlgorithm !== undefined;
}

export function unquoted(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}

/** The MD5 of what the target holds, lower-case hex, where the ETag of what was sent in one request is that. */
export function toldMd5({ etag, opaqueEtag }: Pick<Stored, "etag" | "opaqueEtag">): string | undefined {
  return opaqueEtag || !isPlainMd5(etag) ? undefined : etag.toLowerCase();
}

/** @throws RestoreError CALL_FAILED, to be tried again, when the target says that it holds other bytes */
export function assertArrived(md5: string, answer: Pick<Stored, "etag" | "opaqueEtag">): void {
  if ((toldMd5(answer) ?? md5) === md5) return;
  throw new RestoreError("CALL_FAILED", "the target holds other bytes than were sent", {
    retry: "yes",
    reason: "digest-mismatch",
  });
}
