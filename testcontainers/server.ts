/**
 * One real server for tests, the demo and drills, had in the first way that works: named by the environment, run by Docker,
 * run as a process of this machine. Promises a server that answered its own protocol; not that it is empty, when the
 * environment named it.
 */
import { dockerAnswers, runContainer } from "./docker.js";
import { runNative } from "./native.js";
import { askUntilReady, reasonOf } from "./ready.js";
import type { Access, RunningServer, ServerRecipe, StartOptions } from "./recipe.js";

export { LOCAL_CREDENTIALS, type RunningServer } from "./recipe.js";

const CONTAINER_READY_MS = 60_000;

/** Starts the server, or finds it. Throws an error that names all three ways when none works. */
export async function startServer(recipe: ServerRecipe, options: StartOptions = {}): Promise<RunningServer> {
  const named = accessFromEnvironment(recipe);
  if (named !== undefined) return await useNamed(recipe, named);

  const reasons: string[] = [`${recipe.variable} is not set`];
  if (await dockerAnswers()) {
    try {
      return await inDocker(recipe, options);
    } catch (error) {
      reasons.push(`Docker could not run ${recipe.docker.image}: ${reasonOf(error)}`);
    }
  } else reasons.push("no Docker daemon answers");
  try {
    return await asProcess(recipe, options);
  } catch (error) {
    reasons.push(`as a process of this machine: ${reasonOf(error)}`);
  }
  throw new Error(
    `cannot start ${recipe.name}. Name a running one in ${recipe.variable}, or start Docker, ` +
      `or let it be installed here (${recipe.native.needs}).\n- ${reasons.join("\n- ")}`,
  );
}

/**
 * Does beforehand what takes minutes the first time, and says how the server will be had. A server that the environment
 * names or Docker runs needs nothing: Docker fetches its image when it starts.
 */
export async function prepareServer(recipe: ServerRecipe): Promise<RunningServer["how"]> {
  if (accessFromEnvironment(recipe) !== undefined) return "environment";
  if (await dockerAnswers()) return "docker";
  await recipe.native.install();
  return "native";
}

/** The endpoint that the environment names, with the credentials beside it. */
export function accessFromEnvironment(recipe: ServerRecipe): Access | undefined {
  const endpoint = process.env[recipe.variable];
  if (endpoint === undefined || endpoint === "") return undefined;
  const prefix = recipe.variable.replace(/_(ENDPOINT|URL)$/, "");
  const accessKeyId = process.env[`${prefix}_ACCESS_KEY_ID`];
  const secretAccessKey = process.env[`${prefix}_SECRET_ACCESS_KEY`];
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { endpoint, credentials: { accessKeyId, secretAccessKey } };
  }
  return access(recipe, endpoint);
}

async function useNamed(recipe: ServerRecipe, named: Access): Promise<RunningServer> {
  const version = await recipe.ask(named).catch((error: unknown) => {
    throw new Error(
      `${recipe.variable} names ${withoutPassword(named.endpoint)}, which does not answer as ${recipe.name}: ${reasonOf(error)}`,
    );
  });
  return running(recipe, named, { how: "environment", version, stop: () => Promise.resolve() });
}

async function inDocker(recipe: ServerRecipe, { onStart }: StartOptions): Promise<RunningServer> {
  const container = await runContainer(recipe.docker, onStart);
  try {
    const reached = access(recipe, `${recipe.protocol}://${container.host}:${container.port}`);
    const version = await askUntilReady(() => recipe.ask(reached), CONTAINER_READY_MS);
    return running(recipe, reached, { how: "docker", version: version ?? recipe.version, stop: container.stop });
  } catch (error) {
    await container.stop();
    throw error;
  }
}

async function asProcess(recipe: ServerRecipe, options: StartOptions): Promise<RunningServer> {
  const reached = (port: number) => access(recipe, `${recipe.protocol}://127.0.0.1:${port}`);
  const server = await runNative(recipe.native, (port) => recipe.ask(reached(port)), options);
  return running(recipe, reached(server.port), {
    how: "native",
    version: server.answer ?? recipe.version,
    ended: server.ended,
    stop: server.stop,
  });
}

function access(recipe: ServerRecipe, endpoint: string): Access {
  return recipe.credentials === undefined ? { endpoint } : { endpoint, credentials: recipe.credentials };
}

function running(
  recipe: ServerRecipe,
  reached: Access,
  rest: Pick<RunningServer, "ended" | "how" | "stop"> & { readonly version: string | undefined },
): RunningServer {
  const { version, ...others } = rest;
  return { name: recipe.name, ...reached, ...others, ...(version === undefined ? {} : { version }) };
}

function withoutPassword(endpoint: string): string {
  return endpoint.replace(/\/\/[^/@]*@/, "//");
}
