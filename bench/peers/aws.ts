/** Loops around the AWS SDKs, and the two programs that people copy folders into S3 with. */
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import type { Command } from "../watched-process.js";
import { installGoProgram, installNpmPackages, installPythonPackage } from "./install.js";
import { type Ground, nodeScript, type Peer } from "./peer.js";

/** As this project's own dependency, so that both have the same. */
const SDK_VERSION = "3.1173.0";
const BOTO3_VERSION = "1.44.8";
const S5CMD = { name: "s5cmd", module: "github.com/peak/s5cmd/v2", version: "v2.3.0" };
const MC = { name: "mc", module: "github.com/minio/mc", version: "v0.0.0-20250313080218-cf909e1063a9" };

export const dynamoDbSdk: Peer = sdkPeer("AWS SDK for JS", "dynamodb-sdk.mjs");
export const sqsSdk: Peer = sdkPeer("AWS SDK for JS", "sqs-sdk.mjs");
export const s3Sdk: Peer = sdkPeer("AWS SDK for JS", "s3-sdk.mjs");

export const s3LibStorage: Peer = {
  name: "AWS SDK lib-storage",
  install: async () => {
    const packages = [`@aws-sdk/lib-storage@${SDK_VERSION}`, `@aws-sdk/client-s3@${SDK_VERSION}`];
    return await installNpmPackages("lib-storage", SDK_VERSION, packages);
  },
  command: ({ dump, server, installed }) => quiet("s3-lib-storage.mjs", [dump, server.endpoint, installed]),
};

export const sqsBoto3: Peer = {
  name: "boto3",
  install: async () => await installPythonPackage("boto3", BOTO3_VERSION),
  command: ({ dump, server, installed }) => ({
    command: "python3",
    args: [`${import.meta.dirname}/sqs-boto3.py`, dump, server.endpoint],
    env: { PYTHONPATH: installed },
  }),
};

export const s5cmd: Peer = {
  name: "s5cmd (no metadata)",
  loses: "metadata",
  install: async () => await installGoProgram(S5CMD),
  command(ground) {
    const { installed, server } = ground;
    const lines = [
      '"$1" --endpoint-url "$2" mb "s3://$3" >/dev/null',
      '"$1" --endpoint-url "$2" --log error cp --exclude "*.elastickv-meta.json" --exclude _bucket.json "$4/" "s3://$3/"',
    ];
    return shell(lines, [installed, server.endpoint, "big", bucketFolder(ground)]);
  },
};

export const mcMirror: Peer = {
  name: "mc mirror (no metadata)",
  loses: "metadata",
  install: async () => await installGoProgram(MC),
  command(ground) {
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    const lines = [
      '"$1" --quiet mb "bench/$2" >/dev/null',
      '"$1" --quiet mirror --exclude "*.elastickv-meta.json" --exclude _bucket.json "$3" "bench/$2" >/dev/null',
    ];
    const command = shell(lines, [ground.installed, "big", bucketFolder(ground)]);
    const host = new URL(ground.server.endpoint).host;
    const env = { MC_CONFIG_DIR: ground.scratch, MC_HOST_bench: `http://${accessKeyId}:${secretAccessKey}@${host}` };
    return { ...command, env };
  },
};

function sdkPeer(name: string, script: string): Peer {
  return {
    name,
    // With the Node that measures, and this project's own dependencies.
    install: () => Promise.resolve(""),
    command: ({ dump, server }) => quiet(script, [dump, server.endpoint]),
  };
}

/** Without the SDK's calendar of support. */
function quiet(script: string, args: readonly string[]): Command {
  return { ...nodeScript(script, args), env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" } };
}

function shell(lines: readonly string[], args: readonly string[]): Command {
  return { command: "sh", args: ["-e", "-c", lines.join("\n"), "sh", ...args] };
}

function bucketFolder({ dump }: Ground): string {
  return `${dump}/s3/big`;
}
