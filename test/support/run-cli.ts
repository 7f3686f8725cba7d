/** The command line in process: the real entry, with streams that are kept, and the report that it wrote. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";

import { main } from "../../src/cli/main.js";
import { present } from "../../src/support/present.js";

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the tests ask of a report. The whole is described by the schema that the package publishes. */
export interface WrittenReport {
  readonly exitStatus: number;
  readonly recordsRead: number;
  readonly notReached: number;
  readonly totals: Readonly<Record<string, number>>;
  readonly scopes: readonly {
    readonly adapter: string;
    readonly scope: string;
    readonly target: string;
    readonly decision: string;
    readonly recordsRead: number;
    readonly durationMs: number;
    readonly outcomes: Readonly<Record<string, number>>;
    readonly warnings: readonly string[];
  }[];
  /** Every record that is not plainly restored: the report's rejects file. */
  readonly listed: readonly ListedRecord[];
}

export interface ListedRecord {
  readonly adapter: string;
  readonly scope: string;
  readonly path: string;
  readonly key: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly notes?: readonly { readonly kind: string; readonly detail?: string }[];
}

/** What else may happen while a command runs. */
export interface Meanwhile {
  /** A person's keyboard. */
  readonly stdin?: Readable;
  readonly signal?: AbortSignal;
  /** Silence of a target after which a connection counts as lost, in milliseconds. */
  readonly silenceMs?: number;
  /** Called with each piece of standard error before the command goes on. */
  readonly onStderr?: (text: string) => void;
  /** Asks another process to end. */
  readonly terminate?: (pid: number) => void;
}

/** Runs `elastickv-restore` with these arguments and nothing of this process's environment. Without `stdin` nobody can be asked. */
export async function runCli(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  { stdin, onStderr, ...meanwhile }: Meanwhile = {},
): Promise<CliResult> {
  const [stdout, stderr] = [new Kept(), new Kept(onStderr)];
  const asked = stdin === undefined ? { isTty: false } : { isTty: true, stdin };
  const more = present(meanwhile);
  // Every run has a state folder of its own, unless the test names one.
  const state = env["XDG_STATE_HOME"] ?? (await mkdtemp(join(tmpdir(), "elastickv-restore-state-")));
  try {
    const io = {
      env: { ...env, XDG_STATE_HOME: state },
      pid: process.pid,
      isAlive: () => true,
      cwd: process.cwd(),
      stdout,
      stderr,
    };
    const status = await main(argv, { ...io, ...asked, ...more });
    return { status, stdout: stdout.text, stderr: stderr.text };
  } finally {
    if (env["XDG_STATE_HOME"] === undefined) await rm(state, { recursive: true, force: true });
  }
}

/** `runCli` with `--report` into a file of its own; no report where the run ended before its first write. */
export async function runCliWithReport(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  meanwhile: Meanwhile = {},
): Promise<CliResult & { readonly report: WrittenReport | undefined }> {
  const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-report-"));
  try {
    const path = join(directory, "report.json");
    const result = await runCli([...argv, "--report", path], env, meanwhile);
    return { ...result, report: await readReport(path) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readReport(path: string): Promise<WrittenReport | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const report = JSON.parse(text) as WrittenReport & { readonly rejectsFile?: string };
  if (report.rejectsFile === undefined) return report;
  const lines = (await readFile(report.rejectsFile, "utf8")).split("\n").filter((line) => line !== "");
  return { ...report, listed: lines.map((line) => JSON.parse(line) as ListedRecord) };
}

class Kept extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #onText: ((text: string) => void) | undefined;

  constructor(onText?: (text: string) => void) {
    super();
    this.#onText = onText;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    this.#onText?.(chunk.toString("utf8"));
    done();
  }
}
