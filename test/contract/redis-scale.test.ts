import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisScale } from "./suites/redis-scale.js";

onEach(REDIS_SERVERS, redisScale);
