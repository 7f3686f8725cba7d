/**
 * For the demo, and drills, on machines without Docker, Go or Java: servers of npm packages inside this process, that
 * speak enough of DynamoDB, S3 and SQS to look at. They are not what is promised to work; tests never accept them. No package brings a
 * Redis that needs no compiler, so there is none here.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { dynamoDbLocalRecipe } from "./dynamodb-local.js";
import { elasticMqRecipe } from "./elasticmq.js";
import { minioRecipe } from "./minio.js";
import { optionalPackage } from "./optional-package.js";
import { reasonOf } from "./ready.js";
import {
  LOCAL_CREDENTIALS,
  type RunningServer,
  type ServerName,
  type ServerRecipe,
  type StartOptions,
} from "./recipe.js";
import { redisRecipe } from "./redis.js";
import { accessFromEnvironment, startServer } from "./server.js";

const RECIPES: Readonly<Record<ServerName, ServerRecipe>> = {
  redis: redisRecipe,
  "dynamodb-local": dynamoDbLocalRecipe,
  minio: minioRecipe,
  elasticmq: elasticMqRecipe,
};

/** The one that callers sign for. */
const REGION = "us-east-1";

/** A stand-in's address and its end. */
interface StandIn {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

const STAND_INS: Readonly<Record<ServerName, (() => Promise<StandIn>) | undefined>> = {
  redis: undefined,
  "dynamodb-local": startDynalite,
  minio: startFauxqs,
  elasticmq: startFauxqs,
};

/** Whether the environment names a running server, which stays when its user is done. */
export function isNamedByEnvironment(name: ServerName): boolean {
  return accessFromEnvironment(RECIPES[name]) !== undefined;
}

export interface Started {
  readonly server: RunningServer;
  /** Why it is a stand-in and not the real server. */
  readonly instead?: string;
}

/**
 * The real server, or its stand-in when the real one cannot be had or `preferStandIn` is set. Throws why the real one
 * does not start when there is no stand-in for it.
 */
export async function startOrStandIn(
  name: ServerName,
  { preferStandIn = false, ...options }: StartOptions & { readonly preferStandIn?: boolean } = {},
): Promise<Started> {
  const standIn = STAND_INS[name];
  if (preferStandIn && standIn !== undefined) {
    return { server: await startStandIn(name, standIn), instead: "it was asked for" };
  }
  try {
    return { server: await startServer(RECIPES[name], options) };
  } catch (error) {
    if (standIn === undefined) throw error;
    const server = await startStandIn(name, standIn).catch((missing: unknown) => {
      throw new Error(`${reasonOf(error)}\n- in this process, as a stand-in: ${reasonOf(missing)}`, { cause: error });
    });
    return { server, instead: reasonOf(error) };
  }
}

async function startStandIn(name: ServerName, start: () => Promise<StandIn>): Promise<RunningServer> {
  const { port, version, stop } = await start();
  let stopped: Promise<void> | undefined;
  return {
    name,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: LOCAL_CREDENTIALS,
    how: "in-process",
    version,
    stop: async () => {
      stopped ??= stop();
      await stopped;
    },
  };
}

async function startDynalite(): Promise<StandIn> {
  const { default: dynalite } = await optionalPackage("dynalite", () => import("dynalite"));
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    version: "dynalite",
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function startFauxqs(): Promise<StandIn> {
  const { buildApp } = await optionalPackage("fauxqs", () => import("fauxqs"));
  const app = buildApp({ logger: false });
  let port = 0;
  // It knows a queue by the whole URL that it gave out, with a host of its own; asked is the endpoint's host.
  app.addHook("preHandler", (request, _reply, done) => {
    const { body } = request;
    if (typeof body === "object" && body !== null && "QueueUrl" in body && typeof body.QueueUrl === "string") {
      body.QueueUrl = `http://sqs.${REGION}.localhost:${port}${new URL(body.QueueUrl).pathname}`;
    }
    done();
  });
  port = Number(new URL(await app.listen({ port: 0, host: "127.0.0.1" })).port);
  return { port, version: "fauxqs", stop: () => app.close() };
}
