/**
 * Writes records into Redis, Redis Cluster, Valkey and elastickv.
 *
 * A record's value, condition and expiry are one atomic step wherever the target has a way; the few places where it has
 * none are named in the capabilities' fallbacks. Nothing is resent that could be applied twice.
 *
 * It does not promise to keep other writers away, nor that a server which restarts keeps what it acknowledged: that is
 * told by `mayHaveLost`, and the scope has to be written again.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome, OutcomeKind } from "../../model/outcome.js";
import type { RedisRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import { present } from "../../support/present.js";
import { SpillingSet } from "../../support/spilling-set.js";
import { type CallStats, Calls } from "../calls.js";
import { type Capabilities, NO_NOTES, type Replayer, type ReplayerContext, type ScopeNotes } from "../replayer.js";
import { classifyRedisError } from "./classify-error.js";
import { ClusterNodes } from "./cluster-nodes.js";
import { ClusterWire } from "./cluster-wire.js";
import type { WriteContext } from "./context.js";
import { Database } from "./database.js";
import { ServerIdentity } from "./identity.js";
import { markerKeys } from "./own-keys.js";
import { type Abilities, probeRedis } from "./probe.js";
import { probeCluster } from "./probe-cluster.js";
import type { RemapSink } from "./remap.js";
import { deleteOthers, flush, inspectDatabase, removeKeys } from "./scope.js";
import { SingleWire } from "./single-wire.js";
import { parseRedisUrl, type RedisAccess, type RedisAddress } from "./target-url.js";
import { writeRecord } from "./write-record.js";

export interface RedisTarget {
  /** `redis://`, `rediss://`, the two with `+cluster` and several hosts, or `unix:///path`, with user and password. A database number in it is ignored here. */
  readonly url: string;
  /** User, password and TLS settings that the URL does not carry. */
  readonly access?: RedisAccess;
  /** How `empty` works: FLUSHDB (default), or per key, for databases in use: what the dump lacks is deleted at the end. */
  readonly replaceStrategy?: "flush" | "per-key";
  /** Scopes may be emptied: the user needs the rights for it, which is asked beforehand. */
  readonly empties?: boolean;
  /** Keys of the run's selection; per-key deletion touches no others. */
  readonly selects?: (displayKey: string) => boolean;
  /** Where new ids of appended stream entries go. Absent: nowhere. */
  readonly remaps?: RemapSink;
}

/** @throws RestoreError CONFIG_INVALID when the URL cannot be used. Does not connect. */
export function createRedisReplayer(target: RedisTarget, context: ReplayerContext): Replayer<"redis"> {
  return new RedisReplayer(target, context);
}

const BATCH = { records: 500, bytes: 4 * 1024 * 1024 };
const CONCURRENCY = 4;
/** Records of one batch that are under way at once. */
const SIDE_BY_SIDE = 100;

/** Records that end without a key. */
const NO_KEYS: ReadonlySet<OutcomeKind | undefined> = new Set<OutcomeKind>(["skipped-expired", "skipped-empty"]);

/** What a per-key replace has to know of a scope at its end. */
interface Replacing {
  readonly keep: SpillingSet;
  /** Some of the dump's keys cannot be known, so any key of the target may be one of them. */
  keepsAll: boolean;
}

class RedisReplayer implements Replayer<"redis"> {
  readonly adapter = "redis";
  readonly #target: RedisTarget;
  readonly #context: ReplayerContext;
  readonly #address: RedisAddress;
  readonly #calls: Calls;
  readonly #databases = new Map<number, Database>();
  readonly #identity = new ServerIdentity();
  readonly #replacing = new Map<number, Replacing>();
  /** Databases that were emptied by a server which leaves some keys. */
  readonly #leftovers = new Set<number>();
  #abilities: Promise<Abilities> | undefined;
  /** Set where the target is a cluster. */
  #cluster: ClusterNodes | undefined;

