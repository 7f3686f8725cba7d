/**
 * Writes records into Redis, Redis Cluster, Valkey and elastickv.
 *
 * A record's value, condition and expiry are one atomic step wherever the target has a way; the few places where it has
 * none are named in the capabilities' fallbacks. Nothing is resent that could be applied twice.
 *
 * It does not promise to keep other writers away, nor that a server which restarts keeps what it acknowledged: that is
 * told by `incarnation`, and the scope is written again.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome, OutcomeKind } from "../../model/outcome.js";
import type { RedisRecord, SentRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import { present } from "../../support/present.js";
import { SpillingSet } from "../../support/spilling-set.js";
import { type CallStats, Calls } from "../calls.js";
import {
  type Capabilities,
  type EndAtStop,
  NO_NOTES,
  type Replayer,
  type ReplayerContext,
  type ScopeNotes,
  stoppedBy,
} from "../replayer.js";
import type { Verifier } from "../verifier.js";
import { classifyRedisError } from "./classify-error.js";
import { ClusterNodes } from "./cluster-nodes.js";
import { ClusterWire } from "./cluster-wire.js";
import { RedisVerifier } from "./compare/verifier.js";
import type { WriteContext } from "./context.js";
import { Database } from "./database.js";
import { askLongestValue, foreseeRecord } from "./foresee/foresee.js";
import { lossesOf } from "./foresee/losses.js";
import { ServerIdentity } from "./identity.js";
import { markerKeys } from "./own-keys.js";
import type { PlainEnds } from "./plain.js";
import { type Abilities, probeRedis, unreachable } from "./probe.js";
import { probeCluster } from "./probe-cluster.js";
import type { RemapSink } from "./remap.js";
import { deleteOthers, flush, inspectDatabase, removeKeys, removeStreams } from "./scope.js";
import { inOrder } from "./side-by-side.js";
import { SingleWire } from "./single-wire.js";
import { parseRedisUrl, type RedisAccess, type RedisAddress } from "./target-url.js";
import { removeWhole } from "./temporary.js";
import { discardBegun, writeRecord } from "./write-record.js";

export interface RedisTarget {
  /** `redis://`, `rediss://`, the two with `+cluster` and several hosts, or `unix:///path`, with user and password. A database number in it is ignored here. */
  readonly url: string;
  /** User, password and TLS settings that the URL does not carry. */
  readonly access?: RedisAccess;
  /** Silence while an answer is due after which a connection counts as lost. Default 60,000. */
  readonly silenceMs?: number;
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
/** How long a server may be out of reach before anything was asked of it. */
const REACH_MS = 5_000;
const CONCURRENCY = 4;
/** Records of one batch that are under way at once. */
const SIDE_BY_SIDE = 100;

/** Records that end without a key. */
const NO_KEYS: ReadonlySet<OutcomeKind | undefined> = new Set<OutcomeKind>(["skipped-expired", "skipped-empty"]);

const NOT_WRITTEN: ReadonlySet<OutcomeKind | undefined> = new Set<OutcomeKind>(["rejected", "failed"]);

/** What a per-key replace has to know of a scope at its end. */
interface Replacing {
  readonly keep: SpillingSet;
  /** Some of the dump's keys cannot be known, so any key of the target may be one of them. */
  keepsAll: boolean;
  /** Earlier processes of the job wrote keys that this one has not met. */
  isPartial: boolean;
}

/** Notes of keys that a replace key by key must not delete: `spare:` and base64. */
const SPARE = "spare:";
const SPARE_ALL = "spare:*";

class RedisReplayer implements Replayer<"redis"> {
  readonly adapter = "redis";
  readonly #target: RedisTarget;
  readonly #context: ReplayerContext;
  readonly #address: RedisAddress;
  readonly #calls: Calls;
  readonly #databases = new Map<number, Database>();
  readonly #identity = new ServerIdentity();
  readonly #replacing = new Map<number, Replacing>();
  readonly #ownRecords = new Map<number, () => AsyncIterable<RedisRecord>>();
  /** Databases that were emptied by a server which leaves some keys. */
  readonly #leftovers = new Set<number>();
  readonly verifier: Verifier<"redis">;
  #abilities: Promise<Abilities> | undefined;
  /** Set once they are learnt. */
  #known: Abilities | undefined;
  #longestValue: Promise<number> | undefined;
  /** Set where the target is a cluster. */
  #cluster: ClusterNodes | undefined;
  #reaching: SingleWire | undefined;
  #isClosed = false;

