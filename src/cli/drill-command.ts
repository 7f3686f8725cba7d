/** Runs an operator's program, without a shell, and keeps the end of what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { messageOf } from "../errors/restore-error.js";
import type { CommandEnd, CommandOrder } from "../run/drill/tools.js";

/** More than is shown: what is secret is looked for in all of it. */
const KEPT_CHARS = 64_000;
const FORCE_MS = 5_000;

/** `env`, `cwd`: of this process. Never throws. */
export async function runCommand(
  { argv, env: changes, timeoutMs, signal }: CommandOrder,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<CommandEnd> {
  const [program = "", ...args] = argv;
  let output = "";
  let why: string | undefined;
  let force: NodeJS.Timeout | undefined;
  // A group of its own: what it started ends with it, and Ctrl-C reaches this process alone.
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...changes },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-KEPT_CHARS);
    });
  }
  const stop = (reason: string) => {
    why ??= reason;
    signalGroup(child, "SIGTERM");
    force ??= setTimeout(() => signalGroup(child, "SIGKILL"), FORCE_MS);
  };
  const onAbort = () => stop("it was interrupted");
  const timer = setTimeout(() => stop(`it did not end within ${timeoutMs / 1000} s`), timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const ended = await new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(`it could not be run: ${messageOf(error)}`));
    // What it left behind in its group may hold its output open: the program's own end is what counts.
    child.once("exit", (code, by) => resolve(code ?? `it was ended by ${by ?? "a signal"}`));
  });
  clearTimeout(timer);
  clearTimeout(force);
  signal?.removeEventListener("abort", onAbort);
  await drained(child);
  signalGroup(child, "SIGKILL");
  return { ended: why ?? ended, output };
}

const DRAIN_MS = 500;

/** What it said last may still be on its way. */
async function drained(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise((resolve) => child.once("close", resolve)),
    new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    }),
  ]);
  clearTimeout(timer);
}

function signalGroup({ pid }: ChildProcess, signal: "SIGKILL" | "SIGTERM"): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
