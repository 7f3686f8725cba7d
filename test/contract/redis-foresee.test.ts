import { onEach } from "../support/servers/contract-server.js";
import { REDIS_SERVERS } from "../support/servers/redis.js";
import { redisForesee } from "./suites/redis-foresee.js";

onEach(REDIS_SERVERS, redisForesee);
