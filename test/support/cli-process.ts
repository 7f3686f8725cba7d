/** The command line's sources, not a build, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Reported, reportedSchema } from "../../src/daemon/channel.js";

const PROCESS = join(import.meta.dirname, "../../src/cli/process.ts");
const CODE = `import { runProcess } from ${JSON.stringify(PROCESS)}; await runProcess();`;
const TSX = import.meta.resolve("tsx");

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
  await writeFile(join(folder, "main.mjs"), CODE);
  const least = { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"], HOME: folder };
  const begin = (argv: readonly string[], env: Readonly<Record<string, string>>, channel: readonly "ipc"[]) => {
    const node = ["--import", TSX, join(folder, "main.mjs"), ...argv];
    const stdio = ["ignore", "pipe", "pipe", ...channel] as const;
    const child = spawn(process.execPath, node, { env: { ...least, ...env }, stdio: [...stdio] });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        said[name] += text;
      });
    }
    const told: Reported[] = [];
    child.on("message", (message: object) => {
      // The loader of TypeScript uses the channel as well.
      if (!("type" in message) || message.type !== "dependency") told.push(reportedSchema.parse(message));
    });
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
