/**
 * DynamoDB: tables and items. Items arrive exactly as they stand in the dump or not at all; table settings beyond keys,
 * indexes and throughput are not its business.
 */
import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { Outcome } from "../../model/outcome.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableSchema, TableScope } from "../../model/scope.js";
import { present } from "../../support/present.js";
import { type AwsOptions, endpointLabel, isAws } from "../aws-client.js";
import { type CallStats, Calls } from "../calls.js";
import type { Capabilities, Replayer, ReplayerContext, ScopeNotes, ScopeState } from "../replayer.js";
import type { Verifier } from "../verifier.js";
import { classifyError } from "./classify-error.js";
import { createClient, type DynamoDbClient } from "./client.js";
import { foreseeItems } from "./foresee.js";
import { BATCH_ITEMS } from "./item.js";
import { isPlainKey } from "./keys.js";
import { schemaLosses, tableLosses } from "./losses.js";
import { probeServer, SMALL_BODY_BYTES } from "./probe.js";
import { ItemReader } from "./read-items.js";
import { BATCH_OVERHEAD_BYTES, ITEM_OVERHEAD_BYTES } from "./requests.js";
import { indexDifferences, keyDifference } from "./schema-differences.js";
import { quotaWarning, schemaFault } from "./schema-limits.js";
import { createTableInput } from "./table-schema.js";
import { isProtected, PROTECTED_HINT, Tables } from "./tables.js";
import { TableVerifier } from "./verifier.js";
import { ItemWriter, type PutAction } from "./write-items.js";

export type DynamoDbTarget = AwsOptions;

const CONCURRENCY = 4;
/**
 * Requests of items without a condition that make up one batch, and may be under way at once. For several of them the
 * run waits for its journal once; and a server takes its items fastest with more requests than processors.
 */
const BATCH_REQUESTS = 4;
const SOCKETS = 32;
const PROBE_RETRY_MS = 5_000;

export function createDynamoDbReplayer(target: DynamoDbTarget, context: ReplayerContext): Replayer<"dynamodb"> {
  return new DynamoDbReplayer(target, context);
}

class DynamoDbReplayer implements Replayer<"dynamodb"> {
  readonly adapter = "dynamodb";
  readonly endpoint: string;
  readonly #aws: boolean;
  readonly #context: ReplayerContext;
  readonly #client: DynamoDbClient;
  readonly #calls: Calls;
  readonly #probeCalls: Calls;
  readonly #tables: Tables;
  readonly #writer: ItemWriter;
  readonly #reader: ItemReader;
  readonly verifier: Verifier<"dynamodb">;
  #strictNames = true;

