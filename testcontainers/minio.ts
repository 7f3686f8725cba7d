/** MinIO for tests and the demo: one drive, no console. */
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";

import { installOnce, needCommand, run } from "./cache.js";
import { type Access, LOCAL_CREDENTIALS, type RunningServer, type ServerRecipe } from "./recipe.js";
import { startServer } from "./server.js";

/** The commit that is built; the project publishes no binaries any more. */
const VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c";

const environment = {
  MINIO_ROOT_USER: LOCAL_CREDENTIALS.accessKeyId,
  MINIO_ROOT_PASSWORD: LOCAL_CREDENTIALS.secretAccessKey,
  MINIO_BROWSER: "off",
  MINIO_UPDATE: "off",
};

export const minioRecipe: ServerRecipe = {
  name: "minio",
  variable: "ELASTICKV_RESTORE_TEST_S3_ENDPOINT",
  version: VERSION.slice("v0.0.0-".length),
  credentials: LOCAL_CREDENTIALS,
  protocol: "http",
  ask: askS3,
  // The last image that the project published.
  docker: { image: "minio/minio:RELEASE.2025-09-07T16-13-09Z", port: 9000, command: ["server", "/data"], environment },
  native: {
    needs: "Go for the first time, which builds it in two minutes",
    install: installMinio,
    launch: (directory, port, data) => ({
      command: `${directory}/minio`,
      args: ["server", data, "--address", `127.0.0.1:${port}`, "--quiet"],
      environment,
    }),
  },
};

/** A MinIO of the caller's own, unless `ELASTICKV_RESTORE_TEST_S3_ENDPOINT` names a shared S3 server. */
export async function startMinio(): Promise<RunningServer> {
  return await startServer(minioRecipe);
}

async function installMinio(): Promise<string> {
  return await installOnce("minio", VERSION, async (directory) => {
    const go = await needCommand("go");
    await run(go, ["install", "-trimpath", "-ldflags=-s -w", `github.com/minio/minio@${VERSION}`], {
      cwd: directory,
      environment: { GOBIN: directory },
    });
  });
}

async function askS3({ endpoint, credentials = LOCAL_CREDENTIALS }: Access): Promise<undefined> {
  const client = new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true, maxAttempts: 1 });
  try {
    await client.send(new ListBucketsCommand({}), { requestTimeout: 5_000 });
  } finally {
    client.destroy();
  }
  return undefined;
}
