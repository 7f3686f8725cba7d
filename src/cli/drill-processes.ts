/**
 * Processes of sandboxes over the lives of drills. A number alone names no process: after a while another one has it. So a
 * process is known by its number, when it began and since when the machine runs.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { systemCode } from "../errors/restore-error.js";

const GENTLE_MS = 5_000;
const POLL_MS = 50;

/** Undefined when there is no such process. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  return process.platform === "linux" ? await linuxIdentity(pid) : await posixIdentity(pid);
}

/** Its begin in ticks since the machine's, and the machine's own. */
async function linuxIdentity(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the program's name, which may hold anything; the twentieth behind it is the begin.
  const [state, ...fields] = status?.slice(status.lastIndexOf(")") + 2).split(" ") ?? [];
  // One that has ended and whose parent did not ask is no process any more.
  if (state === undefined || state === "Z" || state === "X") return undefined;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return `${boot.trim()} ${fields[18] ?? ""}`;
}

async function posixIdentity(pid: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout.trim() === "" ? undefined : stdout.trim();
}

/**
 * Ends a process and its group, gently first. One that another process has the number of now is left alone.
 * @throws Error when it does not end
 */
export async function endProcess(pid: number, identity: string | undefined): Promise<"ended" | "gone"> {
  const isOurs = async () => identity !== undefined && (await processIdentity(pid)) === identity;
  if (!(await isOurs())) return "gone";
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    signalGroup(pid, signal);
    for (let waited = 0; waited < GENTLE_MS; waited += POLL_MS) {
      if (!(await isOurs())) return "ended";
      await delay(POLL_MS);
    }
  }
  throw new Error("it does not end");
}

function signalGroup(pid: number, signal: "SIGKILL" | "SIGTERM"): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (systemCode(error) !== "ESRCH") throw error;
  }
}
