/** What elastickv's S3 port does otherwise, each as it was found on the server itself. */
import { type Limit, within } from "./contract-server.js";

const buckets: readonly Limit[] = [
  {
    tests: /^the probe > names the server and finds no way round needed$/,
    reason: "it needs ways round: for its signatures, and where it lists no versions and no pending uploads",
    instead: /every header is signed/,
  },
  {
    tests: /^inspecting a bucket > counts the objects of one that holds some$/,
    reason: "it has no versions that a count by listing could miss, so the count is exact",
    instead: /exact: true/,
  },
  {
    tests: /^(inspecting a bucket > takes one with nothing but a delete marker|emptying a bucket > deletes versions)/,
    reason: "it has no versioning, and takes the request for another one to make the bucket",
    instead: /bucket already exists/,
  },
  {
    tests: /^inspecting a bucket > cannot be replaced where its versions may be locked/,
    reason: "it has no Object Lock, and makes the bucket without",
    instead: /expected undefined to match object/,
  },
  {
    tests: /^creating a bucket > sets versioning to /,
    reason: "it has no versioning",
    instead: /the target has no versioning/,
  },
  {
    tests: /^creating a bucket > says that a public ACL could not be set where it is allowed$/,
    reason: "it sets public ACLs",
    instead: /found: \[\]/,
  },
  {
    tests: /^creating a bucket > leaves a policy out unless it is asked for$/,
    reason: "it has no policies",
    instead: /the target has no policies/,
  },
  {
    tests: /^keeping a bucket > says how its settings differ and changes nothing$/,
    reason: "it has no versioning that could be asked for",
    instead: /only ListObjectsV2 is supported/,
  },
];

const objects: readonly Limit[] = [
  {
    tests: /^an object that the bucket has > merge does not send an equal one again$/,
    reason: "it gives no name, so it is asked once how it keeps text outside ASCII",
    instead: /expected \d+ to be 1 /,
  },
  {
    tests: /^metadata > hold the same text outside ASCII$/,
    reason: "it gives metadata outside ASCII back as UTF-8, not as encoded words",
    instead: /to be '=\?UTF-8\?q\?/,
  },
  {
    tests: /^metadata > get no content type where the dump has none$/,
    reason: "its own default content type is another",
    instead: /application\/octet-stream/,
  },
  {
    tests: /^keys > "\/lead" is rejected/,
    reason: "it refuses the key, where MinIO would write another one",
    instead: /reason: 'key-refused'/,
  },
  {
    tests: /^keys > "(z{256}|(long\/){210})" is rejected/,
    reason: "it takes keys of any length",
    instead: /kind: 'restored'/,
  },
];

const verifier: readonly Limit[] = [
  {
    tests: /(in parts of unequal sizes|a byte of an object in parts > when they are not, for its ETag tells of it)$/,
    reason: "it does not tell the sizes of an object's parts",
    instead: /--download reads them/,
  },
  {
    tests: /^(what the bucket holds > stays as versions|the bucket itself > may have versioning)/,
    reason: "it has no versioning, and takes the request for another one to make the bucket",
    instead: /bucket already exists/,
  },
  {
    tests: /^the bucket itself > has other versioning, which is mended: /,
    reason: "it has no versioning",
    instead: /bucket already exists|the target has no versioning/,
  },
  {
    tests: /^the bucket itself > lacks the policy/,
    reason: "it has no policies",
    instead: /the target has no policies/,
  },
];

const foresee: readonly Limit[] = [
  {
    tests: /^(what emptying takes away beside the objects > is versions|removing a bucket > takes versions)/,
    reason: "it has no versioning, and takes the request for another one to make the bucket",
    instead: /bucket already exists/,
  },
  {
    tests: /^what emptying takes away beside the objects > is pending uploads, counted$/,
    reason: "it lists no pending uploads, so that emptying takes none",
    instead: /expected \[\] to deeply equal/,
  },
];

export const ELASTICKV_S3_LIMITS: readonly Limit[] = [
  ...within("s3Buckets", buckets),
  ...within("s3Objects", objects),
  ...within("s3Verifier", verifier),
  ...within("s3Foresee", foresee),
];
