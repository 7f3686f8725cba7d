/**
 * What CreateTable refuses in a schema, known before a table is deleted to be made anew. By DynamoDB's developer guide
 * ("Quotas", "Constraints") and API reference (CreateTable, Projection), which DynamoDB Local follows but for a detail;
 * elastickv asks for less. Pure.
 */
import { escapeForDisplay } from "../../model/display.js";
import type { KeyAttribute, KeySchema, TableIndex, TableSchema } from "../../model/scope.js";

const MOST_LOCAL_INDEXES = 5;
/** A default: an AWS account's quota can be raised. */
const MOST_GLOBAL_INDEXES = 20;
/** Of one index. DynamoDB Local does not count them. */
const MOST_PROJECTED = 20;
/** Of all indexes together; a name counts once for each index. */
const MOST_PROJECTED_IN_ALL = 100;
const LONGEST_KEY_NAME_BYTES = 255;
const NAME = /^[A-Za-z0-9_.-]{3,255}$/;

/** Why no table can be made with this schema. `aws`: the service itself, where an account's quotas can be raised. */
export function schemaFault(schema: TableSchema, aws: boolean): string | undefined {
  const { globalIndexes, localIndexes } = schema;
  const indexes = [...globalIndexes, ...localIndexes];
  return (
    (aws ? undefined : tooMany(globalIndexes.length)) ??
    (localIndexes.length > MOST_LOCAL_INDEXES
      ? `it has ${localIndexes.length} local indexes, DynamoDB takes ${MOST_LOCAL_INDEXES}`
      : undefined) ??
    namesFault(indexes) ??
    keysFault([schema.key, ...indexes.map(({ key }) => key)]) ??
    localFault(schema) ??
    projectionsFault(indexes, aws ? MOST_PROJECTED : MOST_PROJECTED_IN_ALL)
  );
}

/** A sentence where only an account with a raised quota takes the table. */
export function quotaWarning({ globalIndexes }: TableSchema): string | undefined {
  const fault = tooMany(globalIndexes.length);
  return fault === undefined ? undefined : `${fault} unless the account's quota was raised`;
}

function tooMany(globalIndexes: number): string | undefined {
  if (globalIndexes <= MOST_GLOBAL_INDEXES) return undefined;
  return `it has ${globalIndexes} global indexes, DynamoDB takes ${MOST_GLOBAL_INDEXES}`;
}

function namesFault(indexes: readonly TableIndex[]): string | undefined {
  const met = new Set<string>();
  for (const { name } of indexes) {
    if (!NAME.test(name)) {
      return `"${escapeForDisplay(name)}" is no name for an index: 3 to 255 characters of A-Z a-z 0-9 _ . - are`;
    }
    if (met.has(name)) return `two of its indexes are called "${escapeForDisplay(name)}"`;
    met.add(name);
  }
  return undefined;
}

function keysFault(keys: readonly KeySchema[]): string | undefined {
  const types = new Map<string, string>();
  for (const { hash, range } of keys) {
    if (hash.name === range?.name) return `"${escapeForDisplay(hash.name)}" is both parts of one key`;
    for (const { name, type } of parts(hash, range)) {
      const bytes = Buffer.byteLength(name);
      if (bytes > LONGEST_KEY_NAME_BYTES) {
        return `a key attribute's name has ${bytes} bytes, DynamoDB takes ${LONGEST_KEY_NAME_BYTES}`;
      }
      const other = types.get(name) ?? type;
      if (other !== type)
        return `the key attribute "${escapeForDisplay(name)}" is of type ${other} and of type ${type}`;
      types.set(name, type);
    }
  }
  return undefined;
}

function parts(hash: KeyAttribute, range: KeyAttribute | undefined): KeyAttribute[] {
  return range === undefined ? [hash] : [hash, range];
}

/** A local index orders the items of one hash key otherwise than the table does. */
function localFault({ key, localIndexes }: TableSchema): string | undefined {
  for (const index of localIndexes) {
    const label = `the local index "${escapeForDisplay(index.name)}"`;
    if (key.range === undefined) return `${label} needs a table with a range key`;
    if (index.key.hash.name !== key.hash.name) return `${label} has another hash key than the table`;
    if (index.key.range === undefined) return `${label} has no range key`;
  }
  return undefined;
}

function projectionsFault(indexes: readonly TableIndex[], most: number): string | undefined {
  let inAll = 0;
  for (const { name, projection } of indexes) {
    const count = projection.type === "INCLUDE" ? (projection.nonKeyAttributes ?? []).length : 0;
    if (count > most) {
      return `the index "${escapeForDisplay(name)}" projects ${count} attributes, DynamoDB takes ${most}`;
    }
    inAll += count;
  }
  if (inAll <= MOST_PROJECTED_IN_ALL) return undefined;
  return `its indexes project ${inAll} attributes, DynamoDB takes ${MOST_PROJECTED_IN_ALL} of all together`;
}
