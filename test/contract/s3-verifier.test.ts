import { onEach } from "../support/servers/contract-server.js";
import { S3_SERVERS } from "../support/servers/s3.js";
import { s3Verifier } from "./suites/s3-verifier.js";

onEach(S3_SERVERS, s3Verifier);
