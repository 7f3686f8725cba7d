/** The four real servers that an end-to-end test restores into, and the options that name them. */
import { startDynamoDbLocal } from "../../testcontainers/dynamodb-local.js";
import { startElasticMq } from "../../testcontainers/elasticmq.js";
import { startMinio } from "../../testcontainers/minio.js";
import { startRedis } from "../../testcontainers/redis.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";

export interface FourServers {
  readonly redis: RunningServer;
  readonly dynamodb: RunningServer;
  readonly s3: RunningServer;
  readonly sqs: RunningServer;
  /** Endpoints as options of the command line. */
  readonly options: readonly string[];
  stop(): Promise<void>;
}

/** Credentials as the command line takes them from its environment. */
export const CLI_ENVIRONMENT: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
  AWS_REGION: "us-east-1",
};

/** Starts all four, or none. */
export async function startFourServers(): Promise<FourServers> {
  const started: RunningServer[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const start = async (server: Promise<RunningServer>) => {
    const running = await server;
    started.push(running);
    return running;
  };
  try {
    const redis = await start(startRedis());
    const s3 = await start(startMinio());
    const dynamodb = await start(startDynamoDbLocal());
    const sqs = await start(startElasticMq());
    return { redis, dynamodb, s3, sqs, options: optionsFor({ redis, dynamodb, s3, sqs }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function optionsFor(servers: Pick<FourServers, "redis" | "dynamodb" | "s3" | "sqs">): string[] {
  return [
    ...["--redis-url", servers.redis.endpoint],
    ...["--dynamodb-endpoint", servers.dynamodb.endpoint],
    ...["--s3-endpoint", servers.s3.endpoint],
    ...["--sqs-endpoint", servers.sqs.endpoint],
  ];
}
