/** Live events: of one job, and of all jobs' states. */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import type { Clock } from "../../../support/clock.js";
import {
  eventsHeadersSchema,
  eventsQuerySchema,
  jobParametersSchema,
  noQuerySchema,
  textSchema,
} from "../../schema/http.js";
import { type JobEvent, type JobView, jobEventSchema, jobSchema } from "../../schema/job.js";
import type { JobService } from "../../services.js";
import type { App } from "../app.js";
import { content, faults } from "../schema-answers.js";
import { type EventClients, eventText, type ServerEvent } from "../sse.js";

const TAGS = ["events"];

interface EventsInit {
  readonly jobs: JobService;
  readonly clients: EventClients;
  readonly clock: Clock;
}

export function eventRoutes(app: App, { jobs, clients, clock }: EventsInit): void {
  const stream = (
    { raw: { socket } }: FastifyRequest,
    reply: FastifyReply,
    events: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  ) => {
    const client = clients.open();
    const leave = () => client.abort();
    reply.raw.once("close", leave);
    // Of requests that wait for one another on a connection, only the first is told of its end.
    socket.once("close", leave);
    client.signal.addEventListener("abort", () => socket.removeListener("close", leave), { once: true });
    const text = eventText(events(client.signal), { clock, signal: client.signal });
    void reply.type("text/event-stream; charset=utf-8").header("x-accel-buffering", "no");
    // One text at a time is taken from it, once the connection has room.
    return reply.send(Readable.from(text, { highWaterMark: 1 }) as never);
  };
  app.get(
    "/v1/jobs/:id/events",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "followJob",
        summary: "A job's events, those that are kept and those to come; ends with the job",
        params: jobParametersSchema,
        querystring: eventsQuerySchema,
        headers: eventsHeadersSchema,
        response: {
          200: content(
            "text/event-stream",
            textSchema,
            "Each with `id` (ascending), `event` (state, progress or warning) and `data`: a JobEvent.",
          ),
          ...faults("NOT_FOUND"),
        },
      },
    },
    async (request, reply) => {
      const { params, query, headers } = request;
      // Told of as an answer, not as a stream that breaks.
      jobs.get(params.id);
      const after = headers["last-event-id"] ?? query.after ?? 0;
      return stream(request, reply, (signal) => jobEvents(jobs, params.id, after, signal));
    },
  );
  app.get(
    "/v1/events",
    {
      config: { role: "read" },
      schema: {
        tags: TAGS,
        operationId: "followJobs",
        summary: "Every job's changes of state, from now on",
        querystring: noQuerySchema,
        response: {
          200: content("text/event-stream", textSchema, "Each with `event` (state) and `data`: a Job."),
          ...faults(),
        },
      },
    },
    async (request, reply) => stream(request, reply, (signal) => changes(jobs, signal)),
  );
}

async function* jobEvents(
  jobs: JobService,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  for await (const { id: number, event } of jobs.events(id, after, signal)) {
    yield { id: number, event: event.type, data: textOf(event, jobEventSchema) };
  }
}

async function* changes(jobs: JobService, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  for await (const job of jobs.changes(signal)) yield { event: "state", data: textOf(job, jobSchema) };
}

/** What many clients are sent is written once. */
const texts = new WeakMap<object, string>();

function textOf(value: JobEvent | JobView, schema: typeof jobEventSchema | typeof jobSchema): string {
  const known = texts.get(value) ?? JSON.stringify(z.encode(schema as z.ZodType<object>, value));
  texts.set(value, known);
  return known;
}
