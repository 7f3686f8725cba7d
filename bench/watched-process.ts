/**
 * The built command line as a process of its own, with its peak of resident memory as the system counts it. Linux only.
 *
 * The peak is `VmHWM`, which never falls, of the process and of all it started, added up: threads are within their
 * process; pages that processes share count once for each, so the sum is rather too high than too low.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "..", "bin", "elastickv-restore.js");
const POLL_MS = 50;

export interface WatchedEnd {
  /** Or the signal that ended it. */
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** Runs to its end. The process gets these variables, `PATH`, `HOME` and `TMPDIR`, and no other. */
export async function runWatched(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<WatchedEnd> {
  const began = performance.now();
  const child = spawn(process.execPath, [BIN, ...argv], {
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
    const peakBytes = [...peaks.values()].reduce((total, bytes) => total + bytes, 0);
    const seconds = (performance.now() - began) / 1000;
    return { status, stdout: textOf(stdout), stderr: textOf(stderr), peakBytes, seconds };
  } finally {
    clearInterval(poll);
  }
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
