/**
 * Makes the global indexes that a table lacks, and makes those anew that differ from the dump's, one after another. Leaves
 * indexes that the dump lacks, and tells what no table that exists can be given: another key, local indexes.
 */
import type { AttributeDefinition, GlobalSecondaryIndexUpdate, TableDescription } from "@aws-sdk/client-dynamodb";
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { TableIndex, TableSchema, TableScope, Throughput } from "../../model/scope.js";
import { isDenied, isMissingOperation } from "./classify-error.js";
import { keyParts } from "./keys.js";
import { type IndexFinding, indexFindings, keyDifference } from "./schema-differences.js";
import { globalIndex } from "./table-schema.js";
import { TABLE_NOT_READY, type Tables } from "./tables.js";

/**
 * Writes. Repeatable. `fault`: why no table of this schema can be made.
 * @returns what still differs and why, a sentence each
 */
export async function mendIndexes(tables: Tables, scope: TableScope, fault: string | undefined): Promise<string[]> {
  const { schema, target } = scope;
  const table = await tables.findSettled(target);
  if (table === undefined) return ["the table is not there any more"];
  const key = keyDifference(schema, table);
  if (key !== undefined) return [`${key}: only a table that is made anew gets another key`];
  const left: string[] = [];
  for (const finding of indexFindings(schema, table)) {
    const why = unmendable(finding, fault) ?? (await mended(tables, scope, finding));
    if (why !== undefined) left.push(`${finding.detail}: ${why}`);
  }
  return left;
}

function unmendable({ kind, state }: IndexFinding, fault: string | undefined): string | undefined {
  if (state === "extra") return "it is left as it is";
  if (kind === "local") return "a table gets its local indexes only when it is made";
  return fault;
}

/** Why it still differs; undefined when it does not. */
async function mended(tables: Tables, scope: TableScope, finding: IndexFinding): Promise<string | undefined> {
  const { target: name, schema } = scope;
  const { wanted } = finding;
  const table = await tables.findSettled(name);
  if (table === undefined || wanted === undefined) return "the table is not there any more";
  const definitions = definitionsFor(wanted, table);
  // Before anything is deleted: the index could not be made anew.
  if (typeof definitions === "string") return definitions;
  const create = globalIndex(wanted, throughputFor(schema, table));
  if (finding.state === "missing") return await change(tables, name, { Create: create }, definitions);
  const kept = await change(tables, name, { Delete: { IndexName: wanted.name } });
  if (kept !== undefined) return kept;
  const why = await change(tables, name, { Create: create }, definitions);
  return why === undefined ? undefined : `it was deleted to be made anew, and then: ${why}`;
}

/** Why the change was not made; undefined when it was. */
async function change(
  tables: Tables,
  name: string,
  update: GlobalSecondaryIndexUpdate,
  definitions: AttributeDefinition[] = [],
): Promise<string | undefined> {
  try {
    await tables.changeIndex(name, update, definitions);
    return undefined;
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    if (isMissingOperation(error)) return "the target cannot change the indexes of a table that exists";
    if (isDenied(error)) return `the credentials may not change a table: ${error.message}`;
    if (error.retry === "fatal") throw error;
    if (error.reason === TABLE_NOT_READY) return "it is under way, and was not done in time";
    return error.message;
  }
}

/** The types of all key attributes with the index; a sentence where they contradict one another. */
function definitionsFor(wanted: TableIndex, table: TableDescription): AttributeDefinition[] | string {
  const { KeySchema = [], GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] } = table;
  const others = GlobalSecondaryIndexes.filter(({ IndexName }) => IndexName !== wanted.name);
  const staying = [KeySchema, ...[...others, ...LocalSecondaryIndexes].map((index) => index.KeySchema ?? [])].flat();
  const used = new Set(staying.map(({ AttributeName }) => AttributeName));
  const kept = (table.AttributeDefinitions ?? []).filter(({ AttributeName }) => used.has(AttributeName));
  for (const { name, type } of keyParts(wanted.key)) {
    const other = kept.find(({ AttributeName }) => AttributeName === name);
    if (other === undefined) kept.push({ AttributeName: name, AttributeType: type });
    else if (other.AttributeType !== type) {
      return `the attribute "${escapeForDisplay(name)}" is of type ${other.AttributeType ?? "?"} in another key of the table`;
    }
  }
  return kept;
}

/** Units a second, where the table has its own. */
function throughputFor(schema: TableSchema, table: TableDescription): Throughput | undefined {
  const { ReadCapacityUnits: read = 0, WriteCapacityUnits: write = 0 } = table.ProvisionedThroughput ?? {};
  if (read <= 0 || write <= 0) return undefined;
  return schema.throughput ?? { read, write };
}
