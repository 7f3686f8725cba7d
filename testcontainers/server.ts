/**
 * One real server for tests and the demo, had in the first way that works: named by the environment, run by Docker,
 * run as a process of this machine. Promises a server that answered its own protocol; not that it is empty, when the
 * environment named it.
 */
import { dockerAnswers, runContainer } from "./docker.js";
import { type NativeRecipe, runNative } from "./native.js";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RunningServer {
  readonly name: ServerName;
  /** `http://…`, or `redis://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly credentials?: Credentials;
  readonly how: "environment" | "docker" | "native" | "in-process";
  /** What the server calls its version, or the version that was asked for. */
  readonly version?: string;
  /** May be called twice. Does nothing to a server that the environment named. */
  stop(): Promise<void>;
}

export type ServerName = "redis" | "dynamodb-local" | "minio" | "elasticmq";

export interface Access {
  readonly endpoint: string;
  readonly credentials?: Credentials;
}

export interface DockerRecipe {
  readonly image: string;
  readonly port: number;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ServerRecipe {
  readonly name: ServerName;
  /** The environment variable that names a running server. */
  readonly variable: string;
  /** Used wherever this module starts the server itself. */
  readonly credentials?: Credentials;
  readonly version: string;
  readonly protocol: "http" | "redis";
  /** Asks the server something harmless. Returns its version when it tells it; throws when it is not ready. */
  ask(access: Access): Promise<string | undefined>;
  readonly docker: DockerRecipe;
  readonly native: NativeRecipe;
}

/** One pair for every server: DynamoDB Local takes letters and digits only, MinIO at least eight characters. */
export const LOCAL_CREDENTIALS: Credentials = {
  accessKeyId: "elastickvlocal",
  secretAccessKey: "elastickvlocalsecret",
};

/** Starts the server, or finds it. Throws an error that names all three ways when none works. */
export async function startServer(recipe: ServerRecipe): Promise<RunningServer> {
  const named = accessFromEnvironment(recipe);
  if (named !== undefined) return await useNamed(recipe, named);

  const reasons: string[] = [`${recipe.variable} is not set`];
  if (await dockerAnswers()) {
    try {
      return await inDocker(recipe);
    } catch (error) {
      reasons.push(`Docker could not run ${recipe.docker.image}: ${reasonOf(error)}`);
    }
  } else reasons.push("no Docker daemon answers");
  try {
    return await asProcess(recipe);
  } catch (error) {
    reasons.push(`as a process of this machine: ${reasonOf(error)}`);
  }
  throw new Error(
    `cannot start ${recipe.name}. Name a running one in ${recipe.variable}, or start Docker, ` +
      `or let it be installed here (${recipe.native.needs}).\n- ${reasons.join("\n- ")}`,
  );
}

/** The endpoint that the environment names, with the credentials beside it. */
function accessFromEnvironment(recipe: ServerRecipe): Access | undefined {
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

async function inDocker(recipe: ServerRecipe): Promise<RunningServer> {
  const container = await runContainer(recipe.docker);
  try {
    const reached = access(recipe, `${recipe.protocol}://${container.host}:${container.port}`);
    const version = await askUntilReady(() => recipe.ask(reached), 60_000);
    return running(recipe, reached, { how: "docker", version: version ?? recipe.version, stop: container.stop });
  } catch (error) {
    await container.stop();
    throw error;
  }
}

async function asProcess(recipe: ServerRecipe): Promise<RunningServer> {
  const reached = (port: number) => access(recipe, `${recipe.protocol}://127.0.0.1:${port}`);
  const server = await runNative(recipe.native, (port) => recipe.ask(reached(port)));
  return running(recipe, reached(server.port), {
    how: "native",
    version: server.answer ?? recipe.version,
    stop: server.stop,
  });
}

function access(recipe: ServerRecipe, endpoint: string): Access {
  return recipe.credentials === undefined ? { endpoint } : { endpoint, credentials: recipe.credentials };
}

function running(
  recipe: ServerRecipe,
  reached: Access,
  rest: { how: RunningServer["how"]; version: string | undefined; stop: () => Promise<void> },
): RunningServer {
  const { version, ...others } = rest;
  return { name: recipe.name, ...reached, ...others, ...(version === undefined ? {} : { version }) };
}

/** Asks again until the answer comes; throws the last error after `timeoutMs`, or what `giveUp` throws. */
export async function askUntilReady<T>(ask: () => Promise<T>, timeoutMs: number, giveUp?: () => void): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    giveUp?.();
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own} (${reasonOf(error.cause)})`;
}

function withoutPassword(endpoint: string): string {
  return endpoint.replace(/\/\/[^/@]*@/, "//");
}
