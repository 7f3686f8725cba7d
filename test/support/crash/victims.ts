/**
 * Processes that run the command line and may be killed at a point of their choice. Some are always started ahead: what a
 * process costs is loading its modules. One that was not killed runs the next command.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export interface Order {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Points are counted from the first change below it on. */
  readonly stateDirectory: string;
  /** The process kills itself at this point, counted from 1; 0: never. */
  readonly killAt: number;
}

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** In words, in their order. */
  readonly points: readonly string[];
}

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const VICTIM = fileURLToPath(new URL("victim.js", import.meta.url));

export class Victims {
  readonly #build: string;
  readonly #ahead: number;
  readonly #idle: Promise<ChildProcess>[] = [];
  readonly #all = new Set<ChildProcess>();
  #isStopped = false;

  private constructor(build: string, ahead: number) {
    this.#build = build;
    this.#ahead = ahead;
  }

  static async start(ahead = 3): Promise<Victims> {
    const victims = new Victims(await buildAside(), ahead);
    victims.#refill();
    return victims;
  }

  /** Runs one command. Undefined: the process was killed on the way, as it was told. */
  async run(order: Order): Promise<Ended | undefined> {
    const child = await (this.#idle.shift() ?? this.#spawn());
    this.#refill();
    const ended = new Promise<Ended | undefined>((resolve, reject) => {
      const gone = (code: number | null, signal: string | null) =>
        signal === "SIGKILL" ? resolve(undefined) : reject(new Error(`the process ended with ${code ?? signal}`));
      child.once("exit", gone);
      child.once("message", (answer) => {
        child.off("exit", gone);
        resolve(answer as Ended);
      });
    });
    child.send(order);
    const answer = await ended;
    if (answer !== undefined) this.#idle.unshift(Promise.resolve(child));
    return answer;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#idle);
    for (const child of this.#all) child.kill("SIGKILL");
    await rm(this.#build, { recursive: true, force: true });
  }

  #refill(): void {
    while (!this.#isStopped && this.#idle.length < this.#ahead) {
      const child = this.#spawn();
      // Whoever takes it is told.
      child.catch(() => undefined);
      this.#idle.push(child);
    }
  }

  async #spawn(): Promise<ChildProcess> {
    const env = { PATH: process.env["PATH"], AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
    const child = fork(VICTIM, [this.#build], { cwd: ROOT, env, execArgv: [] });
    this.#all.add(child);
    child.once("exit", () => this.#all.delete(child));
    await Promise.race([once(child, "message"), once(child, "exit").then(failed)]);
    return child;
  }
}

function failed(): never {
  throw new Error("a process of the crash tests did not start");
}

/** What is built. */
const BUILT = ["src", "testcontainers"];

/** The sources as JavaScript, inside the project, so that its packages are found. Types are not checked. */
async function buildAside(): Promise<string> {
  const cache = join(ROOT, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const build = await mkdtemp(join(cache, "crash-"));
  await copyFile(join(ROOT, "package.json"), join(build, "package.json"));
  for (const folder of BUILT) await buildFolder(folder, join(build, "dist"));
  return build;
}

async function buildFolder(folder: string, build: string): Promise<void> {
  for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".d.ts")) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(build, relative(ROOT, from));
    await mkdir(dirname(to), { recursive: true });
    if (!from.endsWith(".ts")) await copyFile(from, to);
    else await writeFile(to.replace(/\.ts$/, ".js"), javaScriptOf(await readFile(from, "utf8")));
  }
}

function javaScriptOf(text: string): string {
  const { ESNext } = ts.ModuleKind;
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ESNext, verbatimModuleSyntax: true };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
