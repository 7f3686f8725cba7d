/** The routes behind all listeners: who may ask, what is taken, and how mistakes are answered. */
import type { IncomingMessage, ServerResponse } from "node:http";
import fastifySwagger from "@fastify/swagger";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from "fastify";
import { createSerializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type * as z from "zod";
import { schemaFaults, schemaFaultText } from "../../support/schema-faults.js";
import { Fault } from "../fault.js";
import type { Client } from "../services.js";
import type { Role } from "../settings.js";
import { faultAnswer } from "./answers.js";
import { arrivalOf } from "./arrivals.js";
import type { Doorkeeper } from "./doorkeeper.js";
import { parseBody } from "./json-body.js";
import { openApiOptions } from "./openapi.js";
import { methodsAt, type RouteTable } from "./route-table.js";

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a client has to be allowed to. `anyone`: nobody is asked who they are. */
    readonly role?: Role | "anyone";
  }
  interface FastifyRequest {
    /** Undefined where anyone may ask. */
    client: Client | undefined;
  }
}

export interface AppInit {
  readonly log: FastifyBaseLogger;
  readonly doorkeeper: Doorkeeper;
  /** Whether jobs can be asked for. */
  readonly isOpen: () => boolean;
  /** Told of each answer: of no route where the path has none. */
  readonly onAnswer: (answer: { readonly method: string; readonly route: string; readonly status: number }) => void;
  readonly version: string;
}

const BODY_LIMIT = 64 * 1024;
const NO_ROUTE = "none";

/** Without its routes: those of the caller's follow, and then `ready()`. */
export async function createApp({ log, doorkeeper, isOpen, onAnswer, version }: AppInit): Promise<App> {
  const app = Fastify({
    loggerInstance: log,
    // A line of our own for each answer holds no headers.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: (request) => arrivalOf(request).requestId,
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => {
      answerFault(error, request, reply);
    },
    // Bodies have their own parser.
    onProtoPoisoning: "ignore",
  }).withTypeProvider<ZodTypeProvider>();
  const routes: RouteTable = [];
  app.addHook("onRoute", ({ url, method, schema, config }) => {
    if (schema?.response === undefined || config?.role === undefined) {
      throw new Error(`${String(method)} ${url} states no answers, or not who may ask`);
    }
    routes.push({ url, methods: [method].flat() });
  });
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => validator(schema, httpPart ?? ""));
  app.setSerializerCompiler(createSerializerCompiler());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      done(null, parseBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  app.decorateRequest("client", undefined);
  app.addHook("onRequest", async (request, reply) => {
    doorkeeper.assertOwn(request);
    if (request.is404) throw noRoute(routes, request, reply);
    request.client = doorkeeper.clientOf(request, reply);
    if (request.client !== undefined && !isOpen()) throw notOpen();
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.is404 ? NO_ROUTE : (request.routeOptions.url ?? NO_ROUTE);
    onAnswer({ method: request.method, route, status: reply.statusCode });
    logAnswer(request, reply, route);
  });
  app.setErrorHandler((error, request, reply) => answerFault(error, request, reply));
  app.setNotFoundHandler((request, reply) => answerFault(noRoute(routes, request, reply), request, reply));
  await app.register(fastifySwagger, openApiOptions(version));
  return app;
}

/** @throws nothing: what does not fit is an answer */
function validator(schema: z.ZodType, part: string) {
  return (data: unknown) => {
    const result = schema.safeParse(data ?? (part === "body" ? data : {}));
    if (result.success) return { value: result.data };
    const texts = schemaFaults(result.error).map((fault) => schemaFaultText(fault, PARTS[part] ?? part));
    return { error: new Fault("BAD_REQUEST", texts.join("; ")) };
  };
}

const PARTS: Readonly<Record<string, string>> = { querystring: "query", params: "path", headers: "header" };

function notOpen(): Fault {
  return new Fault("UNAVAILABLE", "the daemon takes up the jobs of before", { hint: "Ask again in a moment." });
}

function noRoute(routes: RouteTable, { method, raw }: FastifyRequest, reply: FastifyReply): Fault {
  const allowed = methodsAt(routes, raw.url ?? "");
  if (allowed.length === 0) return new Fault("NOT_FOUND", "there is nothing at this path");
  void reply.header("allow", allowed.join(", "));
  return new Fault("METHOD_NOT_ALLOWED", `the path does not take ${method}`, {
    hint: `It takes ${allowed.join(", ")}.`,
  });
}

function answerFault(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, body, isOurs } = faultAnswer(error, request.id);
  if (isOurs) request.log.error({ err: error }, "a request failed");
  // The answer may have been meant to be something else.
  return reply.code(status).type("application/json; charset=utf-8").serializer(JSON.stringify).send(body);
}

/** Asked by machines, every few seconds. */
const QUIET: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

function logAnswer(request: FastifyRequest, reply: FastifyReply, route: string): void {
  const level = QUIET.has(route) && reply.statusCode < 400 ? "debug" : "info";
  request.log[level](
    {
      method: request.method,
      // A query may hold keys of records.
      path: (request.raw.url ?? "").split("?", 1)[0]?.slice(0, 200),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      client: request.client?.name,
      from: request.raw.socket.remoteAddress,
    },
    "answered",
  );
}