  constructor(target: RedisTarget, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    this.#address = parseRedisUrl(target.url, target.access);
    const endpoint = this.#address.label;
    this.#calls = new Calls({
      adapter: "redis",
      endpoint,
      clock: context.clock,
      maxRetryTimeMs: context.maxRetryTimeMs,
      pacer: context.pacer,
      classify: (error, operation) => classifyRedisError(error, operation, { endpoint }),
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  }

  get endpoint(): string {
    return this.#address.label;
  }

  get stats(): CallStats {
    return this.#calls.stats;
  }

  async probe(): Promise<Capabilities> {
    const abilities = await this.#learnt();
    return {
      server: abilities.server,
      batch: BATCH,
      concurrency: this.#context.concurrency ?? CONCURRENCY,
      canCount: abilities.listable,
      fallbacks: abilities.fallbacks,
      ...present({ memory: abilities.memory }),
    };
  }

  async inspect(scope: DatabaseScope, ownRecords: () => AsyncIterable<RedisRecord>) {
    return await inspectDatabase(await this.#targetOf(scope), scope, ownRecords);
  }

  /** Databases are always there. */
  create(): Promise<ScopeNotes> {
    return Promise.resolve(NO_NOTES);
  }

  keep(): Promise<ScopeNotes> {
    return Promise.resolve(NO_NOTES);
  }

  async empty(scope: DatabaseScope): Promise<ScopeNotes> {
    const { link, abilities } = await this.#targetOf(scope);
    const { listable, server, flushesAll } = abilities;
    if (this.#target.replaceStrategy !== "per-key") {
      await flush(link);
      if (flushesAll) return NO_NOTES;
      this.#leftovers.add(scope.targetDatabase);
      return { warnings: [`FLUSHDB of ${server} leaves streams: those that the dump lacks are still there`] };
    }
    if (!listable) {
      throw new RestoreError("TARGET_UNFIT", `${server} cannot be listed, so keys that the dump lacks would stay`, {
        where: { adapter: "redis", scope: scope.name, endpoint: this.endpoint },
        hint: "Leave out --replace-strategy per-key.",
      });
    }
    this.#replacing.set(scope.targetDatabase, { keep: new SpillingSet(this.#context.workDirectory), keepsAll: false });
    return NO_NOTES;
  }

  async write(scope: DatabaseScope, batch: readonly RedisRecord[]): Promise<Outcome[]> {
    const context = await this.#writeContext(scope);
    const outcomes = await sideBySide(batch, async (record) => await writeRecord(context, record));
    // An expired key and an empty collection are no keys: in a replace, what the target has under their name goes.
    const isKey = (i: number): boolean => !NO_KEYS.has(outcomes[i]?.kind);
    const keep = this.#replacing.get(scope.targetDatabase)?.keep;
    if (keep !== undefined) for (const { key } of batch.filter((_, i) => isKey(i))) keep.add(key);
    const others = this.#leftovers.has(scope.targetDatabase) ? batch.filter((_, i) => !isKey(i)) : [];
    if (others.length > 0)
      await context.link.command(
        "DEL",
        others.map(({ key }) => key),
      );
    return outcomes;
  }

  spare(scope: DatabaseScope, key: Buffer | undefined): void {
    const replacing = this.#replacing.get(scope.targetDatabase);
    if (replacing === undefined) return;
    if (key === undefined) replacing.keepsAll = true;
    else replacing.keep.add(key);
  }

  async finish(scope: DatabaseScope): Promise<ScopeNotes> {
    const target = await this.#targetOf(scope);
    // A connection of its own that broke since tells of a restart only when it is made again.
    const { link } = target;
    for (const shard of await link.shards()) await link.at(shard).command("PING", []);
    if (this.#appends()) await removeKeys(link, "DEL", markerKeys(this.#context.policy.jobId, link.clustered));
    const warnings: string[] = [];
    const replacing = this.#replacing.get(scope.targetDatabase);
    if (replacing?.keepsAll === true) {
      warnings.push("keys that the dump lacks were not deleted, because not all of the dump's keys could be known");
    } else if (replacing !== undefined) {
      const settled = await deleteOthers(target, {
        spares: (key) => replacing.keep.has(key),
        selects: this.#target.selects ?? (() => true),
      });
      if (!settled) {
        warnings.push("slots moved while keys were listed, so some that the dump lacks may have been left");
      }
    } else if (this.#target.replaceStrategy === "per-key" && this.#mayReplace()) {
      // Without its beginning, this run does not know all the keys that have to stay.
      warnings.push("keys that the dump lacks were not deleted, because the run was taken up again half-way");
    }
    return { warnings };
  }

  /** A sentence when writes that were acknowledged may be gone again. */
  mayHaveLost(scope: DatabaseScope): string | undefined {
    return this.#identity.generation === 0 || !this.#databases.has(scope.targetDatabase)
      ? undefined
      : "the server was restarted or replaced during the run: what it had acknowledged before may be gone, so run the restore again or verify it";
  }

  close(): Promise<void> {
    for (const database of this.#databases.values()) database.close();
    this.#databases.clear();
    for (const { keep } of this.#replacing.values()) keep.close();
    this.#replacing.clear();
    return Promise.resolve();
  }

  #appends(): boolean {
    const { policy } = this.#context;
    return policy.actionFor("list") === "append" || policy.actionFor("stream") === "append";
  }

  #emptying(): "none" | "flush" | "per-key" {
    return this.#target.empties === true ? (this.#target.replaceStrategy ?? "flush") : "none";
  }

  #mayReplace(): boolean {
    return this.#context.policy.actionFor("string") === "put";
  }

  async #learnt(): Promise<Abilities> {
    this.#abilities ??= this.#learn().catch((error: unknown) => {
      this.#abilities = undefined;
      throw error;
    });
    return await this.#abilities;
  }

  /** An address that turns out to be a cluster's node is taken for the cluster's name. */
  async #learn(): Promise<Abilities> {
    const probing = { endpoint: this.endpoint, emptying: this.#emptying() };
    if (!this.#address.cluster) {
      const abilities = await probeRedis(this.#databaseNumber(0, "db_0").link, probing);
      if (!abilities.clustered) return abilities;
      if (this.#address.seeds.length === 0) throw this.#clusterBySocket();
      await this.close();
    }
    this.#cluster ??= new ClusterNodes(this.#address, this.#identity);
    return await probeCluster(this.#databaseNumber(0, "db_0").link, this.#cluster, probing);
  }

  #clusterBySocket(): RestoreError {
    return new RestoreError("TARGET_UNFIT", `${this.endpoint} is a node of a Redis Cluster`, {
      where: { adapter: "redis", endpoint: this.endpoint },
      hint: "Name the cluster by addresses: --redis-url redis+cluster://host:port.",
    });
  }

  /** The wire depends on what was learnt. */
  async #targetOf(scope: DatabaseScope) {
    const abilities = await this.#learnt();
    return { link: this.#database(scope).link, abilities, endpoint: this.endpoint };
  }

  async #writeContext(scope: DatabaseScope): Promise<WriteContext> {
    const { policy, clock } = this.#context;
    const abilities = await this.#learnt();
    const database = this.#database(scope);
    return {
      scope,
      endpoint: this.endpoint,
      policy,
      clock,
      abilities,
      link: database.link,
      whole: database.whole,
      generation: () => this.#identity.generation,
      sendStreamed: async (command, value, repeatable) => await database.sendStreamed(command, value, repeatable),
      ...(this.#target.remaps === undefined ? {} : { remaps: this.#target.remaps }),
    };
  }

  #database(scope: DatabaseScope): Database {
    return this.#databaseNumber(scope.targetDatabase, scope.name);
  }

  #databaseNumber(database: number, scope: string): Database {
    const known = this.#databases.get(database);
    if (known !== undefined) return known;
    const wire =
      this.#cluster === undefined
        ? new SingleWire({ address: this.#address, database, identity: this.#identity })
        : new ClusterWire(this.#cluster);
    const opened = new Database({ wire, calls: this.#calls, scope });
    this.#databases.set(database, opened);
    return opened;
  }
}

/** One outcome a record, in order. Waits for all that have begun before it throws. */
async function sideBySide<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < items.length && failures.length === 0; i = next++) {
      try {
        results[i] = await run(items[i] as T);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}
