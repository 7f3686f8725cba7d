/** Schedules: when they are due, how their runs ended, and a run at once. */
import { noQuerySchema, runsQuerySchema, scheduleParametersSchema } from "../../schema/http.js";
import { runListSchema, runSchema, scheduleListSchema, scheduleSchema } from "../../schema/schedule.js";
import type { ScheduleService } from "../../services.js";
import type { App } from "../app.js";
import { assertNoBody, known } from "../doorkeeper.js";
import { faults, json, WITH_BODY } from "../schema-answers.js";

const TAGS = ["schedules"];

export function scheduleRoutes(app: App, schedules: ScheduleService): void {
  app.get(
    "/v1/schedules",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "listSchedules",
        summary: "The configuration's schedules",
        querystring: noQuerySchema,
        response: { 200: json(scheduleListSchema, "The schedules."), ...faults() },
      },
    },
    async () => ({ schedules: schedules.list() }),
  );
  app.get(
    "/v1/schedules/:name",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "getSchedule",
        summary: "A schedule, with its next due times",
        params: scheduleParametersSchema,
        querystring: noQuerySchema,
        response: { 200: json(scheduleSchema, "The schedule."), ...faults("NOT_FOUND") },
      },
    },
    async ({ params }) => schedules.get(params.name),
  );
  app.get(
    "/v1/schedules/:name/runs",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "listRuns",
        summary: "A schedule's runs, the latest first",
        params: scheduleParametersSchema,
        querystring: runsQuerySchema,
        response: { 200: json(runListSchema, "A page of runs."), ...faults("NOT_FOUND") },
      },
    },
    async ({ params, query: { limit, cursor } }) =>
      schedules.runs(params.name, { limit, ...(cursor === undefined ? {} : { cursor }) }),
  );
  app.post(
    "/v1/schedules/:name/run",
    {
      config: { role: "restore" },
      schema: {
        tags: TAGS,
        operationId: "runSchedule",
        summary: "A run at once, beside those that are due",
        params: scheduleParametersSchema,
        querystring: noQuerySchema,
        response: {
          201: json(runSchema, "The run, kept; it has a job, or waits for the run that is under way."),
          ...faults("NOT_FOUND", "CONFLICT", ...WITH_BODY),
        },
      },
    },
    async ({ params, body, client }, reply) => {
      assertNoBody(body);
      return reply.code(201).send(await schedules.runNow(params.name, known(client)));
    },
  );
}
