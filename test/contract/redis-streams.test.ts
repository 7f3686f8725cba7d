import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisStreams } from "./suites/redis-streams.js";

onEach(REDIS_SERVERS, redisStreams);
