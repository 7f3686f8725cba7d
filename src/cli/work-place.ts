/**
 * Where a run makes the folder for what does not fit into memory, and how it is called: with the number of the process,
 * so that the next run can remove what a killed one left behind.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "../errors/restore-error.js";
import type { Io } from "./io.js";

export interface WorkPlace {
  readonly workRoot: string;
  /** What the folder's name begins with. */
  readonly workPrefix: string;
}

/** Removes folders of processes that are gone. What cannot be removed stays and is no reason to stop. */
export function workPlace({ env }: Io): WorkPlace {
  const workRoot = env["TMPDIR"] ?? tmpdir();
  const own = `elastickv-restore-${machine()}-`;
  removeLeftOver(workRoot, own);
  return { workRoot, workPrefix: `${own}${process.pid}-` };
}

/** Process numbers mean something on one machine, in one container; several may share the folder for temporary files. */
function machine(): string {
  const namespace = quietly(() => readlinkSync("/proc/self/ns/pid")) ?? "";
  return createHash("sha256").update(`${hostname()}\0${namespace}`).digest("hex").slice(0, 8);
}

function removeLeftOver(workRoot: string, own: string): void {
  for (const name of quietly(() => readdirSync(workRoot)) ?? []) {
    if (!name.startsWith(own)) continue;
    const pid = /^([1-9]\d*)-[^-]+$/.exec(name.slice(own.length))?.[1];
    const path = join(workRoot, name);
    if (pid === undefined || isAlive(Number(pid)) || quietly(() => isOurs(path)) !== true) continue;
    quietly(() => rmSync(path, { recursive: true, force: true }));
  }
}

/** In a folder that others can write to, they could put links in while it is removed. */
function isOurs(path: string): boolean {
  const { uid, mode } = lstatSync(path);
  return (mode & 0o077) === 0 && (process.getuid === undefined || uid === process.getuid());
}

function isAlive(pid: number): boolean {
  try {
    // Sends nothing.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
