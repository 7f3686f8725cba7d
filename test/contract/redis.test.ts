import { onEach } from "../support/servers/contract-server.js";
import { REDIS_IN_MEMORY, REDIS_SERVERS } from "../support/servers/redis.js";
import { redisModes } from "./suites/redis-modes.js";

onEach([...REDIS_SERVERS, REDIS_IN_MEMORY], redisModes);
