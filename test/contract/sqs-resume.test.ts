import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsResume } from "./suites/sqs-resume.js";

onEach(SQS_SERVERS, sqsResume);
