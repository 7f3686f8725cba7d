/** Drills of the command line, in process, with a state folder of one test. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type DrillReport, drillReportSchema } from "../../src/run/drill/report.js";
import { type CliResult, type Meanwhile, runCli } from "./run-cli.js";

export interface DrillResult extends CliResult {
  /** Undefined where no drill was begun. */
  readonly report: DrillReport | undefined;
}

export class Drills {
  readonly state: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(state: string, env: Readonly<Record<string, string>>) {
    this.state = state;
    this.#env = { PATH: process.env["PATH"] ?? "", ...env, XDG_STATE_HOME: state };
  }

  static async make(env: Readonly<Record<string, string>> = {}): Promise<Drills> {
    return new Drills(await mkdtemp(join(tmpdir(), "elastickv-restore-drills-")), env);
  }

  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  get folder(): string {
    return join(this.state, "elastickv-restore", "drills");
  }

  get historyPath(): string {
    return join(this.folder, "history.jsonl");
  }

  /** Ids of drills that have a folder. */
  ids(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder).filter((name) => /^[0-9a-f]{12}$/.test(name)) : [];
  }

  /** What a drill noted of what it started and made; undefined when all of it is gone. */
  open(id: string): OpenNote | undefined {
    const path = join(this.folder, id, "open.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as OpenNote) : undefined;
  }

  /** `words`: behind `drill`. */
  async run(words: readonly string[], meanwhile: Meanwhile = {}): Promise<DrillResult> {
    const before = new Set(this.ids());
    const result = await runCli(["drill", ...words], this.#env, meanwhile);
    const id = this.ids().find((each) => !before.has(each));
    const path = id === undefined ? undefined : join(this.folder, id, "drill.json");
    const text = path === undefined || !existsSync(path) ? undefined : readFileSync(path, "utf8");
    return { ...result, report: text === undefined ? undefined : drillReportSchema.parse(JSON.parse(text)) };
  }

  /** The path of a file with these assertions. */
  async assertions(assertions: readonly object[]): Promise<string> {
    const path = join(this.state, `assertions-${Math.random().toString(36).slice(2)}.json`);
    await writeFile(path, JSON.stringify({ assertions }, undefined, 2));
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.state, { recursive: true, force: true });
  }
}

export interface OpenNote {
  readonly servers: readonly {
    readonly adapter: string;
    readonly started: { readonly process: number; readonly identity: string; readonly data: string };
  }[];
  readonly scopes: readonly { readonly adapter: string; readonly target: string }[];
}

/** Calls `act` once, as soon as standard error says so. */
export function when(said: string, act: () => void): (text: string) => void {
  let isDone = false;
  return (text) => {
    if (isDone || !text.includes(said)) return;
    isDone = true;
    act();
  };
}
