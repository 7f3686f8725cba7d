import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsQueues } from "./suites/sqs-queues.js";

onEach(SQS_SERVERS, sqsQueues);
