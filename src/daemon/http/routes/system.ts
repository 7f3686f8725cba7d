/** What machines ask of the daemon itself. */
import { documentSchema, healthSchema, noQuerySchema, readinessSchema, textSchema } from "../../schema/http.js";
import type { App } from "../app.js";
import type { Metrics } from "../metrics.js";
import { NO_TOKEN } from "../openapi.js";
import { content, faults, json, openFaults } from "../schema-answers.js";

export interface SystemInit {
  readonly metrics: Metrics;
  /** What stands in the way of jobs, a sentence each. */
  readonly obstacles: () => Promise<readonly string[]>;
}

const TAGS = ["daemon"];

export function systemRoutes(app: App, { metrics, obstacles }: SystemInit): void {
  app.get(
    "/healthz",
    {
      config: { role: "anyone" },
      schema: {
        tags: TAGS,
        operationId: "isAlive",
        summary: "Whether the daemon answers",
        security: NO_TOKEN,
        querystring: noQuerySchema,
        response: { 200: json(healthSchema, "It answers."), ...openFaults() },
      },
    },
    async () => ({ status: "alive" as const }),
  );
  app.get(
    "/readyz",
    {
      config: { role: "anyone" },
      schema: {
        tags: TAGS,
        operationId: "isReady",
        summary: "Whether jobs were taken up, and their state can be kept",
        security: NO_TOKEN,
        querystring: noQuerySchema,
        response: {
          200: json(readinessSchema, "Jobs can be asked for."),
          ...openFaults(),
          503: json(readinessSchema, "Not now."),
        },
      },
    },
    async (_request, reply) => {
      const reasons = await obstacles();
      if (reasons.length > 0) return reply.code(503).send({ status: "not-ready", reasons });
      return reply.send({ status: "ready", reasons });
    },
  );
  app.get(
    "/metrics",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "getMetrics",
        summary: "Metrics in the text format of Prometheus",
        querystring: noQuerySchema,
        response: { 200: content("text/plain", textSchema, "Metrics."), ...faults() },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
  app.get(
    "/openapi.json",
    {
      config: { role: "anyone" },
      schema: {
        tags: TAGS,
        operationId: "getDescription",
        summary: "This description",
        security: NO_TOKEN,
        querystring: noQuerySchema,
        response: { 200: json(documentSchema, "An OpenAPI document."), ...openFaults() },
      },
    },
    async () => ({ ...app.swagger() }),
  );
}
