/** What a comparison of a dump with its targets found, as data with a published schema. */
import * as z from "zod";
import { ADAPTERS } from "../../model/scope.js";
import { TTL_POLICIES } from "../../modes/expiry.js";
import { MODE_NAMES } from "../../modes/mode.js";
import { STANDINGS } from "./counts.js";
import { foundSchema } from "./found.js";

const count = z.int().nonnegative();

const standings = z.strictObject(
  Object.fromEntries(STANDINGS.map((standing) => [standing, count])) as Record<
    (typeof STANDINGS)[number],
    typeof count
  >,
);

const verifiedScope = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  exists: z.boolean(),
  records: count.describe("selected records of the dump: the sum of the standings"),
  standings,
  extra: count.exactOptional().describe("records that the dump lacks; absent where nobody looked"),
  notListed: z.string().exactOptional().describe("why nobody looked for records that the dump lacks"),
  differences: count.describe("lines in the list of differences"),
  settled: count.describe("records that differed at the first look and no more at the last one"),
  unproven: z
    .array(z.strictObject({ what: z.string(), records: count }))
    .readonly()
    .describe("what the target does not tell, of how many records; 0: of the scope"),
  warnings: z.array(z.string()).readonly(),
  bytes: count.describe("payload of the records that were compared"),
  durationMs: count,
});

export const verificationSchema = z.strictObject({
  verificationVersion: z.literal(1),
  exitStatus: count,
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  durationMs: count,
  dump: z.strictObject({
    path: z.string(),
    digest: z.string().describe("SHA-256 over MANIFEST.json and CHECKSUMS"),
    takenAt: z.string(),
    phase: z.string(),
    files: count,
    bytes: count,
  }),
  mode: z.enum(MODE_NAMES).describe("merge, skip-existing: the target may hold more than the dump"),
  ttlPolicy: z.enum(TTL_POLICIES),
  toleranceMs: count,
  sample: z.strictObject({ share: z.number(), seed: z.string() }).exactOptional(),
  looks: count.describe("how often what differed was looked at"),
  targets: z.array(
    z.strictObject({
      adapter: z.enum(ADAPTERS),
      endpoint: z.string(),
      origin: z.string(),
      server: z.string(),
      requests: count,
      retries: count,
      throttled: count,
    }),
  ),
  records: count,
  standings,
  extra: count,
  scopes: z.array(verifiedScope).readonly(),
  differences: z.array(foundSchema).readonly().describe("the first of them"),
  differenceCount: count.describe("all of them; they stand in differencesFile"),
  differencesFile: z.string().exactOptional(),
  warnings: z.array(z.string()).readonly(),
});

export type Verification = z.infer<typeof verificationSchema>;
export type VerifiedScope = Verification["scopes"][number];
export { verifiedScope as verifiedScopeSchema };
