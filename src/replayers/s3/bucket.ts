/** A bucket before its objects: what stands there, and making it. */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import type { ScopeState } from "../replayer.js";
import type { S3Api } from "./api.js";
import { ACCESS_DENIED, BUCKET_TAKEN, hasReason, NO_SUCH_BUCKET, NOT_FOUND, OTHER_REGION } from "./classify-error.js";
import { ifTold } from "./if-told.js";
import { impossibleBucket, isWellFormed, reservedPart } from "./names.js";
import type { Traits } from "./probe.js";

/** Own keys that are asked for when a listing shows nothing. */
const MOST_OWN_KEYS = 1_000;
const ASKED_AT_ONCE = 16;

/** Repeatable, changes nothing. @throws RestoreError TARGET_SCOPE_IMPOSSIBLE for a bucket that is somebody else's */
export async function inspectBucket(
  { api, traits }: { readonly api: S3Api; readonly traits: Traits },
  scope: BucketScope,
  ownRecords: () => AsyncIterable<ObjectRecord>,
): Promise<ScopeState> {
  if (!(await isThere(api, scope))) {
    const reserved = traits.aws ? reservedPart(scope.target) : undefined;
    if (reserved === undefined) return { presence: "absent", warnings: [] };
    throw impossibleBucket(scope, api.endpoint, `cannot be a new bucket's name: AWS keeps "${reserved}" for itself`);
  }
  await assertOwn(api, traits, scope);
  const unmakeable = traits.aws || traits.minio ? await undeletable(api, scope.target) : {};
  return { ...(await held({ api, traits }, scope, ownRecords)), ...unmakeable };
}

/**
 * Also a bucket that another account opened to these credentials, or to everybody, is not theirs to fill.
 * @throws RestoreError TARGET_SCOPE_IMPOSSIBLE
 */
export async function assertOwn(api: S3Api, traits: Pick<Traits, "aws">, scope: BucketScope): Promise<void> {
  if (traits.aws && !((await ifTold(() => api.ownsBucket(scope.target))) ?? true)) throw somebodyElses(api, scope);
}

/** What would stop a replace when it has deleted some of what the bucket holds. */
async function undeletable(api: S3Api, bucket: string): Promise<Pick<ScopeState, "unmakeable">> {
  const hint = "Use --mode merge, or restore under another name with --rename.";
  if (await ifTold(() => api.hasObjectLock(bucket))) {
    const why =
      "the bucket has Object Lock, so that versions may be kept from deletion and emptying it could end half-way";
    return { unmakeable: { why, hint } };
  }
  if (await ifTold(() => api.needsSecondFactor(bucket))) {
    return {
      unmakeable: { why: "the bucket has MFA delete: its versions are deleted with a second factor alone", hint },
    };
  }
  return {};
}

async function held(
  { api, traits }: { readonly api: S3Api; readonly traits: Traits },
  scope: BucketScope,
  ownRecords: () => AsyncIterable<ObjectRecord>,
): Promise<ScopeState> {
  const { keys, next } = await api.listObjects(scope.target);
  if (keys.length > 0 || next !== undefined) {
    // MinIO does not list what lies below another object's key.
    const exact = next === undefined && !traits.minio;
    return { presence: "holds-records", count: { value: keys.length, exact }, warnings: [] };
  }
  if (traits.listsVersions && (await hasVersions(api, scope.target))) {
    const warnings = ["it lists no object, but holds earlier versions or delete markers"];
    return { presence: "holds-records", count: { value: 0, exact: true }, warnings };
  }
  if (!traits.aws && (await holdsAny(api, scope.target, ownRecords()))) {
    return { presence: "holds-records", warnings: ["it holds objects of the dump that it does not list"] };
  }
  return { presence: "empty", count: { value: 0, exact: true }, warnings: [] };
}

