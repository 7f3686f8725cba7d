/**
 * Where each adapter's records go, and the replayers that take them there. The only place that knows all four.
 */
import { RestoreError } from "../errors/restore-error.js";
import type { WritePolicy } from "../model/policy.js";
import type { Adapter, Scope } from "../model/scope.js";
import type { AwsOptions } from "../replayers/aws-client.js";
import type { Pacer } from "../replayers/calls.js";
import type { RedisTarget } from "../replayers/redis/replayer.js";
import { parseRedisUrl } from "../replayers/redis/target-url.js";
import type { Capabilities, Notebook, Replayer, ReplayerContext } from "../replayers/replayer.js";
import type { S3Target } from "../replayers/s3/replayer.js";
import type { SqsTarget } from "../replayers/sqs/replayer.js";
import type { Clock } from "../support/clock.js";
import type { RunControl } from "./control.js";
import { pacersFor } from "./limits.js";
import type { RateLimits } from "./rates.js";
import { remapFiles } from "./remap-files.js";

/** Where a setting came from, for people: `--s3-endpoint`, `AWS_ENDPOINT_URL_S3`, `target "staging"`. */
export interface Origin {
  readonly origin: string;
}

export interface TargetSettings {
  readonly dynamodb?: AwsOptions & Origin;
  readonly s3?: S3Target & Origin;
  readonly sqs?: Omit<SqsTarget, "targetNameOf"> & Origin;
  /** `database`: the number in the URL, which renames the dump's only database. */
  readonly redis?: Pick<RedisTarget, "url" | "access" | "replaceStrategy" | "silenceMs"> &
    Origin & { readonly database?: number };
}

const ENDPOINT_OPTION: Record<Adapter, string> = {
  dynamodb: "--dynamodb-endpoint URL|aws",
  s3: "--s3-endpoint URL|aws",
  redis: "--redis-url URL",
  sqs: "--sqs-endpoint URL|aws",
};

/** @throws RestoreError ENDPOINT_MISSING naming the option of every adapter that lacks one */
export function assertEndpoints(adapters: Iterable<Adapter>, targets: TargetSettings): void {
  const missing = [...adapters].filter((adapter) => targets[adapter] === undefined);
  if (missing.length === 0) return;
  throw new RestoreError("ENDPOINT_MISSING", `no endpoint for the dump's ${missing.join(", ")} data`, {
    hint: `Give ${missing.map((adapter) => ENDPOINT_OPTION[adapter]).join(" and ")}, or leave data out with --adapter.`,
  });
}

/** Each adapter's endpoint without secrets, as replayers call it. */
export function endpointLabels(targets: TargetSettings, adapters: ReadonlySet<Adapter>): Record<string, string> {
  const { redis } = targets;
  const aws = (["dynamodb", "s3", "sqs"] as const).flatMap((adapter) => {
    const target = targets[adapter];
    return target === undefined ? [] : [[adapter, awsLabel(target)] as const];
  });
  const all = redis === undefined ? aws : [...aws, ["redis", parseRedisUrl(redis.url).label] as const];
  return Object.fromEntries(all.filter(([adapter]) => adapters.has(adapter)));
}

function awsLabel({ endpoint, region }: AwsOptions): string {
  return "aws" in endpoint ? `AWS ${region ?? "in its default region"}` : endpoint.url;
}

export interface ReplayersInit {
  readonly targets: TargetSettings;
  readonly policy: WritePolicy;
  readonly clock: Clock;
  readonly limits: RateLimits;
  readonly maxRetryTimeMs: number;
  readonly concurrency: { readonly [A in Adapter]?: number };
  readonly control?: RunControl;
  readonly signal?: AbortSignal;
  readonly writeSignal: AbortSignal;
  readonly notebook: Notebook;
  readonly targetName: (adapter: Adapter, name: string) => string;
  readonly selectsKey: (displayKey: string) => boolean;
  /** Whether the mode may empty scopes. */
  readonly empties: boolean;
  /** Whether records go through a transform. */
  readonly transforms: boolean;
  readonly dumpPath: string;
  /** Takes what does not fit into memory. */
  readonly workDirectory: string;
  /** Where remap files go instead of beside the dump's streams. */
  readonly remapDirectory?: string;
}

