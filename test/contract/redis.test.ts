import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisModes } from "./suites/redis-modes.js";

onEach(REDIS_SERVERS, redisModes);
