/**
 * The demo: a dump that elastickv's own decoder wrote, restored into four servers by the command line as users run it,
 * then looked at with each server's own client. It stops what it started, however it ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FreshDump, freshDump } from "../test/support/fresh-dump.js";
import { reasonOf } from "../testcontainers/ready.js";
import { LOCAL_CREDENTIALS, type RunningServer, type ServerName } from "../testcontainers/recipe.js";
import { startOrStandIn } from "../testcontainers/stand-in.js";
import { root } from "./bootstrap.mjs";
import { show } from "./demo-show.js";

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
/** `apply` ended, though targets refused records: the gallery holds some that no server takes. */
const FINISHED = [0, 3];
const REPORT = "demo-report.json";

const OPTION: Readonly<Record<ServerName, string>> = {
  redis: "--redis-url",
  "dynamodb-local": "--dynamodb-endpoint",
  minio: "--s3-endpoint",
  elasticmq: "--sqs-endpoint",
};
const ADAPTER: Readonly<Record<ServerName, string>> = {
  redis: "redis",
  "dynamodb-local": "dynamodb",
  minio: "s3",
  elasticmq: "sqs",
};
const NAMES = Object.keys(OPTION) as ServerName[];

const HELP = `npm run demo [-- --stand-ins]

Restores test/fixtures/gallery.tar.gz into four servers of its own and shows what is there afterwards.
--stand-ins   small servers of npm packages for DynamoDB, S3 and SQS, where the real ones take minutes to install
`;

/** Returns the exit status. */
export async function demo(argv: readonly string[]): Promise<number> {
  if (argv.some((word) => word !== "--stand-ins")) {
    process.stdout.write(HELP);
    return argv.includes("--help") ? 0 : 2;
  }
  const run = new DemoRun();
  const onSignal = (signal: keyof typeof SIGNALS) => run.interrupt(signal);
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, onSignal);
  try {
    return await run.start(argv.includes("--stand-ins"));
  } catch (error) {
    if (run.interrupted !== undefined) return SIGNALS[run.interrupted];
    say(`\nThe demo failed: ${reasonOf(error)}`);
    return 1;
  } finally {
    await run.stop();
    for (const signal of Object.keys(SIGNALS)) process.off(signal, onSignal);
  }
}

class DemoRun {
  readonly #servers = new Map<ServerName, RunningServer>();
  readonly #interruption = new AbortController();
  #dump: FreshDump | undefined;
  #signal: keyof typeof SIGNALS | undefined;
  #child: ChildProcess | undefined;

  get interrupted(): keyof typeof SIGNALS | undefined {
    return this.#signal;
  }

  /** The command line ends what is under way first; asked a second time, it is killed. */
  interrupt(signal: keyof typeof SIGNALS): void {
    if (this.#signal !== undefined) {
      this.#child?.kill("SIGKILL");
      return;
    }
    this.#signal = signal;
    say(`\n${signal}: stopping what was started …`);
    this.#child?.kill(signal);
    this.#interruption.abort(new Error(signal));
  }

  async start(preferStandIn: boolean): Promise<number> {
    title("Four servers");
    for (const name of NAMES) await this.#orInterrupted(this.#startServer(name, preferStandIn));
    const { path } = await this.#orInterrupted(this.#unpack());
    const options = this.#options();

    title("What a restore would do: elastickv-restore plan");
    const planned = await this.#orInterrupted(this.#cli(["plan", path, ...options]));
    if (planned !== 0) throw new Error(`plan ended with ${planned}`);

    title("The restore: elastickv-restore apply");
    const applied = await this.#orInterrupted(this.#cli(["apply", path, ...options, "--report", join(root, REPORT)]));
    if (!FINISHED.includes(applied)) throw new Error(`apply ended with ${applied}`);

    title("What the servers hold now, asked with their own clients");
    for (const server of this.#servers.values()) await this.#orInterrupted(show(server, say));
    title("The report");
    await sayReport(applied);
    return 0;
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await once(this.#child, "close");
    await Promise.all([...[...this.#servers.values()].map((server) => server.stop()), this.#dump?.remove()]);
  }

  async #startServer(name: ServerName, preferStandIn: boolean): Promise<void> {
    try {
      const { server, instead } = await startOrStandIn(name, { preferStandIn });
      this.#servers.set(name, server);
      say(`${name} ${server.version ?? ""} at ${server.endpoint} (${server.how})`);
      if (instead !== undefined) say(`  a stand-in, not the real server: ${instead}`);
    } catch (error) {
      // No package brings a Redis without a compiler.
      if (name !== "redis") throw error;
      say(`redis is left out, since it cannot be started here: ${reasonOf(error)}`);
    }
    // The signal came while it started: nobody else would stop it.
    if (this.#signal !== undefined) await this.stop();
  }

  async #unpack(): Promise<FreshDump> {
    this.#dump = await freshDump("gallery");
    say(`\nThe dump is in ${this.#dump.path}, its expiry times moved to today.`);
    return this.#dump;
  }

  #options(): string[] {
    const servers = [...this.#servers.values()];
    const endpoints = servers.flatMap(({ name, endpoint }) => [OPTION[name], endpoint]);
    if (servers.length === NAMES.length) return endpoints;
    return [...endpoints, "--adapter", servers.map(({ name }) => ADAPTER[name]).join(",")];
  }

  async #cli(argv: readonly string[]): Promise<number> {
    say(`$ elastickv-restore ${argv.join(" ")}`);
    // A group of its own, so that Ctrl-C reaches it once, through `interrupt`.
    const child = spawn(process.execPath, [join(root, "bin", "elastickv-restore.js"), ...argv], {
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, ...this.#credentials() },
    });
    this.#child = child;
    try {
      return await new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 1));
      });
    } finally {
      this.#child = undefined;
    }
  }

  /** One pair for all servers, as the command line takes it from its environment. */
  #credentials(): Record<string, string> {
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: "us-east-1" };
  }

  /** The work goes on behind an interruption; `stop` and the end of this process put an end to it. */
  async #orInterrupted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#interruption;
    signal.throwIfAborted();
    return await new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }
}

interface WrittenReport {
  readonly recordsRead: number;
  readonly totals: Readonly<Record<string, number>>;
  readonly listed: readonly Readonly<Record<"adapter" | "scope" | "key" | "outcome" | "reason" | "detail", string>>[];
}

async function sayReport(status: number): Promise<void> {
  const report = JSON.parse(await readFile(join(root, REPORT), "utf8")) as WrittenReport;
  say(`${report.recordsRead} records read`);
  for (const [outcome, count] of Object.entries(report.totals))
    if (count > 0) say(`${String(count).padStart(7)} ${outcome}`);
  const refused = report.listed.filter(({ outcome }) => ["rejected", "failed", "ambiguous"].includes(outcome));
  if (status !== 0) say("\napply ended with 3, because records were not restored. Each is listed with its reason:");
  for (const { adapter, scope, key, outcome, reason, detail } of refused.slice(0, 10)) {
    say(`  ${outcome} ${adapter} ${scope} ${key}: ${[reason, detail].filter(Boolean).join(", ")}`);
  }
  say(`\nAll of it stands in ${REPORT}.`);
}

function title(text: string): void {
  say(`\n== ${text}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
