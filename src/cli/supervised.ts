/**
 * The side of a process that another one started as a job: it tells its supervisor how far it is and how it ended, and
 * takes orders from it. Without a channel there is no supervisor, whatever the environment says.
 *
 * What cannot be handed on is lost, and no reason to fail: a supervisor that went away stops the run by closing the
 * channel.
 */
import {
  type Failure,
  JOB_ID_VARIABLE,
  type Limits,
  type Order,
  orderSchema,
  type Reported,
} from "../daemon/channel.js";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { RunControl } from "../run/control.js";
import type { ProgressEvent, ProgressSink } from "../run/progress.js";
import type { Clock } from "../support/clock.js";
import { present } from "../support/present.js";
import { parseConcurrency, parseRateLimits } from "./quantities.js";
import { SupervisedProgress } from "./supervised-progress.js";

/** What the code of a command asks of its supervisor. */
export interface Supervisor {
  readonly control: RunControl;
  /** For a restore that is begun, as the environment has it. */
  readonly jobId: string | undefined;
  /** A sink for one run of the process. */
  progress(): ProgressSink;
  /** What ends the process; only the first is told. */
  failed(error: unknown): void;
}

export interface SupervisionInit {
  /** Hands a message on; `done` is called when it was, or could not be. Never throws. */
  readonly send: (message: Reported, done: () => void) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Interrupts the run, as a first SIGTERM does. Repeatable. */
  readonly stop: () => void;
  /** Aborts once the run is interrupted. */
  readonly signal: AbortSignal;
}

export class Supervision implements Supervisor {
  readonly control: RunControl;
  readonly jobId: string | undefined;
  readonly #init: SupervisionInit;
  readonly #progress: SupervisedProgress;
  #unsent = 0;
  #hasFailed = false;
  #onSent: () => void = () => undefined;

  /** @returns undefined where the environment tells of no supervisor */
  static begin(init: SupervisionInit): Supervision | undefined {
    const jobId = init.env[JOB_ID_VARIABLE];
    return jobId === undefined ? undefined : new Supervision(init, jobId);
  }

  private constructor(init: SupervisionInit, jobId: string) {
    this.#init = init;
    this.jobId = jobId;
    this.control = new RunControl(init.clock, init.signal);
    this.#progress = new SupervisedProgress(init.clock, this.control, (progress, done) => {
      this.#tell({ type: "progress", progress }, done);
    });
  }

  progress(): ProgressSink {
    const sink = this.#progress.sink();
    return {
      report: (event: ProgressEvent) => {
        if (event.type !== "warning") return sink.report(event);
        const scope = event.scope === undefined ? undefined : `${event.scope.adapter}/${event.scope.name}`;
        this.#tell({ type: "warning", text: event.text, ...present({ scope }) });
      },
    };
  }

  failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#progress.flush();
    this.#tell({ type: "failed", failure: failureOf(error) });
  }

  /** What came over the channel. What is no order is told, and nothing more. */
  take(message: unknown): void {
    const order = orderSchema.safeParse(message);
    if (order.success) this.#obey(order.data);
    else this.#tell({ type: "warning", text: "an order that this process does not know was ignored" });
  }

  /** Resolves when everything was handed on, the last progress too, or `timeoutMs` have passed. */
  async end(timeoutMs: number): Promise<void> {
    this.#progress.flush();
    if (this.#unsent === 0) return;
    const late = new AbortController();
    const sent = new Promise<void>((resolve) => {
      this.#onSent = resolve;
    });
    await Promise.race([sent, this.#init.clock.sleep(timeoutMs, late.signal).catch(() => undefined)]);
    late.abort();
  }

  #obey(order: Order): void {
    switch (order.type) {
      case "pause":
        this.control.pause(() => this.#tell({ type: "paused" }));
        break;
      case "resume":
        this.control.resume();
        this.#tell({ type: "resumed" });
        break;
      case "limits":
        this.#limit(order.limits);
        break;
      case "stop":
        this.#init.stop();
        break;
    }
  }

  /** All of them hold, or nothing changes. */
  #limit(limits: Limits): void {
    const { rateLimit, concurrency } = limits;
    try {
      this.control.limitTo({
        ...(rateLimit === undefined ? {} : { rates: parseRateLimits([rateLimit]) }),
        ...(concurrency === undefined ? {} : { concurrency: parseConcurrency([concurrency]) }),
      });
    } catch (error) {
      this.#tell({ type: "limits-refused", failure: failureOf(error) });
      return;
    }
    this.#tell({ type: "limits", limits });
  }

  #tell(message: Reported, done: () => void = () => undefined): void {
    this.#unsent++;
    this.#init.send(message, () => {
      this.#unsent--;
      done();
      if (this.#unsent === 0) this.#onSent();
    });
  }
}

/** What is told of an error: an error that is none of ours is a bug. */
function failureOf(error: unknown): Failure {
  if (error instanceof RestoreError) {
    const { code, message, hint, where } = error;
    const place = Object.keys(where).length === 0 ? undefined : present({ ...where });
    return { code, message, ...present({ hint, where: place }) };
  }
  if (isFailure(error)) return { code: error.code, message: error.message, ...present({ hint: error.hint }) };
  return { code: "INTERNAL", message: messageOf(error), hint: "This is a bug in elastickv-restore: please report it." };
}

/** An error as reports and plans hold it. */
function isFailure(error: unknown): error is Pick<Failure, "code" | "hint" | "message"> {
  return typeof error === "object" && error !== null && !(error instanceof Error) && "code" in error;
}
