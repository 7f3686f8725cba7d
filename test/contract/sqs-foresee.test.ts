import { onEach } from "../support/servers/contract-server.js";
import { SQS_SERVERS } from "../support/servers/sqs.js";
import { sqsForesee } from "./suites/sqs-foresee.js";
import { sqsSettings } from "./suites/sqs-settings.js";

onEach(SQS_SERVERS, sqsForesee);
onEach(SQS_SERVERS, sqsSettings);
