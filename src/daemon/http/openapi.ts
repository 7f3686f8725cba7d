/** The OpenAPI document: made of the schemas that validate what comes and write what goes. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import * as z from "zod";
import { progressSchema, scopeProgressSchema } from "../channel.js";
import { faultSchema } from "../schema/http.js";
import { jobEventSchema, jobRequestSchema, jobSchema } from "../schema/job.js";
import { runSchema, scheduleSchema } from "../schema/schedule.js";

/** Schemas that the document names once. */
const NAMED = {
  Fault: faultSchema,
  Job: jobSchema,
  JobEvent: jobEventSchema,
  JobRequest: jobRequestSchema,
  Progress: progressSchema,
  Run: runSchema,
  Schedule: scheduleSchema,
  ScopeProgress: scopeProgressSchema,
};
for (const [id, schema] of Object.entries(NAMED)) z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });

const TOKEN_SCHEME = "token";

export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "elastickv-restore",
        version,
        description:
          "Restores, comparisons and drills as jobs. Over the Unix socket no token is asked for: its rights guard it.",
      },
      components: {
        securitySchemes: {
          [TOKEN_SCHEME]: {
            type: "http",
            scheme: "bearer",
            description: "One of the configuration's `daemon.tokens`.",
          },
        },
      },
      security: [{ [TOKEN_SCHEME]: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  };
}

/** Of routes that ask nobody who they are. */
export const NO_TOKEN: readonly Readonly<Record<string, readonly string[]>>[] = [];
