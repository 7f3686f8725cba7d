/**
 * Compares tables with the dump: keys and indexes, and items attribute by attribute. Throughput, and whatever else a
 * dump does not restore, is not compared. Items have no expiry here: a table's time to live setting is not a dump's.
 */
import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { RestoreError } from "../../errors/restore-error.js";
import type { Difference } from "../../model/difference.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import {
  type Comparing,
  type Comparison,
  EQUAL,
  type HeldKey,
  type ScopeComparison,
  type Verifier,
} from "../verifier.js";
import { isPlainKey, keyOfRecord } from "./keys.js";
import { deleteItems, heldKeys, type Target } from "./list-items.js";
import { mendIndexes } from "./mend-indexes.js";
import { differencesFrom } from "./read-back.js";
import { BATCH_KEYS, type Found, type ItemReader } from "./read-items.js";
import { indexFindings, indexLabel, keyDifference } from "./schema-differences.js";
import type { Tables } from "./tables.js";

/** Of the dump's items; what the target holds in their place is answered in pieces. */
const BATCH_BYTES = 4 * 1024 * 1024;

export interface VerifierInit extends Target {
  /** For deletions, which may end when the run is to stop. */
  readonly writing: Target;
  readonly tables: Tables;
  readonly reader: ItemReader;
  readonly parallel: number;
  /** Whether single attributes of any name can be asked for. */
  readonly projectsAnyName: () => boolean;
  /** Why the target would make no table of this schema. */
  readonly schemaFault: (scope: TableScope) => string | undefined;
}

const UNPROVEN: Comparison = { differences: [], unproven: ["the item was not asked for"] };

export class TableVerifier implements Verifier<"dynamodb"> {
  readonly batch = { records: BATCH_KEYS, bytes: BATCH_BYTES };
  readonly #init: VerifierInit;

  constructor(init: VerifierInit) {
    this.#init = init;
  }

  async settings({ target, schema }: TableScope, { allowMore }: Comparing): Promise<ScopeComparison> {
    const table = await this.#find(target);
    if (table === undefined) return { exists: false, differences: [], unproven: [] };
    const key = keyDifference(schema, table);
    const findings = indexFindings(schema, table).filter(({ state }) => !allowMore || state !== "extra");
    return {
      exists: true,
      differences: [
        ...(key === undefined ? [] : [{ kind: "setting", at: "key", detail: key } as const]),
        ...findings.map((finding): Difference => {
          return { kind: "setting", at: indexLabel(finding), detail: finding.detail };
        }),
      ],
      unproven: unfinished(table),
    };
  }

  /** A name that the target refuses names no table of it. */
  async #find(name: string): Promise<TableDescription | undefined> {
    // DynamoDB takes a table's ARN for its name.
    if (name.startsWith("arn:")) return undefined;
    try {
      return await this.#init.tables.findSettled(name);
    } catch (error) {
      if (error instanceof RestoreError && error.code === "RECORD_REFUSED") return undefined;
      throw error;
    }
  }

  async compare(scope: TableScope, batch: readonly ItemRecord[]): Promise<Comparison[]> {
    const comparisons: Comparison[] = batch.map(() => UNPROVEN);
    const found = (at: number, what: Found) => {
      const record = batch[at];
      if (record !== undefined) comparisons[at] = comparisonOf(record, what);
    };
    await this.#init.reader.read(batch, { scope, keyOnly: false, found });
    return comparisons;
  }

  keyOf(_scope: TableScope, record: ItemRecord): Buffer {
    return Buffer.from(keyOfRecord(record));
  }

  /** Nothing where the table has another key, which `settings` tells: none of its items has a key of the dump. */
  async *held(scope: TableScope): AsyncGenerator<readonly HeldKey[]> {
    const table = await this.#find(scope.target);
    if (table === undefined || keyDifference(scope.schema, table) !== undefined) return;
    const keyOnly = this.#init.projectsAnyName() || isPlainKey(scope.schema.key);
    yield* heldKeys(this.#init, { scope, keyOnly });
  }

  async mend(scope: TableScope): Promise<readonly string[]> {
    if ((await this.#find(scope.target)) === undefined) return ["the table is not there"];
    return await mendIndexes(this.#init.tables, scope, this.#init.schemaFault(scope));
  }

  async deleteKeys(scope: TableScope, keys: readonly Buffer[]): Promise<void> {
    await deleteItems(this.#init.writing, scope, { keys, parallel: this.#init.parallel });
  }
}

/** Indexes that do not answer for all items yet. */
function unfinished(table: TableDescription): string[] {
  return (table.GlobalSecondaryIndexes ?? [])
    .filter(({ IndexStatus }) => IndexStatus === "CREATING")
    .map(({ IndexName = "" }) => {
      const label = indexLabel({ kind: "global", name: IndexName });
      return `the ${label} is still being built: whether it finds all items is not known`;
    });
}

function comparisonOf(record: ItemRecord, found: Found): Comparison {
  if (found.kind === "unknown")
    return { differences: [], unproven: [`the item cannot be read: ${found.error.message}`] };
  if (found.kind === "none") {
    const why = found.error === undefined ? "" : `, and can hold none: ${found.error.message}`;
    return { differences: [{ kind: "missing", detail: `the table holds no item under this key${why}` }] };
  }
  const { differences, count } = differencesFrom(record, found.item);
  if (count === 0) return EQUAL;
  return { differences, ...(count > differences.length ? { differenceCount: count } : {}) };
}
