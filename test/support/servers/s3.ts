/** The servers that the S3 contract is run on, and what each cannot do. */
import { startMinio } from "../../../testcontainers/minio.js";
import { type ContractServer, within } from "./contract-server.js";
import { elastickv } from "./elastickv.js";
import { ELASTICKV_S3_LIMITS } from "./s3-elastickv-limits.js";

export interface S3Server extends ContractServer {
  /** Which a plain client has to sign for in a way of its own. */
  readonly isElastickv?: boolean;
}

const MINIO_LIMITS = within("s3Verifier", [
  {
    tests: /^the bucket itself > is public, which the dump's was not, and is mended$/,
    reason: "it has no public ACLs",
    instead: /expected \[\] to match object/,
  },
  {
    tests: /^the bucket itself > is private where it may be public, and becomes public only where that is allowed$/,
    reason: "it has no public ACLs",
    instead: /public-read could not be set/,
  },
]);

export const minio: S3Server = { name: "MinIO", limits: MINIO_LIMITS, start: startMinio };

export const S3_SERVERS: readonly S3Server[] = [
  minio,
  { ...elastickv("S3_ENDPOINT"), limits: ELASTICKV_S3_LIMITS, isElastickv: true },
];
