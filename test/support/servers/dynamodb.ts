/** The servers that the DynamoDB contract is run on, and what each cannot do. */
import { startDynamoDbLocal } from "../../../testcontainers/dynamodb-local.js";
import type { ContractServer } from "./contract-server.js";
import { ELASTICKV_DYNAMODB_LIMITS } from "./dynamodb-elastickv-limits.js";
import { elastickv } from "./elastickv.js";

export const dynamoDbLocal: ContractServer = { name: "DynamoDB Local", limits: [], start: startDynamoDbLocal };

export const DYNAMODB_SERVERS: readonly ContractServer[] = [
  dynamoDbLocal,
  { ...elastickv("DYNAMODB_ENDPOINT"), limits: ELASTICKV_DYNAMODB_LIMITS },
];
