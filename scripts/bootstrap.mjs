/**
 * What a clean clone needs before anything of it can run: dependencies, then the build. Plain JavaScript and Node's own
 * modules alone, since nothing else is there yet. Writes to standard output what it does.
 */
import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What ends a program that this one runs; this one then goes on to say so. @type {readonly NodeJS.Signals[]} */
const SIGNALS = ["SIGINT", "SIGTERM"];

/** The folder of package.json. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** The environment of every tool: no support calendar of the AWS SDK, colours for terminals only. @type {NodeJS.ProcessEnv} */
const environment = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
if (!process.stdout.isTTY) {
  delete environment["FORCE_COLOR"];
  environment["NO_COLOR"] = "1";
}

/**
 * Runs a program in the root to its end. Its output is passed on, or kept when `keep` is set. Never throws for what the
 * program does: a program that cannot be started ends with status 127.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ keep?: boolean }} [options]
 * @returns {Promise<{ status: number, output: string }>}
 */
export async function run(command, args, { keep = false } = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: environment,
    stdio: keep ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
  });
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  /** @type {Buffer[]} */
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => chunks.push(chunk));
  const status = await new Promise((resolve) => {
    child.once("error", (error) => {
      chunks.push(Buffer.from(`${command}: ${error.message}\n`));
      resolve(127);
    });
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
  for (const signal of SIGNALS) process.off(signal, forward);
  return { status, output: Buffer.concat(chunks).toString("utf8").trim() };
}

/** `run` of a tool that the dependencies hold. @type {typeof run} */
export async function runTool(tool, args, options) {
  return await run(join(root, "node_modules", ".bin", tool), args, options);
}

/** Runs `npm ci` unless the installed packages are those of the lock file. Returns the reason when it failed. */
export async function ensureDependencies() {
  const installed = await packagesOf(join(root, "node_modules", ".package-lock.json"));
  const reason = reasonToInstall(installed, (await packagesOf(join(root, "package-lock.json"))) ?? {});
  if (reason === undefined) return undefined;
  console.log(`Installing dependencies (npm ci): ${reason}`);
  const { status, output } = await run("npm", ["ci", "--no-audit", "--no-fund"], { keep: true });
  return status === 0 ? undefined : `npm ci ended with ${status}:\n${output}`;
}

/**
 * @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages
 *
 * @param {Packages | undefined} installed npm's own list of what it installed, without packages of other platforms
 * @param {Packages} locked
 * @returns {string | undefined}
 */
export function reasonToInstall(installed, locked) {
  if (installed === undefined) return "there are none";
  for (const [path, { version, optional, devOptional }] of Object.entries(locked)) {
    if (path === "") continue;
    const found = installed[path];
    if (found === undefined && !(optional || devOptional)) return `${path} is missing`;
    if (found !== undefined && found.version !== version) return `${path} is not the one of the lock file`;
  }
  return undefined;
}

/**
 * @param {string} path
 * @returns {Promise<Packages | undefined>}
 */
async function packagesOf(path) {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

/**
 * Makes `dist`, from nothing, so that no file of a source that is gone stays: `src` for programs, compiled and with its
 * types, and `cli` for the command line.
 */
export async function build() {
  await rm(join(root, "dist"), { recursive: true, force: true });
  const compiled = await runTool("tsc", ["-p", "tsconfig.build.json"], { keep: true });
  if (compiled.status !== 0) return compiled;
  const { bundle } = await import("./bundle.mjs");
  return await bundle(root, join("dist", "cli"));
}
