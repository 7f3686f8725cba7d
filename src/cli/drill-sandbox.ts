/** The servers of a drill's sandbox: the same that the project's own tests run on, without changing the machine. */

import { removeContainer } from "../../testcontainers/docker.js";
import type { ServerName, StartedServer } from "../../testcontainers/recipe.js";
import { isNamedByEnvironment, startOrStandIn } from "../../testcontainers/stand-in.js";
import type { Adapter } from "../model/scope.js";
import type { ServerNote } from "../run/drill/drill-folder.js";
import type { SandboxServer, StartInit } from "../run/drill/tools.js";
import { present } from "../support/present.js";
import { endProcess, processIdentity } from "./drill-processes.js";

const SERVER: Record<Adapter, ServerName> = {
  dynamodb: "dynamodb-local",
  s3: "minio",
  redis: "redis",
  sqs: "elasticmq",
};

export function isShared(adapter: Adapter): boolean {
  return isNamedByEnvironment(SERVER[adapter]);
}

/** @throws Error that says in which ways it was tried */
export async function startServer(adapter: Adapter, { folder, note }: StartInit): Promise<SandboxServer> {
  const { server, instead } = await startOrStandIn(SERVER[adapter], {
    dataRoot: folder,
    // Whoever runs a drill did not ask for packages of the operating system.
    systemPackages: false,
    onStart: async (started) => await note({ adapter, name: SERVER[adapter], started: await identified(started) }),
  });
  const { name, version, endpoint, credentials, how, ended, stop } = server;
  return {
    adapter,
    // A stand-in is no version of the server that it stands in for.
    server: how === "in-process" ? (version ?? name) : [name, ...(version === undefined ? [] : [version])].join(" "),
    ...{ endpoint, how, stop },
    ...present({ credentials, ended, instead }),
  };
}

async function identified(started: StartedServer): Promise<ServerNote["started"]> {
  if (!("process" in started)) return started;
  return { ...started, ...present({ identity: await processIdentity(started.process) }) };
}

/** @throws Error when it cannot be ended */
export async function endServer({ started }: ServerNote): Promise<"ended" | "gone"> {
  if ("process" in started) return await endProcess(started.process, started.identity);
  await removeContainer(started.container);
  return "ended";
}
