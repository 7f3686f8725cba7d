/**
 * One trial of the crash tests: a restore that is killed at given points, taken up after each, and everything that it
 * left when it came to its end. The same with no points is the restore that the others have to equal.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { EXIT } from "../../../src/errors/codes.js";
import { CLI_ENVIRONMENT, type FourServers } from "../four-servers.js";
import type { ListedRecord, WrittenReport } from "../run-cli.js";
import type { TargetState } from "../target-state.js";
import type { CrashCase } from "./cases.js";
import { type Held, type Place, placeOf } from "./places.js";
import type { Ended, Victims } from "./victims.js";

export interface Bench {
  readonly victims: Victims;
  readonly servers: FourServers;
  readonly target: TargetState;
  readonly dump: string;
}

/** How a job that was killed is taken up. */
export const WAYS = ["resume", "apply --resume", "apply"] as const;
export type Way = (typeof WAYS)[number];

export interface TrialInit {
  readonly crash: CrashCase;
  /** Where each process in turn kills itself; the one behind them goes to the end. */
  readonly kills: readonly number[];
  readonly way: Way;
  /** 0 to 15: trials under way at once have different ones. */
  readonly slot: number;
}

export interface TrialEnd {
  /** How many processes were killed: fewer than were to be, where one came to its end before its point. */
  readonly crashes: number;
  readonly status: number;
  readonly totals: Readonly<Record<string, number>>;
  /** Outcomes by scope. */
  readonly scopes: readonly { readonly scope: string; readonly outcomes: Readonly<Record<string, number>> }[];
  readonly listed: readonly string[];
  readonly ambiguous: readonly { readonly scope: string; readonly key: string }[];
  readonly recordsRead: number;
  readonly held: Held;
  readonly leftovers: readonly string[];
  readonly unfinished: number;
  /** Of each process that was not killed. */
  readonly points: readonly string[];
  /** Whatever else is wrong, in words. */
  readonly faults: readonly string[];
}

/** What a killed process leaves in files is the same there, and nobody waits for a disk. */
const IN_MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Behind which of the kills `status` is asked: behind one of as many. */
const STATUS_EVERY = 3;

let rounds = 0;

