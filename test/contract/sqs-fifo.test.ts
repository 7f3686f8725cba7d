import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsFifo } from "./suites/sqs-fifo.js";

onEach(SQS_SERVERS, sqsFifo);
