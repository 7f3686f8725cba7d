/** The servers that the SQS contract is run on, and what each cannot do. */
import { startElasticMq } from "../../../testcontainers/elasticmq.js";
import { type ContractServer, type Limit, within } from "./contract-server.js";
import { elastickv } from "./elastickv.js";
import { ELASTICKV_SQS_LIMITS } from "./sqs-elastickv-limits.js";

const ELASTICMQ_LIMITS: readonly Limit[] = within("sqsSettings", [
  {
    tests: /^settings > that some targets do not show tell another (MessageRetentionPeriod|MaximumMessageSize)/,
    reason: "it does not show them",
    instead: /expected \[\] to deeply equal/,
  },
  {
    tests: /^settings > tell a change of deduplication by content/,
    reason: "it takes that of a new queue alone",
    instead: /ContentBasedDeduplication is invalid/,
  },
  {
    tests: /^settings > tell a policy of who may redrive/,
    reason: "it knows no such policy",
    instead: /expected \[\] to deeply equal/,
  },
]);

export const elasticMq: ContractServer = { name: "ElasticMQ", limits: ELASTICMQ_LIMITS, start: startElasticMq };

export const SQS_SERVERS: readonly ContractServer[] = [
  elasticMq,
  { ...elastickv("SQS_ENDPOINT"), limits: ELASTICKV_SQS_LIMITS },
];