export async function runTrial(bench: Bench, init: TrialInit): Promise<TrialEnd> {
  const folder = await mkdtemp(join(IN_MEMORY, "elastickv-restore-crash-"));
  const place = placeOf(init.crash.adapter, bench.target, bench.servers, { slot: init.slot, round: `${++rounds}` });
  try {
    if (init.crash.isSeeded) await place.seed();
    return await new Trial(bench, init, { folder, place }).run();
  } finally {
    await place.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

class Trial {
  readonly #bench: Bench;
  readonly #init: TrialInit;
  readonly #place: Place;
  readonly #folder: string;
  readonly #state: string;
  readonly #faults: string[] = [];

  constructor(bench: Bench, init: TrialInit, { folder, place }: { readonly folder: string; readonly place: Place }) {
    this.#bench = bench;
    this.#init = init;
    this.#place = place;
    this.#folder = folder;
    this.#state = join(folder, "state");
  }

  async run(): Promise<TrialEnd> {
    let crashes = 0;
    let ended: Ended | undefined;
    for (const killAt of [...this.#init.kills, 0]) {
      ended = await this.#takeUp(crashes, killAt);
      if (ended !== undefined) break;
      crashes++;
      if (killAt % STATUS_EVERY === 0) await this.#checkStatus();
    }
    if (ended === undefined) throw new Error("the last process was killed by somebody else");
    if (crashes > 0) await this.#checkStatus();
    return await this.#end(crashes, ended);
  }

  /** Undefined: killed. */
  async #takeUp(crashes: number, killAt: number): Promise<Ended | undefined> {
    const apply = ["apply", this.#bench.dump, ...this.#options()];
    const job = await this.#job();
    if (crashes === 0 || job === undefined) return await this.#process(apply, killAt);
    // Killed behind its end: there is nothing to take up.
    if (job.hasEnded) return { status: await this.#statusOf(job.id), stdout: "", stderr: "", points: [] };
    if (this.#init.way === "apply --resume") return await this.#process([...apply, "--resume"], killAt);
    if (this.#init.way === "apply") {
      const ended = await this.#process(apply, 0);
      // A job that came to nothing is begun anew.
      if (ended?.stderr.includes("is unfinished (job") !== true) return ended;
      if (ended.status !== EXIT.target) this.#faults.push(`apply of an unfinished job ended with ${ended.status}`);
    }
    return await this.#process(["resume", "--progress", "none"], killAt);
  }

  /** `status` says of the trial's job what its folder holds, and of no other one. */
  async #checkStatus(): Promise<void> {
    const job = await this.#job();
    const state = job?.hasEnded === true ? "finished" : "stopped";
    const wanted = job === undefined ? [] : [`${job.id} ${state}`];
    const ended = await this.#process(["status", "--json"], 0);
    const jobs = JSON.parse(ended?.stdout ?? "") as { readonly id: string; readonly state: string }[];
    const told = jobs.map(({ id, state }) => `${id} ${state}`);
    if (told.join() !== wanted.join()) this.#faults.push(`status tells ${told.join()} and not ${wanted.join()}`);
  }

  #options(): string[] {
    const { crash } = this.#init;
    const { options: servers } = this.#bench.servers;
    const remaps = crash.hasNewIds === true ? ["--remap-dir", this.#folder] : [];
    const more = [...crash.options, ...this.#place.options, ...remaps];
    return [...servers, "--adapter", crash.adapter, ...more, "--progress", "none"];
  }

  async #process(argv: readonly string[], killAt: number): Promise<Ended | undefined> {
    const env = { ...CLI_ENVIRONMENT, TMPDIR: this.#folder, ELASTICKV_RESTORE_STATE_DIR: this.#state };
    return await this.#bench.victims.run({ argv, env, killAt, stateDirectory: this.#state });
  }

  async #jobs(): Promise<{ readonly id: string; readonly hasEnded: boolean }[]> {
    const ids = await readdir(join(this.#state, "jobs")).catch(() => []);
    const jobs = await Promise.all(
      ids.map(async (id) => ({ id, files: await readdir(join(this.#state, "jobs", id)) })),
    );
    const begun = jobs.filter(({ files }) => files.includes("job.json"));
    return begun.map(({ id, files }) => ({ id, hasEnded: files.includes("report.json") }));
  }

  /** The trial's only job. */
  async #job(): Promise<{ readonly id: string; readonly hasEnded: boolean } | undefined> {
    const [job, ...others] = await this.#jobs();
    if (others.length > 0) this.#faults.push(`there are ${others.length + 1} jobs`);
    return job;
  }

  async #report(id: string): Promise<WrittenReport> {
    return JSON.parse(await readFile(join(this.#state, "jobs", id, "report.json"), "utf8")) as WrittenReport;
  }

  async #statusOf(id: string): Promise<number> {
    return (await this.#report(id)).exitStatus;
  }

  async #end(crashes: number, { status, stderr, points }: Ended): Promise<TrialEnd> {
    const job = await this.#job();
    if (job?.hasEnded !== true) throw new Error(`the job did not end: status ${status}\n${stderr}`);
    const report = await this.#report(job.id);
    const listed = await this.#listed(job.id);
    const held = await this.#place.held();
    const temporary = (await readdir(this.#folder)).filter((name) => name.includes(".tmp"));
    return {
      crashes,
      status,
      totals: report.totals,
      recordsRead: report.recordsRead,
      scopes: report.scopes.map(({ scope, outcomes }) => ({ scope, outcomes })),
      listed: listed
        .filter(({ outcome }) => outcome !== "ambiguous")
        .map(({ key, outcome, reason }) => `${key} ${outcome} ${reason}`)
        .sort(),
      ambiguous: listed.filter(({ outcome }) => outcome === "ambiguous"),
      held: this.#init.crash.hasNewIds === true ? await this.#withoutIds(held) : held,
      leftovers: [...(await this.#place.leftovers()), ...temporary],
      unfinished: (await this.#jobs()).filter(({ hasEnded }) => !hasEnded).length,
      points,
      faults: this.#faults,
    };
  }

  async #listed(id: string): Promise<ListedRecord[]> {
    const text = await readFile(join(this.#state, "jobs", id, "listed.jsonl"), "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as ListedRecord);
  }

  /** Streams without their ids, which the remap files have to tell. */
  async #withoutIds(held: Held): Promise<Held> {
    const plain: Record<string, unknown> = {};
    for (const [key, each] of Object.entries(held)) {
      const { value } = each as { readonly value: unknown };
      plain[key] = each;
      if (!key.endsWith("stream") || !Array.isArray(value)) continue;
      const entries = value as readonly (readonly [string, readonly string[]])[];
      plain[key] = entries.map(([, fields]) => fields);
      const told = await this.#newIds(key);
      const there = entries.map(([id]) => id).slice(-told.length);
      if (told.join() !== there.join()) this.#faults.push(`the remap file of ${key} tells other ids than it has`);
    }
    return plain;
  }

  async #newIds(stream: string): Promise<string[]> {
    const files = await readdir(this.#folder, { recursive: true });
    const own = files.filter((name) => name.includes(`/${stream}.`) && name.endsWith("_id_remap.jsonl"));
    if (own.length !== 1) this.#faults.push(`${stream} has the remap files ${own.join(", ")}`);
    const text = own[0] === undefined ? "" : await readFile(join(this.#folder, own[0]), "utf8");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => String((JSON.parse(line) as { readonly new_id: string }).new_id));
  }
}
