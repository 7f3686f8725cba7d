/**
 * One process of a job: this program's own command line, with a channel. What it says over the channel is checked; what it
 * says on standard error goes to the job's output. It is begun in a group of its own: a Ctrl-C at the daemon's terminal
 * reaches the daemon alone, which ends its children in good order.
 */
import { type ChildProcess, fork } from "node:child_process";
import { messageOf } from "../../errors/restore-error.js";
import type { Clock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import { type Failure, JOB_ID_VARIABLE, type Order, type Reported, reportedSchema } from "../channel.js";
import { processBirth } from "./process-birth.js";

/** How this program is begun. */
export interface Program {
  /** The module that is the command line. */
  readonly module: string;
  /** Arguments of Node itself. */
  readonly nodeArguments: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface ProcessInit {
  readonly program: Program;
  /** The job's. */
  readonly id: string;
  readonly words: readonly string[];
  /** Takes standard output: a file descriptor, which is the caller's to close. Absent: it goes nowhere. */
  readonly stdout?: number;
  readonly clock: Clock;
  readonly onReported: (reported: Reported) => void;
  readonly onOutput: (chunk: Buffer) => void;
}

export interface ProcessEnd {
  /** Absent where a signal ended it, or it could not be begun. */
  readonly status?: number;
  readonly signal?: string;
  /** What it said of its end. */
  readonly failure?: Failure;
  /** Why it could not be begun. */
  readonly problem?: string;
}

/** After its end, what it said last may still be on its way; a grandchild may hold its standard error open for ever. */
const DRAIN_MS = 1_000;

export class JobProcess {
  readonly #child: ChildProcess | undefined;
  #failure: Failure | undefined;
  readonly ended: Promise<ProcessEnd>;

  constructor(init: ProcessInit) {
    const { program, id, words, stdout, onOutput } = init;
    let child: ChildProcess;
    try {
      child = fork(program.module, words, {
        cwd: program.cwd,
        execArgv: [...program.nodeArguments],
        env: { ...program.env, [JOB_ID_VARIABLE]: id },
        stdio: ["ignore", stdout ?? "ignore", "pipe", "ipc"],
        detached: true,
      });
    } catch (error) {
      this.ended = Promise.resolve({ problem: messageOf(error) });
      return;
    }
    this.#child = child;
    child.on("message", (message) => this.#take(message, init));
    child.stderr?.on("data", onOutput);
    this.ended = this.#end(child, init.clock);
  }

  /** What tells it from other processes; undefined where it could not be begun. */
  async identity(): Promise<{ readonly pid: number; readonly birth?: string } | undefined> {
    const pid = this.#child?.pid;
    return pid === undefined ? undefined : { pid, ...present({ birth: await processBirth(pid) }) };
  }

  /** One that ends meanwhile does not take it. */
  order(order: Order): void {
    if (this.#child?.connected === true) this.#child.send(order, () => undefined);
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  #take(message: unknown, { onReported }: ProcessInit): void {
    // Of another build it may say what is not known here; a loader of modules speaks over the channel as well.
    const { success, data } = reportedSchema.safeParse(message);
    if (!success) return;
    if (data.type === "failed") this.#failure = data.failure;
    onReported(data);
  }

  async #end(child: ChildProcess, clock: Clock): Promise<ProcessEnd> {
    const drained = Promise.all([
      new Promise<void>((resolve) => child.once("disconnect", resolve)),
      new Promise<void>((resolve) => child.stderr?.once("close", resolve)),
    ]);
    const end = await new Promise<ProcessEnd>((resolve) => {
      child.on("error", (error) => {
        // Whatever else fails of one that runs, its end is told by its exit.
        if (child.pid === undefined) resolve({ problem: messageOf(error) });
      });
      child.once("exit", (status, signal) => {
        resolve(present({ status: status ?? undefined, signal: signal ?? undefined }));
      });
    });
    if (end.problem !== undefined) return end;
    const late = new AbortController();
    await Promise.race([drained, clock.sleep(DRAIN_MS, late.signal).catch(() => undefined)]);
    late.abort();
    child.stderr?.destroy();
    return { ...end, ...present({ failure: this.#failure }) };
  }
}
