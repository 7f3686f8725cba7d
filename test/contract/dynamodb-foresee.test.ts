import { onEach } from "../support/servers/contract-server.js";
import { DYNAMODB_SERVERS } from "../support/servers/dynamodb.js";
import { dynamoDbForesee } from "./suites/dynamodb-foresee.js";

onEach(DYNAMODB_SERVERS, dynamoDbForesee);
