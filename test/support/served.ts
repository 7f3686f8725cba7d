/** The daemon as people run it: `serve` in a process of its own, with real jobs, to be killed and begun again. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { JobEvent, JobRequest, JobState, JobView } from "../../src/daemon/schema/job.js";
import { type CliProcess, type CliProcesses, cliProcesses } from "./cli-process.js";
import { placeDump } from "./daemon-jobs.js";
import type { DumpDescription } from "./dump-builder.js";
import { type OpenApiDocument, type Published, published } from "./published.js";

export interface ServedInit {
  /** Of the configuration file, below `targets`. */
  readonly targets?: object;
  /** Below `daemon`, beside the socket and the root `backups`. */
  readonly settings?: object;
  /** By their names below that root. */
  readonly dumps: Readonly<Record<string, DumpDescription>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface Event {
  readonly id: number;
  readonly event: JobEvent;
}

export const ENDS: readonly JobState[] = ["finished", "failed", "cancelled"];
const START_MS = 60_000;

export class Served {
  readonly folder: string;
  readonly state: string;
  readonly socketPath: string;
  readonly #init: ServedInit;
  readonly #processes: CliProcesses;
  #process: CliProcess | undefined;
  #published: Published | undefined;

  /** Not begun yet. */
  static async make(init: ServedInit): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), "ek-served-"));
    await mkdir(join(folder, "state"), { mode: 0o700 });
    for (const [name, dump] of Object.entries(init.dumps)) await placeDump(join(folder, "backups", name), dump);
    return new Served(folder, init, await cliProcesses());
  }

  private constructor(folder: string, init: ServedInit, processes: CliProcesses) {
    this.folder = folder;
    this.state = join(folder, "state");
    this.socketPath = join(folder, "d.sock");
    this.#init = init;
    this.#processes = processes;
  }

  get pid(): number {
    return this.#process?.child.pid ?? 0;
  }

  /** Its standard output and error so far. */
  get said(): { readonly stdout: string; readonly stderr: string } {
    return this.#process?.said ?? { stdout: "", stderr: "" };
  }

  /** Resolves once it answers. `settings`: over those of before. */
  async start(settings: object = {}): Promise<void> {
    const { targets = {}, settings: given, env } = this.#init;
    const daemon = { socket: this.socketPath, roots: { backups: join(this.folder, "backups") }, ...given, ...settings };
    const config = join(this.folder, "config.yaml");
    await writeFile(config, JSON.stringify({ targets, daemon }));
    const own = {
      // By it every process is known that descends from the daemon.
      HOME: this.folder,
      // Servers of sandboxes are those that the tests have.
      ELASTICKV_RESTORE_CACHE: process.env["ELASTICKV_RESTORE_CACHE"] ?? join(homedir(), ".cache/elastickv-restore"),
    };
    const begun = this.#processes.start(["serve", "--config", config, "--state-dir", this.state], { ...own, ...env });
    this.#process = begun;
    const tooEarly = begun.ended.then((end) => expect.fail(`ended with ${end}: ${begun.said.stderr}`));
    tooEarly.catch(() => undefined);
    const listens = expect
      .poll(() => begun.said.stdout, { timeout: START_MS, interval: 20 })
      .toMatch(/^listening on .*\n/);
    await Promise.race([listens, tooEarly]);
  }

  async kill(): Promise<void> {
    this.#process?.child.kill("SIGKILL");
    await this.#process?.ended;
  }

  /** Told to end. Resolves with its exit status. */
  async stop(): Promise<number | string | null | undefined> {
    this.#process?.child.kill("SIGTERM");
    return await this.#process?.ended;
  }

  /** Checked against its own description. */
  async ask(path: string, { method = "GET", body, headers = {} }: Asking = {}): Promise<Answered> {
    this.#published ??= published(JSON.parse((await this.#send("/openapi.json", {})).text) as OpenApiDocument);
    const { type, ...answer } = await this.#send(path, { method, body, headers });
    const json: unknown = type.startsWith("application/json") ? JSON.parse(answer.text) : undefined;
    this.#published.assertDescribed({ method, url: path }, { status: answer.status, type, json });
    return answer;
  }

  async get<T>(path: string): Promise<T> {
    const { status, text } = await this.ask(path);
    expect(status, text).toBe(200);
    return JSON.parse(text) as T;
  }

  async post<T>(path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const { status, text } = await this.ask(path, { method: "POST", body, headers });
    expect([200, 201], text).toContain(status);
    return JSON.parse(text) as T;
  }

  async submit(job: JobRequest, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await this.post<JobView>("/v1/jobs", job, headers)).id;
  }

  async job(id: string): Promise<JobView> {
    return await this.get<JobView>(`/v1/jobs/${id}`);
  }

  async until(id: string, states: readonly JobState[], timeoutMs = 60_000): Promise<JobView> {
    const options = { timeout: timeoutMs, interval: 50, message: `job ${id} in ${states.join(" or ")}` };
    await expect.poll(async () => states.includes((await this.job(id)).state), options).toBe(true);
    return await this.job(id);
  }

  /** A job's events behind a number until its end, however often the daemon is killed meanwhile. */
  async follow(id: string, after = 0): Promise<Event[]> {
    const events: Event[] = [];
    for (let isOver = false; !isOver; ) {
      const last = events.at(-1)?.id ?? after;
      const take = ({ id: number = 0, data }: Taken) => events.push({ id: number, event: data as JobEvent });
      await this.stream(`/v1/jobs/${id}/events`, { after: last, take }).catch(() => undefined);
      const end = events.at(-1)?.event;
      isOver = end?.type === "state" && ENDS.includes(end.job.state);
      if (!isOver) await sleep(20);
    }
    return events;
  }

  /** What it takes of the machine. Linux only. */
  async usage(): Promise<{ readonly residentMiB: number; readonly descriptors: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const [, kib = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return { residentMiB: Number(kib) / 1024, descriptors: (await readdir(`/proc/${this.pid}/fd`)).length };
  }

  /** Words of every process that the daemon or one of its jobs began, and of itself. */
  async processes(): Promise<string[]> {
    const mark = `HOME=${this.folder}\0`;
    const found = await Promise.all(
      (await readdir("/proc").catch(() => [])).map(async (pid) => {
        const environment = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "") : "";
        if (!environment.includes(mark)) return [];
        return [(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim()];
      }),
    );
    return found.flat().filter((words) => words !== "");
  }

  async remove(): Promise<void> {
    await this.kill();
    // Processes of jobs see that their daemon is gone.
    await expect.poll(() => this.processes(), { timeout: 30_000 }).toEqual([]);
    await this.#processes.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Live events as they come. Resolves when the stream ends, or is cut. Rejects where it cannot be had. */
  async stream(path: string, { after, signal, take }: Streaming): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const headers = after === undefined ? {} : { "last-event-id": String(after) };
      const sent = request({ socketPath: this.socketPath, path, headers, agent: false }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`the events are answered ${answer.statusCode}`));
        const reader = new EventReader(take);
        answer.setEncoding("utf8").on("data", (text: string) => reader.take(text));
        answer.on("close", resolve).on("error", () => resolve());
      });
      // What is on its way when a client hangs up is never read.
      signal?.addEventListener("abort", () => sent.destroy(), { once: true });
      sent.on("error", (error) => (signal?.aborted === true ? resolve() : reject(error))).end();
    });
  }

  async #send(
    path: string,
    { method = "GET", body, headers = {} }: Asking,
  ): Promise<Answered & { readonly type: string }> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const json = text === undefined ? {} : { "content-type": "application/json" };
    return await new Promise((resolve, reject) => {
      const options = { socketPath: this.socketPath, path, method, headers: { ...json, ...headers }, agent: false };
      const sent = request(options, (answer) => {
        let came = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (came += chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, text: came, type: answer.headers["content-type"] ?? "" });
        });
      });
      sent.on("error", reject).end(text);
    });
  }
}

interface Asking {
  readonly method?: string;
  readonly body?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Taken {
  readonly id?: number;
  readonly data: unknown;
}

interface Streaming {
  /** The number of the last event that is known already. */
  readonly after?: number;
  /** Hangs up. */
  readonly signal?: AbortSignal;
  readonly take: (event: Taken) => void;
}

/** Server-sent events, from text as it arrives. */
class EventReader {
  readonly #take: Streaming["take"];
  #rest = "";

  constructor(take: Streaming["take"]) {
    this.#take = take;
  }

  take(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, id] = /^id: (\d+)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (data !== undefined) this.#take({ ...(id === undefined ? {} : { id: Number(id) }), data: JSON.parse(data) });
    }
  }
}
