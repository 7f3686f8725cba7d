/** What is asked of a daemon, in its own words. What it answers is checked: it may be of another build. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type * as z from "zod";
import type { Limits } from "../../daemon/channel.js";
import { documentSchema } from "../../daemon/schema/http.js";
import {
  type JobEvent,
  type JobKind,
  type JobRequest,
  type JobState,
  type JobView,
  jobEventSchema,
  jobListSchema,
  jobSchema,
  planAnswerSchema,
  rejectsSchema,
} from "../../daemon/schema/job.js";
import { RestoreError } from "../../errors/restore-error.js";
import { backoffMs, type Clock } from "../../support/clock.js";
import { schemaFaults, schemaFaultText } from "../../support/schema-faults.js";
import { sentEvents } from "./event-stream.js";
import { type Asked, exchange, LOST, unanswered } from "./exchange.js";
import { refusal } from "./refusals.js";
import type { Server } from "./server.js";

/** An order may have to wait for the job's process. */
const SILENCE_MS = 120_000;
/** Twice the daemon's heartbeat, and some. */
const EVENTS_SILENCE_MS = 40_000;
const MOST_BYTES = 256 * 1024 * 1024;
const PAGE = 1000;
/** How long a submission whose answer was lost is tried again. */
const SUBMIT_MS = 60_000;

export interface NumberedEvent {
  readonly id: string;
  readonly event: JobEvent;
}

export interface JobsWanted {
  readonly states?: readonly JobState[];
  readonly kinds?: readonly JobKind[];
}

/** Every method throws RestoreErrors: CONNECTION, what the daemon refuses, INTERRUPTED by way of the signal's reason. */
export class Client {
  readonly server: Server;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;

  constructor(server: Server, { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined }) {
    this.server = server;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Makes one job, also where an answer is lost and it is asked again. */
  async submit(request: JobRequest): Promise<JobView> {
    const headers = { "idempotency-key": randomBytes(16).toString("hex") };
    const until = this.#clock.monotonic() + SUBMIT_MS;
    for (let failures = 0, wasLost = false; ; failures++) {
      try {
        return await this.#ask({ method: "POST", path: "/v1/jobs", body: request, headers }, jobSchema);
      } catch (error) {
        if (!(error instanceof RestoreError) || error.retry !== "yes") throw error;
        wasLost ||= error.reason === LOST;
        if (!wasLost || this.#clock.monotonic() > until) throw error;
        await this.#clock.sleep(backoffMs(failures), this.#signal);
      }
    }
  }

  async job(id: string): Promise<JobView> {
    return await this.#ask({ method: "GET", path: `/v1/jobs/${id}` }, jobSchema);
  }

  /** The latest first, so many at most. */
  async *jobs(wanted: JobsWanted = {}, limit = Number.POSITIVE_INFINITY): AsyncGenerator<JobView> {
    const { states = [], kinds = [] } = wanted;
    const words = [...states.map((state) => ["state", state]), ...kinds.map((kind) => ["kind", kind])];
    const query = (page: Readonly<Record<string, string>>) =>
      new URLSearchParams([...words, ...Object.entries(page)] as [string, string][]).toString();
    let left = limit;
    for (let cursor: string | undefined; left > 0; ) {
      const page = { limit: String(Math.min(left, PAGE)), ...(cursor === undefined ? {} : { cursor }) };
      const { jobs, next } = await this.#ask({ method: "GET", path: `/v1/jobs?${query(page)}` }, jobListSchema);
      yield* jobs;
      if (next === undefined) return;
      left -= jobs.length;
      cursor = next;
    }
  }

  async order(id: string, order: "cancel" | "pause" | "resume"): Promise<JobView> {
    return await this.#ask({ method: "POST", path: `/v1/jobs/${id}/${order}` }, jobSchema);
  }

  async limit(id: string, limits: Limits): Promise<JobView> {
    return await this.#ask({ method: "PATCH", path: `/v1/jobs/${id}/limits`, body: limits }, jobSchema);
  }

  async plan(id: string): Promise<z.infer<typeof planAnswerSchema>> {
    return await this.#ask({ method: "GET", path: `/v1/jobs/${id}/plan` }, planAnswerSchema);
  }

  /** As the schema of the job's kind has it. */
  async report<T>(id: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.#ask({ method: "GET", path: `/v1/jobs/${id}/report` }, documentSchema);
    return this.understood(answer, schema);
  }

  /** Records that are not plainly restored, or that differ: all of them. */
  async *rejects(id: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
    for (let cursor: string | undefined; ; ) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === undefined ? {} : { cursor }) });
      const path = `/v1/jobs/${id}/rejects?${query.toString()}`;
      const { rejects, next } = await this.#ask({ method: "GET", path }, rejectsSchema);
      yield* rejects;
      if (next === undefined) return;
      cursor = next;
    }
  }

  /** The job's events behind number `after`, while the connection holds. `onOpen`: it does. */
  async *events(id: string, after: string, onOpen: () => void): AsyncGenerator<NumberedEvent> {
    const asked = {
      method: "GET",
      path: `/v1/jobs/${id}/events`,
      silenceMs: EVENTS_SILENCE_MS,
      headers: { "last-event-id": after },
    } as const;
    const answer = await this.#exchange(asked);
    try {
      if (answer.statusCode !== 200 || !isOf(answer, "text/event-stream")) throw await this.#refused(answer);
      onOpen();
      for await (const { id: number = "0", data } of sentEvents(answer.setEncoding("utf8"))) {
        yield { id: number, event: this.understood(parsed(data), jobEventSchema) };
      }
    } catch (error) {
      throw this.#broken(error);
    } finally {
      answer.destroy();
    }
  }

  /** @throws RestoreError CONNECTION where it is not what this build knows */
  understood<T>(value: unknown, schema: z.ZodType<T>): T {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const [fault] = schemaFaults(result.error).map((each) => schemaFaultText(each, "answer"));
    throw new RestoreError("CONNECTION", `the daemon at ${this.server.name} answers what is not understood: ${fault}`, {
      hint: "Use the same version of elastickv-restore on both sides.",
    });
  }

  async #ask<T>(asked: Omit<Asked, "silenceMs">, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.#exchange({ ...asked, silenceMs: SILENCE_MS });
    const { statusCode: status = 0 } = answer;
    if (status < 200 || status > 299 || !isOf(answer, "application/json")) throw await this.#refused(answer);
    return this.understood(parsed(await this.#text(answer)), schema);
  }

  async #exchange(asked: Asked): Promise<IncomingMessage> {
    return await exchange(this.server, {
      ...asked,
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    });
  }

  async #refused(answer: IncomingMessage): Promise<RestoreError> {
    const body = isOf(answer, "application/json") ? parsed(await this.#text(answer)) : undefined;
    answer.destroy();
    return refusal(answer.statusCode ?? 0, body, this.server.name);
  }

  async #text(answer: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MOST_BYTES) throw new Error("its answer is larger than is taken here");
      }
    } catch (error) {
      throw this.#broken(error);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #broken(error: unknown): unknown {
    if (this.#signal?.aborted === true) return this.#signal.reason;
    return error instanceof RestoreError ? error : unanswered(error, this.server);
  }
}

function isOf({ headers }: IncomingMessage, type: string): boolean {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() === type;
}

/** Undefined where it is no JSON: whoever takes it says what it should be. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
