import { onEach } from "../support/servers/contract-server.js";
import { DYNAMODB_SERVERS } from "../support/servers/dynamodb.js";
import { dynamoDbItems } from "./suites/dynamodb-items.js";

onEach(DYNAMODB_SERVERS, dynamoDbItems);
