/**
 * A process with the processor time and the peak of resident memory that it and all it starts take, as the system counts
 * them. Linux only. One at a time: processor time is what this process's children took, as it grows while one runs.
 *
 * The peak is `VmHWM`, which never falls, of the process and of all it started, added up: threads are within their
 * process; pages that processes share count once for each, so the sum is rather too high than too low.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Figures } from "./scenario.js";

export const BIN = join(import.meta.dirname, "..", "bin", "elastickv-restore.js");
const POLL_MS = 10;
/** The unit of times in `/proc`, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** It gets these variables, `PATH`, `HOME` and `TMPDIR`, and no other. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface WatchedEnd extends Figures {
  /** Or the signal that ended it. */
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line, to its end. */
export async function runWatched(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<WatchedEnd> {
  return await watch({ command: process.execPath, args: [BIN, ...argv], env });
}

/** Runs to the end of the process and of what holds its output. */
export async function watch({ command, args, cwd, env }: Command): Promise<WatchedEnd> {
  const cpuBefore = cpuSecondsOfChildren();
  const began = performance.now();
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"], ...env },
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const peaks = new Map<string, number>();
  const poll = setInterval(() => notePeaks(String(child.pid), peaks), POLL_MS);
  try {
    const status = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? signal ?? "SIGKILL"));
    });
    const seconds = (performance.now() - began) / 1000;
    const cpuSeconds = cpuSecondsOfChildren() - cpuBefore;
    const peakBytes = [...peaks.values()].reduce((total, bytes) => total + bytes, 0);
    return { status, stdout: textOf(stdout), stderr: textOf(stderr), peakBytes, seconds, cpuSeconds };
  } finally {
    clearInterval(poll);
  }
}

/** Of the children that have ended so far, and of theirs that they waited for. */
function cpuSecondsOfChildren(): number {
  // The name of the program, in brackets, may hold spaces; `cutime` and `cstime` are the 14th and 15th behind it.
  const stat = textAt("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS_PER_SECOND;
}

/** Notes the peak so far of a process and of its children and theirs. */
function notePeaks(pid: string, peaks: Map<string, number>): void {
  const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/mu.exec(textAt(`/proc/${pid}/status`))?.[1] ?? 0);
  peaks.set(pid, Math.max(peaks.get(pid) ?? 0, kibibytes * 1024));
  // Of the main thread: Node starts processes from there, whichever thread asks.
  const children = textAt(`/proc/${pid}/task/${pid}/children`).trim();
  for (const each of children === "" ? [] : children.split(" ")) notePeaks(each, peaks);
}

/** Empty when the process is gone. */
function textAt(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