  constructor(target: RedisTarget, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    this.#address = parseRedisUrl(target.url, target.access, target.silenceMs);
    const endpoint = this.#address.label;
    this.#calls = new Calls({
      adapter: "redis",
      endpoint,
      clock: context.clock,
      maxRetryTimeMs: context.maxRetryTimeMs,
      pacer: context.pacer,
      classify: (error, operation) => classifyRedisError(error, operation, { endpoint }),
      ...present({ signal: context.signal, writeSignal: context.writeSignal }),
    });
    this.verifier = new RedisVerifier({
      batch: BATCH,
      abilities: () => this.#asked(),
      contextOf: (scope) => this.#writeContext(scope),
      targetOf: (scope) => this.#targetOf(scope),
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
    this.#ownRecords.set(scope.targetDatabase, ownRecords);
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
    const keep = new SpillingSet(this.#context.workDirectory);
    this.#replacing.set(scope.targetDatabase, { keep, keepsAll: false, isPartial: false });
    return NO_NOTES;
  }

  async write(scope: DatabaseScope, batch: readonly SentRecord<"redis">[]): Promise<Outcome[]> {
    const context = await this.#writeContext(scope);
    const ends = new Ends(batch.length);
    await ends.unlessFailed(async () => await this.#database(scope).plain.write(context, batch, ends));
    await sideBySide(ends, async (i) => await writeRecord(context, batch[i] as SentRecord<"redis">, ends.lost[i]));
    const { outcomes } = ends;
    // An expired key and an empty collection are no keys: in a replace, what the target has under their name goes.
    const isKey = (i: number): boolean => !NO_KEYS.has(outcomes[i]?.kind);
    const keep = this.#replacing.get(scope.targetDatabase)?.keep;
    if (keep !== undefined) for (const { key } of batch.filter((_, i) => isKey(i))) keep.add(key);
    for (const [i, { kind, key }] of batch.entries()) {
      // At fault, perhaps: those that were judged before are spared by whoever reads them.
      if (kind === "unjudged" && NOT_WRITTEN.has(outcomes[i]?.kind)) await this.spare(scope, key);
    }
    const others = this.#leftovers.has(scope.targetDatabase) ? batch.filter((_, i) => !isKey(i)) : [];
    if (others.length > 0)
      await context.link.command(
        "DEL",
        others.map(({ key }) => key),
      );
    if (ends.failure !== undefined) throw stoppedBy(ends.failure.error, ends.known());
    return batch.map((_, i) => outcomes[i] as Outcome);
  }

  async spare(scope: DatabaseScope, key: Buffer | undefined): Promise<void> {
    const replacing = this.#replacing.get(scope.targetDatabase);
    if (replacing === undefined) return;
    if (key === undefined) replacing.keepsAll = true;
    else replacing.keep.add(key);
    // A process that takes the job up does not read the faulty record again.
    await this.#context.notebook.note(scope, key === undefined ? SPARE_ALL : `${SPARE}${key.toString("base64")}`, "");
  }

  async reopen(scope: DatabaseScope, takeover: "create" | "empty" | "keep"): Promise<ScopeNotes> {
    if (takeover !== "empty") return NO_NOTES;
    const { abilities } = await this.#targetOf(scope);
    if (this.#target.replaceStrategy === "per-key") {
      this.#replacing.set(scope.targetDatabase, {
        keep: new SpillingSet(this.#context.workDirectory),
        keepsAll: false,
        isPartial: true,
      });
    } else if (!abilities.flushesAll) this.#leftovers.add(scope.targetDatabase);
    return NO_NOTES;
  }

  async finish(scope: DatabaseScope): Promise<ScopeNotes> {
    const target = await this.#targetOf(scope);
    await this.#removeMarkers(target);
    const warnings: string[] = [];
    const replacing = this.#replacing.get(scope.targetDatabase);
    if (replacing?.isPartial === true) await this.#learnAll(scope, replacing);
    if (replacing?.keepsAll === true) {
      warnings.push("keys that the dump lacks were not deleted, because not all of the dump's keys could be known");
    } else if (replacing !== undefined) {
      const settled = await deleteOthers(target, {
        spares: (key) => replacing.keep.has(key),
        selects: this.#target.selects ?? (() => true),
        ...present({ signal: this.#context.signal }),
      });
      if (!settled) {
        warnings.push("slots moved while keys were listed, so some that the dump lacks may have been left");
      }
    }
    return { warnings };
  }

  /** The keys that earlier processes of the job wrote or spared stay as well. */
  async #learnAll(scope: DatabaseScope, replacing: Replacing): Promise<void> {
    const { notebook, policy } = this.#context;
    for await (const record of this.#ownRecords.get(scope.targetDatabase)?.() ?? []) {
      const isEmpty = record.kind === "collection" && record.count === 0;
      if (!isEmpty && policy.expiryOf(record.expireAtMs).kind !== "skip") replacing.keep.add(record.key);
    }
    for (const name of notebook.find(scope, SPARE).keys()) {
      if (name === SPARE_ALL) replacing.keepsAll = true;
      else replacing.keep.add(Buffer.from(name.slice(SPARE.length), "base64"));
    }
    replacing.isPartial = false;
  }

  /** A connection of its own that broke since tells of a restart only when it is made again. */
  async incarnation(scope: DatabaseScope): Promise<string | undefined> {
    const { link } = await this.#targetOf(scope);
    for (const shard of await link.shards()) await link.at(shard).command("PING", []);
    const processes = String(this.#identity);
    return processes === "" ? undefined : processes;
  }

  async discard(scope: DatabaseScope, record: SentRecord<"redis">): Promise<void> {
    const context = await this.#writeContext(scope);
    await discardBegun(context, record.key);
  }

  async abandon(scope: DatabaseScope): Promise<ScopeNotes> {
    await this.#removeMarkers(await this.#targetOf(scope));
    return NO_NOTES;
  }

  async #removeMarkers(target: Pick<WriteContext, "abilities" | "link">): Promise<void> {
    if (!this.#appends()) return;
    const { link, abilities } = target;
    const keys = markerKeys(this.#context.policy.jobId, link.clustered);
    if (abilities.deleteLimit === undefined) await removeKeys(link, "DEL", keys);
    else for (const key of keys) await removeWhole(target, key);
  }

  async foresee(
    scope: DatabaseScope,
    batch: readonly RedisRecord[],
    takeover: "create" | "empty" | "keep",
  ): Promise<Outcome[]> {
    const context = await this.#writeContext(scope);
    const longestValue = () => (this.#longestValue ??= askLongestValue(context.link));
    const foreseeing = { context, isEmptied: takeover !== "keep", longestValue };
    return await inOrder(batch, async (record) => await foreseeRecord(foreseeing, record));
  }

  async losses(scope: DatabaseScope): Promise<readonly string[]> {
    return await lossesOf(await this.#targetOf(scope));
  }

  /** @throws RestoreError also where streams may have stayed that nobody can name */
  async remove(scope: DatabaseScope): Promise<void> {
    const target = await this.#targetOf(scope);
    await flush(target.link);
    if (!target.abilities.flushesAll) await removeStreams(target, scope, this.#ownRecords.get(scope.targetDatabase));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#closeConnections();
    for (const { keep } of this.#replacing.values()) keep.close();
    this.#replacing.clear();
    return Promise.resolve();
  }

  #closeConnections(): void {
    this.#reaching?.close();
    for (const database of this.#databases.values()) database.close();
    this.#databases.clear();
  }

  #appends(): boolean {
    const { policy } = this.#context;
    return policy.actionFor("list") === "append" || policy.actionFor("stream") === "append";
  }

  #emptying(): "none" | "flush" | "per-key" {
    return this.#target.empties === true ? (this.#target.replaceStrategy ?? "flush") : "none";
  }

  async #learnt(): Promise<Abilities> {
    this.#abilities ??= this.#learn().catch((error: unknown) => {
      this.#abilities = undefined;
      throw error;
    });
    this.#known = await this.#abilities;
    return this.#known;
  }

  #asked(): Abilities {
    if (this.#known === undefined) throw new RestoreError("INTERNAL", "the target was not asked yet what it can do");
    return this.#known;
  }

  /** Whoever named a server that is not there does not wait long to hear of it; one that is loading is there. */
  async #reach(): Promise<void> {
    const wire = new SingleWire({ address: this.#address, database: 0, identity: this.#identity });
    this.#reaching = wire;
    const { link } = new Database({ wire, calls: this.#calls.within(REACH_MS), scope: "db_0" });
    try {
      await link.command("PING", []);
    } catch (error) {
      // Asked again, it would be waited for again.
      if (error instanceof RestoreError && error.code === "TARGET_UNREACHABLE") throw error;
      // What else there is to say of it is found when it is asked what it can do.
      if (!(error instanceof RestoreError) || error.code !== "OUTAGE") return;
      if (!(error.cause instanceof RestoreError) || error.cause.code !== "THROTTLED") throw unreachable(error);
    } finally {
      wire.close();
    }
  }

  /** An address that turns out to be a cluster's node is taken for the cluster's name. */
  async #learn(): Promise<Abilities> {
    const probing = { endpoint: this.endpoint, emptying: this.#emptying() };
    if (!this.#address.cluster) {
      await this.#reach();
      const abilities = await probeRedis(this.#databaseNumber(0, "db_0").link, probing);
      if (!abilities.clustered) return abilities;
      if (this.#address.seeds.length === 0) throw this.#clusterBySocket();
      this.#closeConnections();
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
      notebook: this.#context.notebook,
      workDirectory: this.#context.workDirectory,
      ...(this.#target.remaps === undefined ? {} : { remaps: this.#target.remaps }),
    };
  }

  #database(scope: DatabaseScope): Database {
    return this.#databaseNumber(scope.targetDatabase, scope.name);
  }

  /** @throws RestoreError INTERRUPTED once it was closed: who asks then was left behind, and would keep a connection open */
  #databaseNumber(database: number, scope: string): Database {
    if (this.#isClosed) throw new RestoreError("INTERRUPTED", "the connections were closed", { retry: "fatal" });
    const known = this.#databases.get(database);
    if (known !== undefined) return known;
    const wire =
      this.#cluster === undefined
        ? new SingleWire({ address: this.#address, database, identity: this.#identity })
        : new ClusterWire(this.#cluster);
    const opened = new Database({ wire, calls: this.#calls.forWrites(), scope });
    this.#databases.set(database, opened);
    return opened;
  }
}

/** What became of a batch's records, in their order. */
class Ends implements PlainEnds {
  readonly outcomes: (Outcome | undefined)[];
  readonly sent: boolean[];
  readonly lost: (RestoreError | undefined)[] = [];
  /** The first error that was no record's own. */
  failure: { readonly error: unknown } | undefined;

  constructor(count: number) {
    this.outcomes = new Array<Outcome | undefined>(count).fill(undefined);
    this.sent = new Array<boolean>(count).fill(false);
  }

  async unlessFailed(work: () => Promise<void>): Promise<void> {
    try {
      if (this.failure === undefined) await work();
    } catch (error) {
      this.failure ??= { error };
    }
  }

  known(): EndAtStop[] {
    return this.outcomes.map((outcome, i) => outcome ?? (this.sent[i] === true ? "unknown" : "not-sent"));
  }
}

/** Writes those that have no outcome yet. Begins none after an error; waits for all that have begun. */
async function sideBySide(ends: Ends, run: (i: number) => Promise<Outcome>): Promise<void> {
  const open = ends.outcomes.flatMap((outcome, i) => (outcome === undefined ? [i] : []));
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < open.length && ends.failure === undefined) {
      const i = open[begun++] as number;
      ends.sent[i] = true;
      await ends.unlessFailed(async () => {
        ends.outcomes[i] = await run(i);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, open.length) }, lane));
}
