import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisVerifier } from "./suites/redis-verifier.js";

onEach(REDIS_SERVERS, redisVerifier);
