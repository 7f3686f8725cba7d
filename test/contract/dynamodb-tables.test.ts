import { onEach } from "../support/servers/contract-server.js";
import { DYNAMODB_SERVERS } from "../support/servers/dynamodb.js";
import { dynamoDbTables } from "./suites/dynamodb-tables.js";

onEach(DYNAMODB_SERVERS, dynamoDbTables);
