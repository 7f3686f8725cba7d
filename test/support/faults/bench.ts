/**
 * Restores of one adapter's part of a dump by the command line, through a proxy that disturbs them: what each run said,
 * and what it left on the target.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Adapter } from "../../../src/model/scope.js";
import { startDynamoDbLocal } from "../../../testcontainers/dynamodb-local.js";
import { startElasticMq } from "../../../testcontainers/elasticmq.js";
import { startMinio } from "../../../testcontainers/minio.js";
import { startRedis } from "../../../testcontainers/redis.js";
import type { RunningServer } from "../../../testcontainers/server.js";
import { DUMP_FILES } from "../crash/dump.js";
import { type Held, type Place, placeOf } from "../crash/places.js";
import { temporaryDump } from "../dump-builder.js";
import { CLI_ENVIRONMENT } from "../four-servers.js";
import { type CliResult, runCliWithReport, type WrittenReport } from "../run-cli.js";
import { TargetState } from "../target-state.js";
import { httpAnswer, redisAnswer } from "./answers.js";
import type { Fault } from "./fault.js";
import { startHttpProxy } from "./http-proxy.js";
import { startRedisFaultProxy } from "./redis-proxy.js";

export type Mode = "none" | "merge" | "skip-existing";

/** A request, as far as all protocols know it. */
export interface Passing {
  /** How many came before it in this trial. */
  readonly index: number;
  /** `EVAL`, `BatchWriteItem`, `PUT /bucket/key`. */
  readonly name: string;
}

/** A fault, or an answer by its name in `answers.ts`. */
export type Trouble = Fault | { readonly answered: string };

export type Troubling = (request: Passing) => Trouble;

export interface Ended extends CliResult {
  readonly report: WrittenReport | undefined;
}

/** One target and job of its own. */
export interface Trial {
  apply(maxRetryTime?: string): Promise<Ended>;
  /** Takes the job up that `apply` left. */
  resume(): Promise<Ended>;
  /** What the proxy does from now on. */
  disturb(troubling: Troubling): void;
  /** Names of the requests since `disturb`. */
  readonly requests: readonly string[];
  /** All that stands on the target. Takes messages away. */
  held(): Promise<Held>;
  leftovers(): Promise<string[]>;
}

interface AnyProxy {
  readonly endpoint: string;
  disturb(troubling: Troubling): void;
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** Far above the time that an answer takes here. */
const SILENCE_MS = 1_500;
const MAX_RETRY_TIME = "6s";

const START: Record<Adapter, () => Promise<RunningServer>> = {
  redis: startRedis,
  dynamodb: startDynamoDbLocal,
  s3: startMinio,
  sqs: startElasticMq,
};
/** A restore's own options: large objects go in parts. */
const OPTIONS: Record<Adapter, readonly string[]> = {
  redis: [],
  dynamodb: [],
  s3: ["--multipart-threshold", "5MiB"],
  sqs: [],
};
const ENDPOINT_OPTION: Record<Adapter, string> = {
  redis: "--redis-url",
  dynamodb: "--dynamodb-endpoint",
  s3: "--s3-endpoint",
  sqs: "--sqs-endpoint",
};

export interface FaultBench {
  readonly adapter: Adapter;
  /** Seeds a target of its own where the mode takes one that holds records, and removes it after `use`. */
  trial<T>(mode: Mode, use: (trial: Trial) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Starts the adapter's server and a proxy before it. */
export async function startFaultBench(adapter: Adapter): Promise<FaultBench> {
  const server = await START[adapter]();
  const proxy = await startProxy(adapter, server.endpoint);
  const files = Object.entries(DUMP_FILES).filter(([path]) => path.startsWith(`${adapter}/`));
  const dump = await temporaryDump({ files: Object.fromEntries(files) });
  // The other three are never asked.
  const servers = { redis: server, dynamodb: server, s3: server, sqs: server, options: [], stop: () => server.stop() };
  const target = new TargetState(servers);
  let trials = 0;
  return {
    adapter,
    trial: async (mode, use) => {
      const number = ++trials;
      const place = placeOf(adapter, target, servers, { slot: 0, round: `${process.pid}-${number}` });
      const state = await mkdtemp(join(tmpdir(), "elastickv-restore-faults-"));
      if (mode !== "none") await place.seed();
      const how = mode === "none" ? [] : ["--mode", mode];
      const where = [ENDPOINT_OPTION[adapter], proxy.endpoint, ...place.options];
      try {
        return await use(trialOf({ argv: [dump.path, ...how, ...where, ...OPTIONS[adapter]], state, place, proxy }));
      } finally {
        proxy.disturb(() => "pass");
        await place.remove();
        await rm(state, { recursive: true, force: true });
      }
    },
    stop: async () => {
      target.close();
      await proxy.stop();
      await server.stop();
      await dump.remove();
    },
  };
}

interface TrialInit {
  readonly argv: readonly string[];
  readonly state: string;
  readonly place: Place;
  readonly proxy: AnyProxy;
}

function trialOf({ argv, state, place, proxy }: TrialInit): Trial {
  const env = { ...CLI_ENVIRONMENT, XDG_STATE_HOME: state };
  const run = async (words: readonly string[], maxRetryTime = MAX_RETRY_TIME) => {
    const options = ["--max-retry-time", maxRetryTime, "--progress", "none"];
    return await runCliWithReport([...words, ...options], env, { silenceMs: SILENCE_MS });
  };
  return {
    apply: async (maxRetryTime) => await run(["apply", ...argv], maxRetryTime),
    resume: async () => await run(["resume"]),
    disturb: (troubling) => proxy.disturb(troubling),
    get requests() {
      return proxy.requests;
    },
    held: () => place.held(),
    leftovers: () => place.leftovers(),
  };
}

async function startProxy(adapter: Adapter, target: string): Promise<AnyProxy> {
  return adapter === "redis" ? await redisProxy(target) : await httpProxy(adapter, target);
}

async function redisProxy(target: string): Promise<AnyProxy> {
  const proxy = await startRedisFaultProxy(target);
  return {
    endpoint: proxy.endpoint,
    disturb: (troubling) =>
      proxy.follow((request) => {
        const trouble = troubling(request);
        return typeof trouble === "object" && "answered" in trouble ? redisAnswer(trouble.answered) : trouble;
      }),
    get requests() {
      return proxy.requests.map(({ name }) => name);
    },
    stop: () => proxy.stop(),
  };
}

async function httpProxy(adapter: Exclude<Adapter, "redis">, target: string): Promise<AnyProxy> {
  const proxy = await startHttpProxy(target);
  const nameOf = ({ operation, line }: { readonly operation: string; readonly line: string }) =>
    operation === "" ? line.replaceAll(/-\d+-\d+(?=[/?]|$)/g, "") : operation;
  return {
    endpoint: proxy.endpoint,
    disturb: (troubling) =>
      proxy.follow((request) => {
        const trouble = troubling({ index: request.index, name: nameOf(request) });
        if (typeof trouble !== "object" || !("answered" in trouble)) return trouble;
        return httpAnswer(adapter, trouble.answered, request);
      }),
    get requests() {
      return proxy.requests.map(nameOf);
    },
    stop: () => proxy.stop(),
  };
}
