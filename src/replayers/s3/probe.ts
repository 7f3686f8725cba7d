/**
 * What an S3 target can do, asked without changing anything: operations are tried on a bucket that does not exist, where
 * a server that knows them says that the bucket is missing, and one that does not, that it does not know them.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { awsRegion, awsServiceName } from "../aws-client.js";
import type { S3Api } from "./api.js";
import {
  ACCESS_DENIED,
  hasReason,
  NOT_FOUND,
  NOT_IMPLEMENTED,
  OTHER_REGION,
  SIGNATURE_REFUSED,
} from "./classify-error.js";
import type { KeyRules } from "./names.js";

export interface Traits {
  /** For people. */
  readonly server: string;
  readonly aws: boolean;
  readonly minio: boolean;
  readonly keyRules: KeyRules;
  readonly listsVersions: boolean;
  readonly listsUploads: boolean;
  readonly deletesMany: boolean;
  readonly hasVersioning: boolean;
  readonly hasPolicies: boolean;
  /** Known to honour `If-None-Match: *` in PutObject and in CompleteMultipartUpload. */
  readonly honoursConditions: boolean;
  /** Known to list objects as they stand at that time, in the order of their keys' bytes. */
  readonly listsTruly: boolean;
  /** Known to keep content encoding, cache control and disposition of an upload in parts. */
  readonly keepsHeadersOfParts: boolean;
  /** Ways round what it lacks, for people. */
  readonly fallbacks: readonly string[];
}

export interface ProbeInit {
  readonly aws: boolean;
  /** A bucket name that nobody has. */
  readonly absentBucket: string;
}

/** Repeatable, changes nothing. @throws RestoreError TARGET_UNREACHABLE, TARGET_CREDENTIALS */
export async function probeServer(api: S3Api, init: ProbeInit): Promise<Traits> {
  try {
    if (init.aws) await awsRegion(api.wire.sdk.config.region);
    const { mayListBuckets, owner } = await signIn(api);
    await assertKnowsBuckets(api, init.absentBucket);
    return await askAround(api, { ...init, owner, mayListBuckets });
  } catch (error) {
    throw unreachable(error);
  }
}

interface SignedIn {
  readonly mayListBuckets: boolean;
  /** Whose buckets were listed, where the server tells. */
  readonly owner?: string | undefined;
}

/** Finds the way to sign that the server takes. */
async function signIn(api: S3Api): Promise<SignedIn> {
  try {
    return { mayListBuckets: true, owner: await api.listBuckets() };
  } catch (error) {
    if (hasReason(error, ACCESS_DENIED)) return { mayListBuckets: false };
    if (!isSignature(error)) throw error;
    // elastickv verifies over every header that arrives; proxies that change headers forbid it as the first choice.
    api.wire.signsEveryHeader = true;
    try {
      return { mayListBuckets: true, owner: await api.listBuckets() };
    } catch (second) {
      if (hasReason(second, ACCESS_DENIED)) return { mayListBuckets: false };
      api.wire.signsEveryHeader = false;
      throw isSignature(second) ? error : second;
    }
  }
}

/** A portal or proxy that answers 200 to anything has every bucket, also one of a name that nobody has. */
async function assertKnowsBuckets(api: S3Api, absentBucket: string): Promise<void> {
  try {
    await api.headBucket(absentBucket);
  } catch (error) {
    if (hasReason(error, NOT_FOUND, ACCESS_DENIED)) return;
    throw error;
  }
  throw new RestoreError(
    "CALL_FAILED",
    `${api.endpoint} does not answer as S3 does: it has a bucket that cannot exist`,
    {
      where: { adapter: "s3", endpoint: api.endpoint, operation: "HeadBucket" },
    },
  );
}

function isSignature(error: unknown): boolean {
  return hasReason(error, SIGNATURE_REFUSED);
}

async function askAround(
  api: S3Api,
  { aws, absentBucket, mayListBuckets, owner }: ProbeInit & SignedIn,
): Promise<Traits> {
  const knows = async (ask: () => Promise<unknown>): Promise<boolean> => aws || (await isKnown(ask));
  const [listsVersions, listsUploads, deletesMany, hasVersioning, hasPolicies] = await Promise.all([
    knows(() => api.listVersions(absentBucket)),
    knows(() => api.uploads.list(absentBucket)),
    knows(() => api.deleteMany(absentBucket, [{ key: "none" }])),
    knows(() => api.versioning(absentBucket)),
    knows(() => api.policy(absentBucket)),
  ]);
  const minio = !aws && /^minio\b/i.test(api.wire.serverHeader ?? "");
  api.wire.foldsWideSpace = minio;
  const known = aws || minio;
  const found = {
    server: aws
      ? await awsServiceName("Amazon S3", api.wire.sdk.config, owner && `owner ${owner}`)
      : serverName(api.wire.serverHeader),
    aws,
    minio,
    keyRules: aws ? ("s3" as const) : minio ? ("minio" as const) : ("unknown" as const),
    listsVersions,
    listsUploads,
    deletesMany,
    hasVersioning,
    hasPolicies,
    honoursConditions: known,
    listsTruly: known,
    keepsHeadersOfParts: known || listsUploads,
  };
  return { ...found, fallbacks: fallbacks(found, { mayListBuckets, signsEveryHeader: api.wire.signsEveryHeader }) };
}

/** Only a clear "not known here" counts; an operation that is refused later says so itself. */
async function isKnown(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
  } catch (error) {
    if (hasReason(error, NOT_IMPLEMENTED)) return false;
    if (!(error instanceof RestoreError) || error.retry === "fatal") {
      if (hasReason(error, ACCESS_DENIED)) return true;
      throw error;
    }
  }
  return true;
}

function serverName(header: string | undefined): string {
  return header === undefined ? "S3 (a server that gives no name)" : `S3 (${header})`;
}

function fallbacks(
  traits: Omit<Traits, "fallbacks">,
  also: { readonly mayListBuckets: boolean; readonly signsEveryHeader: boolean },
): string[] {
  const sentences: readonly (readonly [applies: boolean, sentence: string])[] = [
    [also.signsEveryHeader, "every header is signed, for the target verifies all that arrive"],
    [!also.mayListBuckets, "the credentials may not list buckets: each bucket is asked for by its name"],
    [!traits.deletesMany, "the target deletes no batches: emptying a bucket takes one request an object"],
    [!traits.listsVersions, "the target lists no versions: a bucket counts as empty when it lists no object"],
    [!traits.listsUploads, "the target lists no pending uploads: replace cannot sweep them"],
    [
      !traits.honoursConditions,
      "the target is not known to honour If-None-Match everywhere: objects are looked up before they are written",
    ],
    [
      !traits.keepsHeadersOfParts,
      "objects with a content encoding, disposition or cache control go in one piece, for uploads in parts may lose them",
    ],
  ];
  return sentences.flatMap(([applies, sentence]) => (applies ? [sentence] : []));
}

function unreachable(error: unknown): unknown {
  if (!(error instanceof RestoreError) || !["OUTAGE", "CALL_FAILED", "RECORD_REFUSED"].includes(error.code)) {
    if (!hasReason(error, OTHER_REGION)) return error;
    return new RestoreError("TARGET_CREDENTIALS", error.message, {
      where: error.where,
      hint: "Name the region that the target signs for with --region.",
      retry: "fatal",
      cause: error,
    });
  }
  return new RestoreError("TARGET_UNREACHABLE", error.message, {
    where: error.where,
    hint: "Check --s3-endpoint and that the server is up.",
    retry: "fatal",
    cause: error,
  });
}
