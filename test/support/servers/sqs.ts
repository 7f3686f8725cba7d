/** The servers that the SQS contract is run on, and what each cannot do. */
import { startElasticMq } from "../../../testcontainers/elasticmq.js";
import type { ContractServer } from "./contract-server.js";
import { elastickv } from "./elastickv.js";
import { ELASTICKV_SQS_LIMITS } from "./sqs-elastickv-limits.js";

export const elasticMq: ContractServer = { name: "ElasticMQ", limits: [], start: startElasticMq };

export const SQS_SERVERS: readonly ContractServer[] = [
  elasticMq,
  { ...elastickv("SQS_ENDPOINT"), limits: ELASTICKV_SQS_LIMITS },
];
