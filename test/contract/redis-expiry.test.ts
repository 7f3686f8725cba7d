import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisExpiry } from "./suites/redis-expiry.js";

onEach(REDIS_SERVERS, redisExpiry);
