/** Jobs for tests, and processes that hold them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { JobIdentity } from "../../src/run/job/identity.js";
import type { JobInit } from "../../src/run/job/job.js";
import { fakeClock } from "./fake-clock.js";

/** What is restored, by `target`: a table's name there. */
export function identity(target = "orders", more: Partial<JobIdentity> = {}): JobIdentity {
  return {
    dump: "d".repeat(64),
    mode: "merge",
    options: { "--ttl-policy": "preserve" },
    adapters: ["dynamodb"],
    scopes: [],
    include: [],
    exclude: [],
    targets: [{ adapter: "dynamodb", scope: "orders", target }],
    endpoints: { dynamodb: "http://127.0.0.1:1" },
    ...more,
  };
}

export function jobInit(stateDirectory: string, { target = "orders" } = {}): JobInit {
  return {
    stateDirectory,
    // Locks are the machine's: each test has endpoints of its own.
    identity: identity(target, { endpoints: { dynamodb: `http://${stateDirectory}` } }),
    dump: "/dumps/one",
    words: ["/dumps/one", "--mode", "merge"],
    cwd: "/work",
    clock: fakeClock(),
    pid: process.pid,
    isAlive: () => true,
    newId: "0123456789abcdef",
    take: "begin",
  };
}

export interface JobHolder {
  readonly process: ChildProcess;
  /** `held`, or the code of the error. */
  readonly answer: string;
  kill(): Promise<void>;
}

/** Starts a process that opens a job; resolves once it has, or could not. */
export async function startJobHolder(stateDirectory: string, newId: string, target = "orders"): Promise<JobHolder> {
  const script = fileURLToPath(new URL("job-holder.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, stateDirectory, newId, target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [answer] = (await once(createInterface(child.stdout), "line")) as [string];
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { process: child, answer, kill };
}