/** A page may be empty and yet not the last. */
async function hasVersions(api: S3Api, bucket: string): Promise<boolean> {
  const { items, next } = await api.listVersions(bucket, undefined, { most: 1 });
  return items.length > 0 || next !== undefined;
}

/** @throws RestoreError TARGET_SCOPE_IMPOSSIBLE when the credentials may not use it, or it lies in another region */
export async function isThere(api: S3Api, scope: BucketScope): Promise<boolean> {
  try {
    await api.headBucket(scope.target);
    return true;
  } catch (error) {
    if (hasReason(error, NOT_FOUND, NO_SUCH_BUCKET)) return false;
    if (hasReason(error, ACCESS_DENIED)) throw somebodyElses(api, scope);
    if (hasReason(error, OTHER_REGION)) throw elsewhere(api, scope, error);
    throw error;
  }
}

/** For a bucket that the job has written into. @throws RestoreError, ending the run, when it is gone */
export async function assertThere(api: S3Api, scope: BucketScope): Promise<void> {
  if (await isThere(api, scope)) return;
  throw new RestoreError(
    "TARGET_SCOPE_IMPOSSIBLE",
    `"${escapeForDisplay(scope.target)}" is gone, with what was restored`,
    {
      where: { adapter: "s3", scope: scope.name, endpoint: api.endpoint },
      hint: "Let go of the job with `elastickv-restore cancel`, then restore the bucket anew.",
      retry: "fatal",
    },
  );
}

/** Some servers keep objects that they do not list: MinIO, `a/b` under an object `a`. */
async function holdsAny(api: S3Api, bucket: string, records: AsyncIterable<ObjectRecord>): Promise<boolean> {
  let asked = 0;
  let keys: string[] = [];
  const anyHeld = async () => (await Promise.all(keys.map((key) => isHeld(api, bucket, key)))).includes(true);
  for await (const { key } of records) {
    if (++asked > MOST_OWN_KEYS) break;
    // Only what lies below another key can be hidden by it.
    if (key.includes("/")) keys.push(key);
    if (keys.length < ASKED_AT_ONCE) continue;
    if (await anyHeld()) return true;
    keys = [];
  }
  return await anyHeld();
}

/** A key that the target refuses to be asked for is not there. */
async function isHeld(api: S3Api, bucket: string, key: string): Promise<boolean> {
  if (key === "" || !isWellFormed(key)) return false;
  try {
    return (await api.headObject({ bucket, key })) !== undefined;
  } catch (error) {
    if (error instanceof RestoreError && error.code === "RECORD_REFUSED") return false;
    throw error;
  }
}

/** A bucket of ours that is there by now is fine. @throws RestoreError TARGET_SCOPE_IMPOSSIBLE */
export async function createBucket(api: S3Api, traits: Pick<Traits, "aws">, scope: BucketScope): Promise<void> {
  try {
    await api.createBucket(scope.target);
  } catch (error) {
    if (traits.aws && hasReason(error, BUCKET_TAKEN)) throw somebodyElses(api, scope);
    if (!hasReason(error, "bucket-exists", BUCKET_TAKEN)) {
      if (!(error instanceof RestoreError) || error.code !== "RECORD_REFUSED") throw error;
      throw impossibleBucket(scope, api.endpoint, `is refused by the target: ${error.message}`);
    }
    if (!(await isThere(api, scope))) throw somebodyElses(api, scope);
  }
}

function elsewhere(api: S3Api, scope: BucketScope, error: RestoreError): RestoreError {
  if (error.hint === undefined)
    return impossibleBucket(scope, api.endpoint, "lies in another region (--region names it)");
  const where = { adapter: "s3", scope: scope.name, endpoint: api.endpoint };
  return new RestoreError("TARGET_SCOPE_IMPOSSIBLE", error.message, { where, hint: error.hint, cause: error });
}

function somebodyElses(api: S3Api, scope: BucketScope): RestoreError {
  return impossibleBucket(scope, api.endpoint, "is somebody else's bucket, or one that the credentials may not use");
}
