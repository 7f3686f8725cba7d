/**
 * Where servers are installed once for all runs on this machine, and the tools that install them. An installation
 * appears whole or not at all (built in a directory of its own, then renamed), so a reader needs no lock; the lock
 * only saves two processes the same work, and a stale one costs nothing but that work.
 */
import { spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";

import type { InstallOptions } from "./recipe.js";

const HEARTBEAT_MS = 5_000;
const STALE_MS = 30_000;
const POLL_MS = 300;
/** What a killed installation left behind is nobody's after this; the slowest one takes minutes. */
const ABANDONED_MS = 3_600_000;

/** A folder of `$ELASTICKV_RESTORE_CACHE`, or of `elastickv-restore` in the user's cache directory. */
function cacheDirectory(folder: "peers" | "servers", environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment["ELASTICKV_RESTORE_CACHE"];
  if (own !== undefined && own !== "") return join(own, folder);
  const xdg = environment["XDG_CACHE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "elastickv-restore", folder);
}

type Fill = (directory: string) => Promise<void>;

/**
 * The directory of `<name>-<version>`, filled by `fill` when it is missing. Two processes at once: one works, the
 * other waits. A failed or killed installation leaves nothing that a later one would take for whole.
 */
export async function installOnce(name: string, version: string, fill: Fill): Promise<string> {
  return await installIn(cacheDirectory("servers"), { name, version, fill });
}

/** The same for a tool that measurements run beside ours: in a folder of its own. */
export async function installPeerOnce(name: string, version: string, fill: Fill): Promise<string> {
  return await installIn(cacheDirectory("peers"), { name, version, fill });
}

interface Installation {
  readonly name: string;
  readonly version: string;
  readonly fill: Fill;
}

async function installIn(root: string, { name, version, fill }: Installation): Promise<string> {
  const place = join(root, `${name}-${version}`);
  if (await exists(place)) return place;
  await mkdir(root, { recursive: true });
  const lock = `${place}.lock`;
  for (let waits = 0; !(await takeLock(lock)); waits++) {
    if (waits === 0) tell(`${name}: another process installs it; waiting`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (await exists(place)) return place;
  }
  const heartbeat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), HEARTBEAT_MS);
  try {
    if (await exists(place)) return place;
    tell(`${name}: installing version ${version} once into ${root}`);
    await removeAbandoned(root, `${basename(place)}.tmp-`);
    await fillAndRename(place, fill);
    return place;
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { recursive: true, force: true });
  }
}

async function fillAndRename(place: string, fill: Fill): Promise<void> {
  const staging = await mkdtemp(`${place}.tmp-`);
  try {
    await fill(staging);
    await rename(staging, place).catch(async (error: unknown) => {
      if (!(await exists(place))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function removeAbandoned(root: string, prefix: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(root, name);
    if ((await ageMs(path)) > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

/** A directory is the lock: making one is atomic. Its time is renewed by the holder; an old one is nobody's. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  if ((await ageMs(lock)) > STALE_MS) await rm(lock, { recursive: true, force: true });
  return false;
}

/** 0 for what is not there. */
async function ageMs(path: string): Promise<number> {
  return await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The full path of a command, or undefined. */
export async function findCommand(command: string): Promise<string | undefined> {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(directory, command);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (directory !== "" && runs) return path;
  }
  return undefined;
}

/** The command's path; installed with apt-get when it is missing, this is root on a Debian, and that is allowed. */
export async function needCommand(
  command: string,
  debianPackage?: string,
  { systemPackages = true }: InstallOptions = {},
): Promise<string> {
  const found = await findCommand(command);
  if (found !== undefined) return found;
  const apt = systemPackages ? await findCommand("apt-get") : undefined;
  if (debianPackage === undefined || apt === undefined || process.getuid?.() !== 0) {
    const offer = debianPackage === undefined ? "" : ` (Debian package ${debianPackage})`;
    throw new Error(`${command} is not on the PATH${offer}`);
  }
  tell(`${command}: installing the Debian package ${debianPackage}`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await run(apt, ["update"], { environment });
  await run(apt, ["install", "-y", "--no-install-recommends", debianPackage], { environment });
  const installed = await findCommand(command);
  if (installed === undefined) throw new Error(`${debianPackage} was installed, but ${command} is not on the PATH`);
  return installed;
}

/** Installations take from seconds to minutes; nobody should wonder what a test waits for. */
function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

/** Runs a tool to its end. Throws with the tail of its output unless it ends with 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
  });
  const endChild = () => child.kill();
  process.once("exit", endChild);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-2000);
    });
  }
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  }).finally(() => process.off("exit", endChild));
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${output.trim()}`);
}
