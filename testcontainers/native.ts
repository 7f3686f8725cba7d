/**
 * A server as a process of this machine: installed when missing, bound to a port of its own, its data in a directory
 * that goes with it. A watcher process ends it when this process dies in any way, `kill -9` included. POSIX only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePort } from "./ports.js";
import { askUntilReady } from "./ready.js";
import type { Launch, NativeRecipe, StartOptions } from "./recipe.js";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const START_TRIES = 3;
const LOG_TAIL_CHARS = 4_000;

export interface NativeServer {
  readonly port: number;
  /** What the readiness question was answered with. */
  readonly answer: string | undefined;
  /** Resolves when the process ends before `stop` was called: how, and what it said last. */
  readonly ended: Promise<string>;
  /** SIGTERM, then SIGKILL after five seconds; then the data is removed. May be called twice. */
  stop(): Promise<void>;
}

/** Installs, starts, and waits until `ask` is answered. A port that was taken meanwhile is exchanged for another. */
export async function runNative(
  recipe: NativeRecipe,
  ask: (port: number) => Promise<string | undefined>,
  options: StartOptions = {},
): Promise<NativeServer> {
  const installed = await recipe.install(options);
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const data = await mkdtemp(join(options.dataRoot ?? tmpdir(), "elastickv-restore-server-"));
    const server = new ServerProcess(await recipe.launch(installed, port, data), data);
    try {
      if (server.pid !== undefined) await options.onStart?.({ process: server.pid, data });
      const answer = await askUntilReady(
        () => ask(port),
        READY_TIMEOUT_MS,
        () => server.throwIfEnded(),
      );
      // An answer may have come from whoever holds the port while our own process fails to bind it.
      server.throwIfEnded();
      return { port, answer, ended: server.endedByItself, stop: () => server.stop() };
    } catch (error) {
      await server.stop();
      if (tries < START_TRIES && server.portWasTaken()) continue;
      throw new Error(`it did not start; its last output was:\n${server.logTail()}`, { cause: error });
    }
  }
}

class ServerProcess {
  readonly endedByItself: Promise<string>;
  readonly #child: ChildProcess;
  readonly #watcher: ChildProcess;
  readonly #data: string;
  #log = "";
  #ended: string | undefined;
  #stopping: Promise<void> | undefined;

  constructor(launch: Launch, data: string) {
    this.#data = data;
    // A session of its own: Ctrl-C reaches this process alone, which then stops the servers in its own order.
    this.#child = spawn(launch.command, launch.args, {
      cwd: data,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...launch.environment },
    });
    this.#child.once("error", (error) => {
      this.#ended ??= error.message;
    });
    this.#child.once("exit", (code, signal) => {
      this.#ended ??= `the process ended with ${signal ?? `status ${code}`}`;
      this.#watcher.kill("SIGKILL");
    });
    // What it said last may still be under way when it exits.
    this.endedByItself = new Promise((resolve) => {
      this.#child.once("close", () => {
        if (this.#stopping === undefined)
          resolve(`${this.#ended ?? "it ended"}; its last output was:\n${this.logTail()}`);
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString("utf8")).slice(-LOG_TAIL_CHARS);
      });
    }
    this.#watcher = watch(this.#child.pid, data);
    for (const child of [this.#child, this.#watcher]) unrefAll(child);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  throwIfEnded(): void {
    if (this.#ended !== undefined) throw new Error(this.#ended);
  }

  portWasTaken(): boolean {
    return /address already in use|BindException|Address in use|Failed to bind|port .* (is )?(already )?in use/i.test(
      this.#log,
    );
  }

  logTail(): string {
    return this.#log.trim() === "" ? "(nothing)" : this.#log.trim();
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#ended === undefined) {
      this.#child.ref();
      const exit = once(this.#child, "exit");
      const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      this.#child.kill("SIGTERM");
      await exit;
      clearTimeout(force);
    }
    await endedByForce(this.#watcher);
    await rm(this.#data, { recursive: true, force: true });
  }
}

/** Kills a process and waits until it is gone. */
async function endedByForce(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/**
 * `read` returns when the pipe from this process closes, which the system does however this process ends. The server
 * leads a process group (`detached`), so what it started goes with it.
 */
function watch(pid: number | undefined, data: string): ChildProcess {
  const script = 'read _; test -n "$1" && kill -9 "-$1" 2>/dev/null; rm -rf "$2"';
  const watcher = spawn("sh", ["-c", script, "sh", String(pid ?? ""), data], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.once("error", () => undefined);
  watcher.stdin?.once("error", () => undefined);
  return watcher;
}

/** A forgotten `stop()` must not keep the process from ending: the watcher cleans up then. */
function unrefAll(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket | null)?.unref();
}
