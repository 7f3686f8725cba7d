/** ElasticMQ (SQS) for tests and the demo, in memory, without its statistics page. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";

import { installJars, JAVA_NEEDS, SMALL_HEAP } from "./java.js";
import { type Access, LOCAL_CREDENTIALS, type RunningServer, type ServerRecipe } from "./recipe.js";
import { startServer } from "./server.js";

const VERSION = "1.7.1";

export const elasticMqRecipe: ServerRecipe = {
  name: "elasticmq",
  variable: "ELASTICKV_RESTORE_TEST_SQS_ENDPOINT",
  version: VERSION,
  credentials: LOCAL_CREDENTIALS,
  protocol: "http",
  ask: askSqs,
  docker: { image: `softwaremill/elasticmq-native:${VERSION}`, port: 9324 },
  native: {
    needs: JAVA_NEEDS,
    install: () =>
      installJars("elasticmq", { group: "org.elasticmq", artifact: "elasticmq-server_2.13", version: VERSION }),
    launch: async (jars, port, data) => {
      const config = join(data, "elasticmq.conf");
      await writeFile(config, configFor(port));
      return {
        command: "java",
        args: [...SMALL_HEAP, `-Dconfig.file=${config}`, "-cp", `${jars}/*`, "org.elasticmq.server.Main"],
      };
    },
  },
};

/** An ElasticMQ of the caller's own, unless `ELASTICKV_RESTORE_TEST_SQS_ENDPOINT` names a shared SQS server. */
export async function startElasticMq(): Promise<RunningServer> {
  return await startServer(elasticMqRecipe);
}

function configFor(port: number): string {
  return [
    'include classpath("application.conf")',
    `rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = ${port}, sqs-limits = strict }`,
    "rest-stats { enabled = false }",
    `node-address { protocol = http, host = "127.0.0.1", port = ${port}, context-path = "" }`,
    "",
  ].join("\n");
}

async function askSqs({ endpoint, credentials = LOCAL_CREDENTIALS }: Access): Promise<undefined> {
  const client = new SQSClient({
    endpoint,
    credentials,
    region: "us-east-1",
    maxAttempts: 1,
    useQueueUrlAsEndpoint: false,
  });
  try {
    await client.send(new ListQueuesCommand({ MaxResults: 1 }), { requestTimeout: 5_000 });
  } finally {
    client.destroy();
  }
  return undefined;
}
