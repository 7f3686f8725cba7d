import { onEach } from "../support/servers/contract-server.js";
import { REDIS_IN_MEMORY, REDIS_SERVERS } from "../support/servers/redis.js";
import { redisExpiry } from "./suites/redis-expiry.js";

onEach([...REDIS_SERVERS, REDIS_IN_MEMORY], redisExpiry);
