import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsVerifier } from "./suites/sqs-verifier.js";

onEach(SQS_SERVERS, sqsVerifier);
