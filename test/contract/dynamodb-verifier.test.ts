import { onEach } from "../support/servers/contract-server.js";
import { DYNAMODB_SERVERS } from "../support/servers/dynamodb.js";
import { dynamoDbVerifier } from "./suites/dynamodb-verifier.js";

onEach(DYNAMODB_SERVERS, dynamoDbVerifier);
