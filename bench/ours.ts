/** The tool that is measured, as its users run it: journal, checks and report on, nothing else switched. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { OutcomeKind } from "../src/model/outcome.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../testcontainers/server.js";
import type { Contestant } from "./contest.js";
import type { ReadyDump } from "./ground.js";
import type { Settings } from "./scenario.js";
import type { Adapter } from "./shapes/shape.js";
import type { Command } from "./watched-process.js";

export const OURS = "elastickv-restore";

const ENDPOINT_OPTIONS: Readonly<Record<Adapter, string>> = {
  dynamodb: "--dynamodb-endpoint",
  s3: "--s3-endpoint",
  redis: "--redis-url",
  sqs: "--sqs-endpoint",
};

/** Credentials as tools take them from their environment. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
};

export interface OurRun {
  readonly bin: string;
  /** A folder for what the tool remembers, emptied before each run. */
  readonly state: string;
  /** A folder for a profile of each thread. */
  readonly profiles?: string;
}

export function runIn(scratch: string, { bin, profiles }: Settings): OurRun {
  return { bin, state: join(scratch, "state"), ...(profiles === undefined ? {} : { profiles }) };
}

/** One of the tool's commands. Settings and jobs of whoever measures have no part in it. */
export function ourCommand(argv: readonly string[], { bin, state, profiles }: OurRun): Command {
  const profiling = profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const env = { ...ENVIRONMENT, ELASTICKV_RESTORE_STATE_DIR: state, XDG_CONFIG_HOME: state };
  return { command: process.execPath, args: [...profiling, bin, ...argv], env };
}

export interface Restore {
  readonly name?: string;
  readonly run: OurRun;
  readonly dump: ReadyDump;
  readonly options?: readonly string[];
  /** How records may end, none otherwise; default: restored. */
  readonly outcomes?: readonly OutcomeKind[];
  /** Asked when the run begins: a server that was started anew has another address. */
  servers(): readonly { readonly adapter: Adapter; readonly server: RunningServer }[];
  empty(): Promise<void>;
  check(): Promise<readonly string[]>;
}

/** `apply` of a dump, with its report compared with what the dump holds. */
export function ourRestore({ name = OURS, run, dump, options = [], ...wanted }: Restore): Contestant {
  const { outcomes = ["restored"], ...target } = wanted;
  const report = join(run.state, "report.json");
  return {
    name,
    async before() {
      await rm(run.state, { recursive: true, force: true });
      await mkdir(run.state);
      await target.empty();
    },
    command() {
      const endpoints = target.servers().flatMap(({ adapter, server }) => [ENDPOINT_OPTIONS[adapter], server.endpoint]);
      return ourCommand(["apply", dump.path, ...endpoints, ...options, "--progress", "none", "--report", report], run);
    },
    after: async () => [...(await wrongInReport(report, dump.generated.records, outcomes)), ...(await target.check())],
  };
}

async function wrongInReport(path: string, records: number, outcomes: readonly OutcomeKind[]): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return ["it wrote no report"];
  const { totals } = JSON.parse(text) as { readonly totals: Readonly<Record<string, number>> };
  const counted = outcomes.reduce((sum, outcome) => sum + (totals[outcome] ?? 0), 0);
  return counted === records ? [] : [`its report counts ${counted} of ${records} as ${outcomes.join(" or ")}`];
}
