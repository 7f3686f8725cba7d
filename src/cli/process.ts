/** The command line as a process: its streams, signals and exit status. The only place that touches them. */
import { setFlagsFromString } from "node:v8";
import { EXIT } from "../errors/codes.js";
import { Interruption } from "../errors/interruption.js";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { systemClock } from "../support/clock.js";
import { errorText } from "./error-text.js";
import { main } from "./main.js";
import type { Supervision, SupervisionInit } from "./supervised.js";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * How far garbage may make the heap grow before it is collected, over what was alive the last time. By itself V8 goes up
 * to four times that, where memory is plenty: 100 MiB of garbage for 25 MiB of records under way.
 */
const HEAP_GROWTH = "--heap-growing-percent=50";

/**
 * The youngest objects are few and mostly of records under way: V8's threads take more time to share them out than one
 * needs to collect them all.
 */
const ONE_COLLECTS = "--no-parallel-scavenge";

/**
 * Runs the command line of this process and sets its exit status. The first SIGINT or SIGTERM lets what is in flight
 * end; a second one ends the process at once.
 */
export async function runProcess(): Promise<void> {
  setFlagsFromString(HEAP_GROWTH);
  setFlagsFromString(ONE_COLLECTS);
  // The AWS SDK would print its own support calendar at every start.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  let supervision: Supervision | undefined;
  const endAtOnce = (thrown: unknown) => endUnexpectedly(thrown, supervision);
  process.on("uncaughtException", endAtOnce).on("unhandledRejection", endAtOnce);
  const interruption = new AbortController();
  let signalled: number | undefined;
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (signalled !== undefined) endNow(status);
      signalled = status;
      setTimeout(() => process.stderr.write(`\n${WAITING}\n`), WAITS_MS).unref();
      interruption.abort(new Interruption(status));
    });
  }
  // A reader of our output that went away (`| head`) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  supervision = await supervised(interruption);
  const status = await main(process.argv.slice(2), {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTty: process.stdin.isTTY === true && process.stderr.isTTY === true,
    pid: process.pid,
    isAlive,
    isOwnProcess: true,
    terminate: (pid) => process.kill(pid, "SIGTERM"),
    cwd: process.cwd(),
    program: { module: process.argv[1] ?? "", nodeArguments: process.execArgv },
    signal: interruption.signal,
    ...(supervision === undefined ? {} : { supervisor: supervision }),
  });
  if (supervision !== undefined) await letGo(supervision);
  process.stdin.unref?.();
  process.exitCode = status === SIGNALS.SIGINT && signalled !== undefined ? signalled : status;
}

/** How long the last messages for a supervisor may take to be handed on. */
const LAST_WORDS_MS = 1_000;

/**
 * The supervisor of this process, where one has started it and holds a channel to it open. While it does, the channel
 * keeps the process alive: paused, a run may have nothing else that does.
 */
async function supervised(interruption: AbortController): Promise<Supervision | undefined> {
  if (process.send === undefined) return undefined;
  const { Supervision } = await import("./supervised.js");
  const stop = () => {
    interruption.abort(new Interruption(SIGNALS.SIGTERM));
  };
  const { env } = process;
  const supervision = Supervision.begin({ send, env, clock: systemClock, stop, signal: interruption.signal });
  if (supervision === undefined) return undefined;
  process.on("disconnect", stop).on("message", (message) => supervision.take(message));
  // It may have gone before anybody listened.
  if (!process.connected) stop();
  return supervision;
}

const send: SupervisionInit["send"] = (message, done) => {
  if (!process.connected) return done();
  try {
    process.send?.(message, undefined, {}, () => done());
  } catch {
    done();
  }
};

async function letGo(supervision: Supervision): Promise<void> {
  await supervision.end(LAST_WORDS_MS);
  process.removeAllListeners("disconnect").removeAllListeners("message");
  if (process.connected) process.disconnect();
}

/** What ends sooner has nothing under way that anybody would wait for. */
const WAITS_MS = 150;
const WAITING = "interrupted: waiting for what is under way, at most about 10 s; once more ends it at once";

/** What is known of a restore stands in its journal by now; only what is said of it is cut short. */
function endNow(status: number): never {
  // A progress bar may have hidden it.
  if (process.stderr.isTTY) process.stderr.write("\u001b[?25h");
  process.stderr.write("\nended at once; a restore that has begun is taken up again by: elastickv-restore resume\n");
  process.exit(status);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is one all the same.
    return systemCode(error) === "EPERM";
  }
}

/**
 * The last resort, for what a library throws where no caller can catch it: the calls that wait for it would wait for
 * ever, so the process ends. ioredis does that where a server sends a null answer that nobody asked for.
 */
function endUnexpectedly(thrown: unknown, supervision: Supervision | undefined): void {
  const error = new RestoreError("INTERNAL", `the run was stopped by an unexpected error: ${messageOf(thrown)}`, {
    hint: "What was restored stays. Check that each endpoint leads to the server that is meant, then take the job up again: `elastickv-restore resume`.",
    cause: thrown,
  });
  process.stderr.write(`\n${errorText(error)}`);
  if (supervision === undefined) process.exit(EXIT.stopped);
  supervision.failed(error);
  void supervision.end(LAST_WORDS_MS).finally(() => process.exit(EXIT.stopped));
}
