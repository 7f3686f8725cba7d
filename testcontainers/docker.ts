/**
 * Docker, when a daemon answers: one container of one image. Whether it answers is asked of its socket before the
 * library is loaded, which would otherwise search for seconds.
 */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";

import { optionalPackage } from "./optional-package.js";
import type { DockerRecipe } from "./recipe.js";

const PING_TIMEOUT_MS = 800;
const REMOVAL_TIMEOUT_MS = 15_000;

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
export async function runContainer(
  recipe: DockerRecipe,
  onStart?: (started: { readonly container: string }) => Promise<void>,
): Promise<Container> {
  const { GenericContainer } = await optionalPackage("testcontainers", () => import("testcontainers"));
  const container = new GenericContainer(recipe.image)
    .withExposedPorts(recipe.port)
    .withEnvironment({ ...recipe.environment })
    .withStartupTimeout(120_000);
  if (recipe.command !== undefined) container.withCommand([...recipe.command]);
  const started = await container.start();
  let stopped: Promise<unknown> | undefined;
  await onStart?.({ container: started.getId() });
  return {
    host: started.getHost(),
    port: started.getMappedPort(recipe.port),
    stop: async () => {
      stopped ??= started.stop({ timeout: 1000 });
      await stopped;
    },
  };
}

/**
 * Ends and removes a container that another process left behind. One that is gone is fine.
 * @throws Error when no daemon takes the order
 */
export async function removeContainer(id: string, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const reasons: string[] = [];
  for (const place of daemonPlaces(environment)) {
    const status = await orderRemoval(place, id).catch((error: Error) => error.message);
    if (status === 204 || status === 404) return;
    reasons.push(typeof status === "number" ? `the daemon answered with ${status}` : status);
  }
  throw new Error(`container ${id} cannot be removed: ${reasons.join(", ") || "no Docker daemon is here"}`);
}

async function orderRemoval(place: DaemonPlace, id: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const path = `/containers/${encodeURIComponent(id)}?force=true&v=true`;
    const order = request({ ...place, path, method: "DELETE", timeout: REMOVAL_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    order.once("timeout", () => order.destroy(new Error("the daemon does not answer")));
    order.once("error", reject);
    order.end();
  });
}
