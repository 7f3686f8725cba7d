/**
 * Docker, when a daemon answers: one container of one image. Whether it answers is asked of its socket before the
 * library is loaded, which would otherwise search for seconds.
 */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";

import type { DockerRecipe } from "./recipe.js";

const PING_TIMEOUT_MS = 800;

export interface Container {
  readonly host: string;
  readonly port: number;
  /** May be called twice. */
  stop(): Promise<void>;
}

/** Whether a daemon answers `GET /_ping` within a second. */
export async function dockerAnswers(environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  for (const place of daemonPlaces(environment)) if (await answersPing(place)) return true;
  return false;
}

type DaemonPlace = { readonly socketPath: string } | { readonly host: string; readonly port: number };

function daemonPlaces(environment: NodeJS.ProcessEnv): DaemonPlace[] {
  const named = environment["DOCKER_HOST"];
  if (named !== undefined && named !== "") {
    const url = new URL(named);
    if (url.protocol === "unix:") return [{ socketPath: url.pathname }];
    return [{ host: url.hostname, port: Number(url.port === "" ? 2375 : url.port) }];
  }
  const sockets = ["/var/run/docker.sock", join(homedir(), ".docker/run/docker.sock")];
  return sockets.filter((path) => existsSync(path)).map((socketPath) => ({ socketPath }));
}

async function answersPing(place: DaemonPlace): Promise<boolean> {
  return await new Promise((resolve) => {
    const ping = request({ ...place, path: "/_ping", timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once("timeout", () => ping.destroy());
    ping.once("error", () => resolve(false));
    ping.once("close", () => resolve(false));
    ping.end();
  });
}

/** Pulls the image when it is missing and starts a container of it. Ready to be asked, not yet ready to answer. */
export async function runContainer(recipe: DockerRecipe): Promise<Container> {
  const { GenericContainer } = await import("testcontainers");
  const container = new GenericContainer(recipe.image)
    .withExposedPorts(recipe.port)
    .withEnvironment({ ...recipe.environment })
    .withStartupTimeout(120_000);
  if (recipe.command !== undefined) container.withCommand([...recipe.command]);
  const started = await container.start();
  let stopped: Promise<unknown> | undefined;
  return {
    host: started.getHost(),
    port: started.getMappedPort(recipe.port),
    stop: async () => {
      stopped ??= started.stop({ timeout: 1000 });
      await stopped;
    },
  };
}
