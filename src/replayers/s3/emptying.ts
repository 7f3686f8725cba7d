/**
 * Deletes all that a bucket holds, versions, delete markers and pending uploads too. The bucket itself stays, for its
 * name could be lost to somebody else, unless it is to be removed.
 *
 * It lists and deletes until two listings in a row show nothing, for a server may show an object only when the one
 * above it is gone (MinIO: `a/b` under an object `a`).
 */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { BucketScope } from "../../model/scope.js";
import { NOT_XML } from "../../support/xml-text.js";
import type { S3Api } from "./api.js";
import { isThere } from "./bucket.js";
import { BUCKET_NOT_EMPTY, hasReason } from "./classify-error.js";
import { exactKeys } from "./held-keys.js";
import type { Traits } from "./probe.js";

interface Doomed {
  readonly key: string;
  readonly versionId?: string;
}

const QUIET_LISTINGS = 2;
/** Rounds over the whole bucket that may find the same names again before it is said that they cannot be deleted. */
const MOST_IDLE_ROUNDS = 3;
const DELETES_AT_ONCE = 8;

/** Repeatable. @throws RestoreError CALL_FAILED when something stays whatever is done */
export async function emptyBucket(api: S3Api, traits: Traits, bucket: string): Promise<void> {
  let quiet = 0;
  let idle = 0;
  let before: string | undefined;
  while (quiet < QUIET_LISTINGS) {
    const round = await deleteRound(api, traits, bucket);
    if (round.first === undefined) {
      quiet++;
      continue;
    }
    quiet = 0;
    idle = round.first === before ? idle + 1 : 0;
    before = round.first;
    if (idle >= MOST_IDLE_ROUNDS) throw undeletable(api, bucket, round);
  }
  if (traits.listsUploads) await abortAllUploads(api, bucket);
}

/**
 * Deletes the bucket with all that it holds. Repeatable: one that is gone is fine.
 * @throws RestoreError CALL_FAILED when something stays whatever is done
 */
export async function removeBucket(api: S3Api, traits: Traits, scope: BucketScope): Promise<void> {
  for (let idle = 0; await isThere(api, scope); idle++) {
    await emptyBucket(api, traits, scope.target);
    try {
      return await api.deleteBucket(scope.target);
    } catch (error) {
      // Somebody wrote meanwhile, or the listing was behind.
      if (!hasReason(error, BUCKET_NOT_EMPTY) || idle >= MOST_IDLE_ROUNDS) throw error;
    }
  }
}

interface Round {
  /** The first thing that was listed. */
  readonly first?: string;
  /** What the target said of something that it did not delete. */
  readonly complaint?: string;
}

async function deleteRound(api: S3Api, traits: Traits, bucket: string): Promise<Round> {
  let first: string | undefined;
  let complaint: string | undefined;
  // A server that does not know the question for versions may answer it with a listing in which there are none.
  for (const list of traits.listsVersions ? [versions, objects] : [objects]) {
    for await (const names of list(api, bucket)) {
      first ??= names[0]?.key;
      complaint = (await deleteAll(api, traits, bucket, names)) ?? complaint;
    }
  }
  return { ...(first === undefined ? {} : { first }), ...(complaint === undefined ? {} : { complaint }) };
}

async function* versions(api: S3Api, bucket: string): AsyncGenerator<readonly Doomed[]> {
  for (let page = await api.listVersions(bucket); ; page = await api.listVersions(bucket, page.next)) {
    if (page.items.length > 0) yield page.items;
    if (page.next === undefined) return;
  }
}

async function* objects(api: S3Api, bucket: string): AsyncGenerator<readonly Doomed[]> {
  for (let page = await api.listObjects(bucket); ; page = await api.listObjects(bucket, { after: page.next })) {
    const found = new Set<string>();
    const keys = await exactKeys(api, bucket, page, (listed) => found.size < found.add(listed).size);
    // What has no name cannot be deleted by one.
    if (keys.includes("")) throw undeletable(api, bucket, { first: "" });
    if (keys.length > 0) yield keys.map((key) => ({ key }));
    if (page.next === undefined) return;
  }
}

/** At most 1,000. Returns what the target said of something that it did not delete. */
export async function deleteAll(
  api: S3Api,
  traits: Traits,
  bucket: string,
  names: readonly Doomed[],
): Promise<string | undefined> {
  // DeleteObjects names keys in XML, which has no way to write some of the characters that a key can hold.
  const together = traits.deletesMany ? names.filter(({ key }) => !NOT_XML.test(key)) : [];
  const queue = traits.deletesMany ? names.filter(({ key }) => NOT_XML.test(key)) : [...names];
  const complaint = together.length === 0 ? undefined : (await api.deleteMany(bucket, together))[0];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await api.deleteObject({ bucket, key: name.key }, name.versionId);
    }
  };
  await Promise.all(Array.from({ length: DELETES_AT_ONCE }, worker));
  return complaint;
}

async function abortAllUploads(api: S3Api, bucket: string): Promise<void> {
  for (let page = await api.uploads.list(bucket); ; page = await api.uploads.list(bucket, page.next)) {
    for (const { key, uploadId } of page.items) await api.uploads.abort({ bucket, key }, uploadId);
    if (page.next === undefined) return;
  }
}

function undeletable(api: S3Api, bucket: string, { first = "", complaint }: Round): RestoreError {
  const said = complaint === undefined ? "" : `: ${escapeForDisplay(complaint)}`;
  return new RestoreError("CALL_FAILED", `${bucket} cannot be emptied, "${escapeForDisplay(first)}" stays${said}`, {
    where: { adapter: "s3", scope: bucket, endpoint: api.endpoint },
    hint: "Delete it with the target's own tools, or restore under another name with --rename.",
    reason: "not-emptied",
  });
}
