/** What emptying a bucket takes away beside the objects that are read in it now: settings stay with the bucket. */
import type { S3Api } from "./api.js";
import { ifTold } from "./if-told.js";
import type { Traits } from "./probe.js";

/** Listed at most, of each: to count them all takes as long as to delete them. */
const MOST_PAGES = 20;

interface Counted {
  readonly count: number;
  /** There is more that was not looked at. */
  readonly isPartial: boolean;
}

/** Phrases, none where nothing is lost. Changes nothing. */
export async function bucketLosses(api: S3Api, traits: Traits, bucket: string): Promise<string[]> {
  const versions = traits.hasVersioning && traits.listsVersions ? await ifTold(() => earlier(api, bucket)) : NONE;
  const uploads = traits.listsUploads ? await ifTold(() => pending(api, bucket)) : NONE;
  return [
    ...phrase(versions, "earlier versions and delete markers"),
    ...phrase(uploads, "pending uploads in parts, with the parts sent so far"),
  ];
}

const NONE: Counted = { count: 0, isPartial: false };

function phrase(counted: Counted | undefined, what: string): string[] {
  if (counted === undefined) return [`${what}, if there are any: the target does not tell`];
  const { count, isPartial } = counted;
  if (isPartial)
    return [count === 0 ? `${what}, if there are any: not all was looked at` : `at least ${count} ${what}`];
  return count === 0 ? [] : [`${count} ${what}`];
}

async function earlier(api: S3Api, bucket: string): Promise<Counted> {
  // A bucket that never had versions has none to look for.
  if ((await api.versioning(bucket)) === undefined) return NONE;
  let count = 0;
  let page = await api.listVersions(bucket);
  for (let pages = 1; ; pages++) {
    count += page.items.filter(({ isCurrent }) => !isCurrent).length;
    if (page.next === undefined) return { count, isPartial: false };
    if (pages >= MOST_PAGES) return { count, isPartial: true };
    page = await api.listVersions(bucket, page.next);
  }
}

async function pending(api: S3Api, bucket: string): Promise<Counted> {
  let count = 0;
  let page = await api.uploads.list(bucket);
  for (let pages = 1; ; pages++) {
    count += page.items.length;
    if (page.next === undefined) return { count, isPartial: false };
    if (pages >= MOST_PAGES) return { count, isPartial: true };
    page = await api.uploads.list(bucket, page.next);
  }
}
