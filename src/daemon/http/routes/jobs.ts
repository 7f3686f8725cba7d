/** Jobs: asked for, shown, held, let go of. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { limitsSchema } from "../../channel.js";
import {
  documentSchema,
  jobListQuerySchema,
  jobParametersSchema,
  noQuerySchema,
  rejectsQuerySchema,
  submissionHeadersSchema,
} from "../../schema/http.js";
import { jobListSchema, jobRequestSchema, jobSchema, planAnswerSchema, rejectsSchema } from "../../schema/job.js";
import type { JobService } from "../../services.js";
import type { App } from "../app.js";
import { assertNoBody, known } from "../doorkeeper.js";
import { faults, json, WITH_BODY } from "../schema-answers.js";

const TAGS = ["jobs"];

export function jobRoutes(app: App, jobs: JobService): void {
  app.post(
    "/v1/jobs",
    {
      config: { role: "restore" },
      schema: {
        tags: TAGS,
        operationId: "submitJob",
        summary: "Ask for a job",
        querystring: noQuerySchema,
        headers: submissionHeadersSchema,
        body: jobRequestSchema,
        response: {
          200: json(jobSchema, "The job that the same request made before."),
          201: json(jobSchema, "The job, kept and queued."),
          ...faults(...WITH_BODY, "CONFLICT"),
        },
      },
    },
    async ({ body, headers, client }, reply) => {
      const idempotencyKey = headers["idempotency-key"];
      const by = known(client);
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      const { job, isNew } = await jobs.submit({ request: body, by, ...key });
      return reply
        .code(isNew ? 201 : 200)
        .header("location", `/v1/jobs/${job.id}`)
        .send(job);
    },
  );
  app.get(
    "/v1/jobs",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "listJobs",
        summary: "Jobs, the latest first",
        querystring: jobListQuerySchema,
        response: { 200: json(jobListSchema, "A page of jobs."), ...faults() },
      },
    },
    async ({ query: { state, kind, schedule, limit, cursor } }) =>
      jobs.list({
        limit,
        ...(state === undefined ? {} : { states: state }),
        ...(kind === undefined ? {} : { kinds: kind }),
        ...(schedule === undefined ? {} : { schedule }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
  );
  app.get(
    "/v1/jobs/:id",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "getJob",
        summary: "A job",
        params: jobParametersSchema,
        querystring: noQuerySchema,
        response: { 200: json(jobSchema, "The job."), ...faults("NOT_FOUND") },
      },
    },
    async ({ params }) => jobs.get(params.id),
  );
  jobOrders(app, jobs);
  jobResults(app, jobs);
}

const ORDERS = {
  pause: "Send nothing more for now; what is under way ends first",
  resume: "Go on with a job that is paused or held; of one that deletes, it takes the role destroy",
  cancel: "Let go of a job: stop it, and remove what it left half-written",
} as const;

function jobOrders(app: App, jobs: JobService): void {
  for (const [order, summary] of Object.entries(ORDERS) as [keyof typeof ORDERS, string][]) {
    app.post(
      `/v1/jobs/:id/${order}`,
      {
        config: { role: "restore" },
        schema: {
          tags: TAGS,
          operationId: `${order}Job`,
          summary,
          params: jobParametersSchema,
          querystring: noQuerySchema,
          response: {
            200: json(jobSchema, "The order is kept and given on; the state follows as an event."),
            ...faults("NOT_FOUND", "CONFLICT", ...WITH_BODY),
          },
        },
      },
      async ({ params, body, client }) => {
        assertNoBody(body);
        return await jobs[order](params.id, known(client));
      },
    );
  }
  app.patch(
    "/v1/jobs/:id/limits",
    {
      config: { role: "restore" },
      schema: {
        tags: TAGS,
        operationId: "limitJob",
        summary: "Change the limits of a job that has not ended",
        params: jobParametersSchema,
        querystring: noQuerySchema,
        body: limitsSchema,
        response: { 200: json(jobSchema, "The limits hold."), ...faults("NOT_FOUND", "CONFLICT", ...WITH_BODY) },
      },
    },
    async ({ params, body }) => await jobs.setLimits(params.id, body),
  );
}

function jobResults(app: App, jobs: JobService): void {
  app.get(
    "/v1/jobs/:id/plan",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "getPlan",
        summary: "What a plan job found: what carrying it out would do, and what it takes to do so",
        params: jobParametersSchema,
        querystring: noQuerySchema,
        response: { 200: json(planAnswerSchema, "The plan."), ...faults("NOT_FOUND", "CONFLICT") },
      },
    },
    async ({ params, client }) => await jobs.plan(params.id, known(client)),
  );
  app.get(
    "/v1/jobs/:id/report",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "getReport",
        summary: "A job's report, as `--report` writes it",
        params: jobParametersSchema,
        querystring: noQuerySchema,
        response: {
          200: json(documentSchema, "The report, by the schema of its kind of job."),
          ...faults("NOT_FOUND", "CONFLICT"),
        },
      },
    },
    async ({ params }, reply) => {
      const path = await jobs.reportPath(params.id);
      const { size } = await stat(path);
      void reply.type("application/json; charset=utf-8").header("content-length", size);
      return reply.send(createReadStream(path) as never);
    },
  );
  app.get(
    "/v1/jobs/:id/rejects",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "listRejects",
        summary: "Records that are not plainly restored",
        params: jobParametersSchema,
        querystring: rejectsQuerySchema,
        response: { 200: json(rejectsSchema, "A page of records."), ...faults("NOT_FOUND", "CONFLICT") },
      },
    },
    async ({ params, query: { limit, cursor, q, outcome } }) =>
      await jobs.rejects(params.id, {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
        ...(q === undefined ? {} : { search: q }),
        ...(outcome === undefined ? {} : { outcome }),
      }),
  );
}
