/** Installs the servers of tests and demo once, so that test files do not wait for one another's installations. */
import { dynamoDbLocalRecipe } from "../testcontainers/dynamodb-local.js";
import { elasticMqRecipe } from "../testcontainers/elasticmq.js";
import { minioRecipe } from "../testcontainers/minio.js";
import { reasonOf } from "../testcontainers/ready.js";
import { redisRecipe } from "../testcontainers/redis.js";
import { prepareServer } from "../testcontainers/server.js";

const WAYS = {
  environment: "named by the environment",
  docker: "run by Docker",
  native: "installed, run as a process",
  "in-process": "in this process",
} as const;

// One after another: Maven's and apt's own locks would make two of them wait for each other anyway.
for (const recipe of [redisRecipe, dynamoDbLocalRecipe, elasticMqRecipe, minioRecipe]) {
  try {
    console.log(`server ${recipe.name}: ${WAYS[await prepareServer(recipe)]}`);
  } catch (error) {
    console.log(`server ${recipe.name}: cannot be installed: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}
