/** A process that starts a Redis, says where, and waits to be killed. */
import { startRedis } from "../../testcontainers/redis.js";

const { endpoint, how } = await startRedis();
process.stdout.write(`${JSON.stringify({ endpoint, how })}\n`);
setInterval(() => undefined, 1_000);
