/** The built command line as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Reported, reportedSchema } from "../../src/daemon/channel.js";
import { commandIn } from "./built-command.js";

export interface CliProcess {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  /** What it told its supervisor. */
  readonly told: readonly Reported[];
  /** The exit status, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

export interface CliProcesses {
  /** An environment of its own: what the test gives, and what a process cannot do without. */
  start(argv: readonly string[], env?: Readonly<Record<string, string>>): CliProcess;
  /** The same, with a channel between it and the test. */
  supervise(argv: readonly string[], env?: Readonly<Record<string, string>>): CliProcess;
  remove(): Promise<void>;
}

export async function cliProcesses(): Promise<CliProcesses> {
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-process-"));
  const program = await commandIn(folder);
  const least = { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"], HOME: folder };
  const begin = (argv: readonly string[], env: Readonly<Record<string, string>>, channel: readonly "ipc"[]) => {
    const stdio = ["ignore", "pipe", "pipe", ...channel] as const;
    const child = spawn(process.execPath, [program, ...argv], { env: { ...least, ...env }, stdio: [...stdio] });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        said[name] += text;
      });
    }
    const told: Reported[] = [];
    child.on("message", (message) => told.push(reportedSchema.parse(message)));
    return { child, said, told, ended: endOf(child) };
  };
  return {
    start: (argv, env = {}) => begin(argv, env, []),
    supervise: (argv, env = {}) => begin(argv, env, ["ipc"]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Once all that it said was read. Whose channel its parent has closed tells its exit, and never its `close`. */
async function endOf(child: ChildProcess): Promise<number | string | null> {
  const streams = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [once(stream, "close")]));
  const [[code, signal]] = (await Promise.all([once(child, "exit"), ...streams])) as [[number | null, string | null]];
  return code ?? signal;
}
