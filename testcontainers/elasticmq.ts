/** ElasticMQ (SQS) for tests and the demo, in memory, without its statistics page. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";

import { installJars, JAVA_NEEDS, largeHeap, SMALL_HEAP } from "./java.js";
import {
  type Access,
  type Launch,
  LOCAL_CREDENTIALS,
  type NativeRecipe,
  type RunningServer,
  type ServerRecipe,
} from "./recipe.js";
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
    install: (options) =>
      installJars(
        "elasticmq",
        { group: "org.elasticmq", artifact: "elasticmq-server_2.13", version: VERSION },
        options,
      ),
    launch: async (jars, port, data) => await launch({ jars, port, data, heap: SMALL_HEAP }),
  },
};

/**
 * An ElasticMQ of the caller's own, unless `ELASTICKV_RESTORE_TEST_SQS_ENDPOINT` names a shared SQS server. As a process of
 * this machine it takes so much memory for its messages, by default little.
 */
export async function startElasticMq({ heapBytes }: { readonly heapBytes?: number } = {}): Promise<RunningServer> {
  if (heapBytes === undefined) return await startServer(elasticMqRecipe);
  const { native } = elasticMqRecipe;
  const heap = largeHeap(heapBytes);
  const withHeap: NativeRecipe = {
    ...native,
    launch: async (jars, port, data) => await launch({ jars, port, data, heap }),
  };
  return await startServer({ ...elasticMqRecipe, native: withHeap });
}

interface LaunchInit {
  readonly jars: string;
  readonly port: number;
  readonly data: string;
  readonly heap: readonly string[];
}

async function launch({ jars, port, data, heap }: LaunchInit): Promise<Launch> {
  const config = join(data, "elasticmq.conf");
  await writeFile(config, configFor(port));
  return {
    command: "java",
    args: [...heap, `-Dconfig.file=${config}`, "-cp", `${jars}/*`, "org.elasticmq.server.Main"],
  };
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
