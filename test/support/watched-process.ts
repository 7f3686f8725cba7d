/** The built command line as a process of its own, with its peak of resident memory as the system counts it. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "..", "..", "bin", "elastickv-restore.js");
const POLL_MS = 50;

export interface WatchedEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly peakBytes: number;
}

/** Runs to its end. Linux only: the peak is `VmHWM`, which never falls, read until the process is gone. */
export async function runWatched(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<WatchedEnd> {
  const child = spawn(process.execPath, [BIN, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  let peakBytes = 0;
  const poll = setInterval(() => {
    void peakOf(child.pid).then((bytes) => {
      peakBytes = Math.max(peakBytes, bytes);
    });
  }, POLL_MS);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { status, stdout: textOf(stdout), stderr: textOf(stderr), peakBytes };
  } finally {
    clearInterval(poll);
  }
}

async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0) * 1024;
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
