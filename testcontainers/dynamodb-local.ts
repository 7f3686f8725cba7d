/** DynamoDB Local for tests and the demo, in memory, one database for every access key and region. */
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";

import { installJars, JAVA_NEEDS, SMALL_HEAP } from "./java.js";
import { type Access, LOCAL_CREDENTIALS, type RunningServer, type ServerRecipe } from "./recipe.js";
import { startServer } from "./server.js";

const VERSION = "2.6.1";
const MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";

export const dynamoDbLocalRecipe: ServerRecipe = {
  name: "dynamodb-local",
  variable: "ELASTICKV_RESTORE_TEST_DYNAMODB_ENDPOINT",
  version: VERSION,
  credentials: LOCAL_CREDENTIALS,
  protocol: "http",
  ask: askDynamoDb,
  docker: {
    image: `amazon/dynamodb-local:${VERSION}`,
    port: 8000,
    command: ["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb"],
  },
  native: {
    needs: JAVA_NEEDS,
    install: (options) =>
      installJars("dynamodb-local", { group: "com.amazonaws", artifact: "DynamoDBLocal", version: VERSION }, options),
    launch: (jars, port) => ({
      command: "java",
      args: [
        ...SMALL_HEAP,
        `-Djava.library.path=${jars}`,
        "-cp",
        `${jars}/*`,
        MAIN,
        ...["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)],
      ],
      environment: { DDB_LOCAL_TELEMETRY: "0" },
    }),
  },
};

/** A DynamoDB Local of the caller's own, unless `ELASTICKV_RESTORE_TEST_DYNAMODB_ENDPOINT` names a shared server. */
export async function startDynamoDbLocal(): Promise<RunningServer> {
  return await startServer(dynamoDbLocalRecipe);
}

async function askDynamoDb({ endpoint, credentials = LOCAL_CREDENTIALS }: Access): Promise<undefined> {
  const client = new DynamoDBClient({ endpoint, credentials, region: "us-east-1", maxAttempts: 1 });
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }), { requestTimeout: 5_000 });
  } finally {
    client.destroy();
  }
  return undefined;
}
