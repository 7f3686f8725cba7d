import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsMessages } from "./suites/sqs-messages.js";

onEach(SQS_SERVERS, sqsMessages);
