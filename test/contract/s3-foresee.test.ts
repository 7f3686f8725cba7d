import { onEach } from "../support/servers/contract-server.js";
import { S3_SERVERS } from "../support/servers/s3.js";
import { s3Foresee } from "./suites/s3-foresee.js";

onEach(S3_SERVERS, s3Foresee);