  constructor(target: DynamoDbTarget, context: ReplayerContext) {
    this.endpoint = endpointLabel(target.endpoint, target.region);
    this.#aws = isAws(target.endpoint);
    this.#context = context;
    const concurrency = this.#concurrency;
    const maxSockets = target.maxSockets ?? Math.max(SOCKETS, concurrency);
    this.#client = createClient({ ...target, maxSockets });
    const classify = (error: unknown, operation: string) =>
      classifyError(error, operation, { adapter: this.adapter, endpoint: this.endpoint });
    const { clock, pacer, maxRetryTimeMs, signal, writeSignal } = context;
    const stopping = present({ signal, writeSignal });
    const init = { adapter: this.adapter, endpoint: this.endpoint, clock, pacer, classify, ...stopping };
    this.#calls = new Calls({ ...init, maxRetryTimeMs });
    this.#probeCalls = new Calls({ ...init, maxRetryTimeMs: Math.min(maxRetryTimeMs, PROBE_RETRY_MS) });
    this.#tables = new Tables(this.#client, this.#calls);
    const parallelPuts = Math.max(1, Math.floor(maxSockets / concurrency));
    const calls = this.#calls.forWrites();
    const parallel = { parallelBatches: this.#batchRequests, parallelPuts };
    const parts = { client: this.#client, calls, tables: this.#tables, classify, ...parallel };
    this.#writer = new ItemWriter(parts, SMALL_BODY_BYTES);
    const reading = { client: this.#client, calls: this.#calls };
    this.#reader = new ItemReader({ ...reading, parallelGets: parallelPuts });
    this.verifier = new TableVerifier({
      ...reading,
      writing: { client: this.#client, calls },
      tables: this.#tables,
      reader: this.#reader,
      parallel: parallelPuts,
      projectsAnyName: () => this.#strictNames,
      schemaFault: ({ schema }) => this.#schemaFault(schema),
    });
  }

  get stats(): CallStats {
    return this.#calls.stats;
  }

  get #concurrency(): number {
    return this.#context.concurrency ?? CONCURRENCY;
  }

  /** Whoever says how much may be under way at once gets as many requests. */
  get #batchRequests(): number {
    return this.#context.concurrency === undefined ? BATCH_REQUESTS : 1;
  }

  async probe(): Promise<Capabilities> {
    const { server, bodyBytes, strictNames } = await probeServer(this.#client, this.#probeCalls, this.#aws);
    this.#strictNames = strictNames;
    this.#writer.bodyBytes = bodyBytes;
    const isSmall = bodyBytes <= SMALL_BODY_BYTES;
    return {
      server,
      batch: {
        records: BATCH_ITEMS * this.#batchRequests,
        bytes: bodyBytes - BATCH_OVERHEAD_BYTES - BATCH_ITEMS * ITEM_OVERHEAD_BYTES,
        perRequest: BATCH_ITEMS,
      },
      concurrency: this.#concurrency,
      canCount: true,
      fallbacks: isSmall ? ["requests stay below 1 MiB, the most that this target takes: batches can be short"] : [],
    };
  }

  async inspect(scope: TableScope): Promise<ScopeState> {
    this.#assertName(scope);
    const table = await this.#find(scope);
    const quota = this.#aws ? quotaWarning(scope.schema) : undefined;
    const warnings = quota === undefined ? [] : [quota];
    const unmakeable = this.#unmakeable(scope, table);
    if (table === undefined) return { presence: "absent", ...unmakeable, warnings };
    const [holdsItems, losses] = await Promise.all([
      this.#tables.holdsItems(scope.target),
      tableLosses({ client: this.#client, calls: this.#calls }, scope.target, table),
    ]);
    const incompatible = keyDifference(scope.schema, table);
    const differences = indexDifferences(scope.schema, table);
    return {
      presence: holdsItems ? "holds-records" : "empty",
      ...(await this.#count(scope.target, table, holdsItems)),
      ...(incompatible === undefined ? {} : { incompatible }),
      ...(differences.length === 0 ? {} : { differs: differences.join("; ") }),
      ...unmakeable,
      warnings: [...warnings, ...replaceWarnings(table, losses)],
    };
  }

  /** What would stop a replace after the table was deleted, or before. */
  #unmakeable({ name, schema }: TableScope, table: TableDescription | undefined): Pick<ScopeState, "unmakeable"> {
    if (table !== undefined && isProtected(table)) {
      return { unmakeable: { why: "the table is protected against deletion", hint: PROTECTED_HINT } };
    }
    const why = this.#schemaFault(schema);
    if (why === undefined) return {};
    const hint = `Change the _schema.json of the dump's table ${escapeForDisplay(name)} and reseal the dump, or leave it out with --scope.`;
    return { unmakeable: { why, hint } };
  }

  #schemaFault(schema: TableSchema): string | undefined {
    return this.#strictNames ? schemaFault(schema, this.#aws) : undefined;
  }

  /** @throws RestoreError TARGET_SCOPE_IMPOSSIBLE */
  #assertName({ name, target }: TableScope): void {
    // DynamoDB takes a table's ARN for its name: a dump must not name another account's or region's table.
    if (target.startsWith("arn:")) throw impossible(name, target, "is an ARN, not a table's name");
    if (!this.#strictNames || /^[A-Za-z0-9_.-]{3,255}$/.test(target)) return;
    throw impossible(name, target, "is no name for a table here: 3 to 255 characters of A-Z a-z 0-9 _ . - are");
  }

  async #find(scope: TableScope): Promise<TableDescription | undefined> {
    try {
      return await this.#tables.findSettled(scope.target);
    } catch (error) {
      if (!(error instanceof RestoreError) || error.code !== "RECORD_REFUSED") throw error;
      throw impossible(scope.name, scope.target, `is refused by the target: ${error.message}`);
    }
  }

  async #count(name: string, table: TableDescription, holdsItems: boolean): Promise<Pick<ScopeState, "count">> {
    if (!holdsItems) return { count: { value: 0, exact: true } };
    if (table.ItemCount !== undefined) return { count: { value: Math.max(1, table.ItemCount), exact: false } };
    const counted = await this.#tables.countFew(name);
    return counted === undefined ? {} : { count: { value: counted, exact: true } };
  }

  async create(scope: TableScope): Promise<ScopeNotes> {
    this.#assertName(scope);
    const table = await this.#tables.create(scope.target, createTableInput(scope.target, scope.schema));
    const difference = keyDifference(scope.schema, table);
    if (difference !== undefined) throw otherKey(scope, difference);
    return { warnings: indexDifferences(scope.schema, table) };
  }

  async empty(scope: TableScope): Promise<ScopeNotes> {
    this.#assertName(scope);
    await this.#tables.delete(scope.target);
    return await this.create(scope);
  }

  keep(_scope: TableScope, state: ScopeState): Promise<ScopeNotes> {
    return Promise.resolve({ warnings: state.differs === undefined ? [] : [`kept as it is: ${state.differs}`] });
  }

  async write(scope: TableScope, batch: readonly ItemRecord[]): Promise<Outcome[]> {
    return this.#action === "put-if-absent"
      ? await this.#writer.putIfAbsent(scope, batch)
      : await this.#writer.put(scope, batch);
  }

  get #action(): PutAction {
    return this.#context.policy.actionFor("item") === "put-if-absent" ? "put-if-absent" : "put";
  }

  async foresee(
    scope: TableScope,
    batch: readonly ItemRecord[],
    takeover: "create" | "empty" | "keep",
  ): Promise<Outcome[]> {
    const keyOnly = this.#strictNames || isPlainKey(scope.schema.key);
    const parts = { reader: this.#reader, writer: this.#writer, action: this.#action };
    return await foreseeItems(scope, batch, { ...parts, isKept: takeover === "keep", keyOnly });
  }

  async losses(scope: TableScope): Promise<readonly string[]> {
    this.#assertName(scope);
    const table = await this.#find(scope);
    if (table === undefined) return [];
    const target = { client: this.#client, calls: this.#calls };
    return [...(await tableLosses(target, scope.target, table)), ...schemaLosses(scope.schema, table)];
  }

  async remove(scope: TableScope): Promise<void> {
    this.#assertName(scope);
    await this.#tables.delete(scope.target);
  }

  finish(): Promise<ScopeNotes> {
    return Promise.resolve({ warnings: [] });
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}

function replaceWarnings(table: TableDescription, losses: readonly string[]): string[] {
  return [
    ...(losses.length === 0 ? [] : [`a replace makes the table anew and loses ${losses.join(", ")}`]),
    ...(isProtected(table) ? ["the table is protected against deletion: a replace will be refused"] : []),
  ];
}

function impossible(name: string, target: string, why: string): RestoreError {
  return new RestoreError("TARGET_SCOPE_IMPOSSIBLE", `"${escapeForDisplay(target)}" ${why}`, {
    where: { adapter: "dynamodb", scope: name },
    hint: `Give the table another name: --rename dynamodb:${escapeForDisplay(name)}=NAME.`,
  });
}

function otherKey(scope: TableScope, difference: string): RestoreError {
  const message = `the table ${scope.target} was made by somebody else meanwhile: ${difference}`;
  return new RestoreError("TARGET_SCHEMA_DIFFERS", message, {
    where: { adapter: "dynamodb", scope: scope.name },
    hint: "Restore under another name with --rename, or use --mode replace.",
  });
}
