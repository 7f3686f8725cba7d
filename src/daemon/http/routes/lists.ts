/** What there is to choose from: targets and dumps; and who asks. */
import type * as z from "zod";
import type { Dumps } from "../../dumps.js";
import { dumpsQuerySchema, dumpsSchema, noQuerySchema, targetsSchema, whoamiSchema } from "../../schema/http.js";
import type { App } from "../app.js";
import { known } from "../doorkeeper.js";
import { faults, json } from "../schema-answers.js";

export type Targets = z.infer<typeof targetsSchema>["targets"];

export interface ListsInit {
  readonly targets: Targets;
  readonly dumps: Dumps;
}

export function listRoutes(app: App, { targets, dumps }: ListsInit): void {
  app.get(
    "/v1/targets",
    {
      config: { role: "read" },
      schema: {
        tags: ["choices"],
        operationId: "listTargets",
        summary: "Named targets, without endpoints",
        querystring: noQuerySchema,
        response: { 200: json(targetsSchema, "The targets."), ...faults() },
      },
    },
    async () => ({ targets }),
  );
  app.get(
    "/v1/dumps",
    {
      config: { role: "read" },
      schema: {
        tags: ["choices"],
        operationId: "listDumps",
        summary: "Dumps below the configured roots",
        querystring: dumpsQuerySchema,
        response: { 200: json(dumpsSchema, "The dumps."), ...faults("NOT_FOUND") },
      },
    },
    async ({ query }) => await dumps.list(query.root),
  );
  app.get(
    "/v1/whoami",
    {
      config: { role: "read" },
      schema: {
        tags: ["choices"],
        operationId: "whoami",
        summary: "Who asks, and what they may do",
        querystring: noQuerySchema,
        response: { 200: json(whoamiSchema, "The client."), ...faults() },
      },
    },
    async ({ client }) => known(client),
  );
}
