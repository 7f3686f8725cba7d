/** The command line's sources, not a build, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROCESS = join(import.meta.dirname, "../../src/cli/process.ts");
const CODE = `import { runProcess } from ${JSON.stringify(PROCESS)}; await runProcess();`;
const TSX = import.meta.resolve("tsx");

export interface CliProcess {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  /** The exit status, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

export interface CliProcesses {
  /** An environment of its own: what the test gives, and what a process cannot do without. */
  start(argv: readonly string[], env?: Readonly<Record<string, string>>): CliProcess;
  remove(): Promise<void>;
}

export async function cliProcesses(): Promise<CliProcesses> {
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-process-"));
  await writeFile(join(folder, "main.mjs"), CODE);
  const least = { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"], HOME: folder };
  return {
    start: (argv, env = {}) => {
      const node = ["--import", TSX, join(folder, "main.mjs"), ...argv];
      const child = spawn(process.execPath, node, { env: { ...least, ...env }, stdio: ["ignore", "pipe", "pipe"] });
      const said = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          said[name] += text;
        });
      }
      const ended = new Promise<number | string | null>((resolve) => {
        child.once("close", (code, signal) => resolve(code ?? signal));
      });
      return { child, said, ended };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
