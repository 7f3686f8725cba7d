/** One Redis server of a contract, with replayers on it and a look at what they did. */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";

import type { Outcome } from "../../../src/model/outcome.js";
import type { RedisRecord } from "../../../src/model/record.js";
import type { DatabaseScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import { inMemory } from "../plain-records.js";
import { databaseScope } from "../redis-records.js";
import { type RestoreOptions, replayerFor, words } from "../redis-restore.js";
import { started } from "./contract-server.js";
import type { RedisServer } from "./redis.js";
import type { RedisView } from "./redis-view.js";

export type ScopedOptions = RestoreOptions & { readonly scope?: DatabaseScope };

export class RedisBench {
  readonly #server: RedisServer;
  readonly #endpoint: () => string;
  readonly #open: Replayer<"redis">[] = [];
  readonly #onlookers: Redis[] = [];
  #view: RedisView | undefined;
  #jobs = 0;

  /** Registers hooks that start the server, and empty it before each test. */
  constructor(server: RedisServer) {
    this.#server = server;
    const running = started(server);
    this.#endpoint = () => running().endpoint;
    beforeAll(() => {
      this.#view = server.view(running().endpoint);
    });
    beforeEach(() => this.view.clear());
    afterEach(() => this.#closeOpened());
    afterAll(() => this.#view?.client.disconnect());
  }

  get view(): RedisView {
    if (this.#view === undefined) throw new Error("the server is not up yet");
    return this.#view;
  }

  get endpoint(): string {
    return this.#endpoint();
  }

  /** A client to set up and to look. */
  get redis(): Redis {
    return this.view.client;
  }

  /** All keys, sorted: nothing temporary may be left. */
  async keys(): Promise<string[]> {
    return await this.view.keys();
  }

  /** Closed after the test, if not before. */
  replayerFor(options: RestoreOptions = {}): Replayer<"redis"> {
    const jobId = options.jobId ?? (++this.#jobs).toString(16).padStart(16, "c");
    const target = { ...this.#server.target, ...options.target };
    const replayer = replayerFor(this.endpoint, { ...options, jobId, target });
    const { write } = replayer;
    replayer.write = async (scope, records: readonly RedisRecord[]) => {
      this.view.willHold?.(jobId, records);
      const handed = this.#server.inMemory === true ? await Promise.all(records.map(handedOver)) : records;
      return await write.call(replayer, scope, handed);
    };
    this.#open.push(replayer);
    return replayer;
  }

  /** Writes records with a replayer of their own and returns their outcomes. */
  async restore(records: readonly RedisRecord[], options: ScopedOptions = {}): Promise<Outcome[]> {
    const replayer = this.replayerFor(options);
    const scope = options.scope ?? databaseScope();
    const outcomes = await replayer.write(scope, records);
    await replayer.finish(scope);
    return outcomes;
  }

  /** The outcomes as `kind` or `kind/reason`. */
  async run(records: readonly RedisRecord[], options?: ScopedOptions): Promise<string[]> {
    return words(await this.restore(records, options));
  }

  async expectExpiry(key: string, at: number): Promise<void> {
    const [found, tolerance] = [await this.view.expiryOf(key), this.view.expiryToleranceMs];
    const beside = Math.abs(found - at);
    expect(beside, `${key} expires at ${found} instead of ${at}`).toBeLessThanOrEqual(tolerance);
  }

  /** A client of another database, closed after the test. */
  onlooker(database: number): Redis {
    const client = this.view.onlooker(database);
    this.#onlookers.push(client);
    return client;
  }

  async #closeOpened(): Promise<void> {
    for (const client of this.#onlookers.splice(0)) client.disconnect();
    for (const replayer of this.#open.splice(0)) await replayer.close();
  }
}

/** In memory, where a reader would have it there. */
async function handedOver(record: RedisRecord): Promise<RedisRecord> {
  switch (record.kind) {
    case "string":
      return await inMemory(record);
    case "collection":
    case "stream":
      return record.count <= CHUNK ? await inMemory(record) : record;
    case "hll":
      return record;
  }
}

const CHUNK = 1_000;
