/**
 * What a client may ask of a job: the command line's own options but for endpoints, credentials, files and modules, which
 * only the configuration names.
 */
import * as z from "zod";
import { ADAPTERS } from "../../model/scope.js";
import { TTL_POLICIES } from "../../modes/expiry.js";

const MOST_WORDS = 1000;
const MOST_CHARS = 2048;

const word = z.string().min(1).max(MOST_CHARS);
const words = z.array(word).max(MOST_WORDS);
const duration = z.string().regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/);
const size = z.string().regex(/^\d+(?:\.\d+)?(?:B|KB|KiB|MB|MiB|GB|GiB)?$/);

const selection = {
  adapters: z.array(z.enum(ADAPTERS)).min(1).max(ADAPTERS.length).exactOptional(),
  scopes: words.exactOptional().describe("dynamodb=orders,users"),
  include: words.exactOptional().describe("globs on record keys"),
  exclude: words.exactOptional().describe("globs on record keys"),
  allowOrphanBuckets: z.boolean().exactOptional(),
};

const writing = {
  rename: words.exactOptional().describe("dynamodb:orders=orders_copy"),
  mode: z
    .enum(["replace", "merge", "skip-existing"])
    .exactOptional()
    .describe("absent: scopes that hold records are refused"),
  ttlPolicy: z.enum(TTL_POLICIES).exactOptional(),
  listMergeStrategy: z.enum(["replace", "append", "reject"]).exactOptional(),
  streamMergeStrategy: z.enum(["reject", "auto-id"]).exactOptional(),
  replaceStrategy: z.enum(["flush", "per-key"]).exactOptional(),
  fifoDedup: z.enum(["original", "record"]).exactOptional(),
  preserveVisibility: z.boolean().exactOptional(),
  purgeWait: duration.exactOptional(),
  onAmbiguous: z.enum(["resend", "skip", "stop"]).exactOptional(),
  multipartThreshold: size.exactOptional(),
  keepEtag: z.boolean().exactOptional(),
  allowLowMemory: z.boolean().exactOptional(),
  requireConsistent: z.boolean().exactOptional(),
  unordered: z.boolean().exactOptional(),
  maxRetryTime: duration.exactOptional(),
};

const comparing = {
  sample: z
    .string()
    .regex(/^\d+(?:\.\d+)?%$/)
    .exactOptional(),
  sampleSeed: word.exactOptional(),
  tolerance: duration.exactOptional(),
  looks: z.int().min(1).max(100).exactOptional(),
  lookAgainAfter: duration.exactOptional(),
  download: z.boolean().exactOptional(),
  messages: z.boolean().exactOptional(),
};

export const planOptionsSchema = z.strictObject({ ...selection, ...writing });
export const applyOptionsSchema = z.strictObject({
  ...selection,
  ...writing,
  verify: z.boolean().exactOptional().describe("compare the targets with the dump afterwards"),
});
export const verifyOptionsSchema = z.strictObject({
  ...selection,
  ...writing,
  ...comparing,
  checksums: z.boolean().exactOptional().describe("of a dump alone: stop after manifest, digests and metadata"),
  repair: z.boolean().exactOptional().describe("restore what is missing or differs, in the mode given"),
});
export const drillOptionsSchema = z.strictObject({
  ...selection,
  ttlPolicy: writing.ttlPolicy,
  fifoDedup: writing.fifoDedup,
  assertions: word.exactOptional().describe("the configuration's name for a file of assertions"),
  databases: z
    .array(z.int().nonnegative())
    .max(1000)
    .exactOptional()
    .describe("of a named target: empty Redis databases"),
  maxRto: duration.exactOptional(),
  maxRpo: duration.exactOptional(),
  trendLast: z.int().min(1).max(100_000).exactOptional(),
  trendPercent: z.int().nonnegative().max(100_000).exactOptional(),
});