/** One replayer an adapter, not yet connected. */
export class Replayers {
  readonly #byAdapter: ReadonlyMap<Adapter, Replayer>;
  readonly #pacerOf: (adapter: Adapter) => Pacer;
  readonly #control: RunControl | undefined;

  private constructor(
    byAdapter: ReadonlyMap<Adapter, Replayer>,
    pacerOf: (adapter: Adapter) => Pacer,
    control: RunControl | undefined,
  ) {
    this.#byAdapter = byAdapter;
    this.#pacerOf = pacerOf;
    this.#control = control;
  }

  static async create(adapters: Iterable<Adapter>, init: ReplayersInit): Promise<Replayers> {
    const pacerOf = pacersFor(init.limits, init.clock, init.control);
    const contextFor = (adapter: Adapter): ReplayerContext => ({
      policy: init.policy,
      clock: init.clock,
      pacer: pacerOf(adapter),
      maxRetryTimeMs: init.maxRetryTimeMs,
      workDirectory: init.workDirectory,
      ...(init.concurrency[adapter] === undefined ? {} : { concurrency: init.concurrency[adapter] }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
      writeSignal: init.writeSignal,
      notebook: init.notebook,
    });
    const made = [...adapters].map(
      async (adapter) => [adapter, await createReplayer(adapter, init, contextFor(adapter))] as const,
    );
    return new Replayers(new Map(await Promise.all(made)), pacerOf, init.control);
  }

  /** The replayer of the scope's adapter. */
  of(scope: Pick<Scope, "adapter">): Replayer {
    const replayer = this.#byAdapter.get(scope.adapter);
    if (replayer === undefined) throw new RestoreError("INTERNAL", `no replayer for ${scope.adapter}`);
    return replayer;
  }

  /**
   * What is learnt of the target, with batches no larger than the limits let requests be. Both and how many are under way
   * at once follow the limits: they are to be asked anew for every batch.
   */
  async probe(replayer: Replayer): Promise<Capabilities> {
    const capabilities = await replayer.probe();
    const pacer = this.#pacerOf(replayer.adapter);
    const control = this.#control;
    return {
      ...capabilities,
      get batch() {
        const { ops, bytes } = pacer.portion;
        const { batch } = capabilities;
        return { ...batch, records: Math.min(batch.records, ops), bytes: Math.min(batch.bytes, bytes) };
      },
      get concurrency() {
        return control?.concurrencyOf(replayer.adapter) ?? capabilities.concurrency;
      },
    };
  }

  all(): Replayer[] {
    return [...this.#byAdapter.values()];
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((replayer) => replayer.close()));
  }
}

/** SDKs are loaded here, and only those that are used: each takes longer than a small restore. */
async function createReplayer(adapter: Adapter, init: ReplayersInit, context: ReplayerContext): Promise<Replayer> {
  const { dynamodb, s3, sqs, redis } = init.targets;
  if (adapter === "dynamodb" && dynamodb !== undefined) {
    const { createDynamoDbReplayer } = await import("../replayers/dynamodb/replayer.js");
    return erased(createDynamoDbReplayer(dynamodb, context));
  }
  if (adapter === "s3" && s3 !== undefined) {
    const { createS3Replayer } = await import("../replayers/s3/replayer.js");
    return erased(createS3Replayer(s3, context));
  }
  if (adapter === "sqs" && sqs !== undefined) {
    const targetNameOf = (queue: string) => init.targetName("sqs", queue);
    // Made ids stay a record's own also where a transform answers otherwise at a second reading, or makes bodies alike.
    const fifoDedup = init.transforms ? "record" : "original";
    const { createSqsReplayer } = await import("../replayers/sqs/replayer.js");
    return erased(createSqsReplayer({ fifoDedup, ...sqs, targetNameOf }, context));
  }
  if (adapter === "redis" && redis !== undefined) {
    const remaps = remapFiles({ dumpPath: init.dumpPath, directory: init.remapDirectory, jobId: init.policy.jobId });
    const { createRedisReplayer } = await import("../replayers/redis/replayer.js");
    return erased(createRedisReplayer({ ...redis, selects: init.selectsKey, remaps, empties: init.empties }, context));
  }
  throw new RestoreError("INTERNAL", `no target for ${adapter}`);
}

/** The engine pairs scopes and records with the replayer of their adapter, which the type cannot say. */
function erased<A extends Adapter>(replayer: Replayer<A>): Replayer {
  return replayer as unknown as Replayer;
}
