/** The servers that the S3 contract is run on, and what each cannot do. */
import { startMinio } from "../../../testcontainers/minio.js";
import type { ContractServer } from "./contract-server.js";
import { elastickv } from "./elastickv.js";
import { ELASTICKV_S3_LIMITS } from "./s3-elastickv-limits.js";

export interface S3Server extends ContractServer {
  /** Which a plain client has to sign for in a way of its own. */
  readonly isElastickv?: boolean;
}

export const minio: S3Server = { name: "MinIO", limits: [], start: startMinio };

export const S3_SERVERS: readonly S3Server[] = [
  minio,
  { ...elastickv("S3_ENDPOINT"), limits: ELASTICKV_S3_LIMITS, isElastickv: true },
];
