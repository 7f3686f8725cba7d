/**
 * Scope names before the check, for options that name scopes. Where a directory's name is in the fallback form, the name is
 * looked up in the scope's metadata, which nothing vouches for yet: a file that tells none is left to the check.
 */
import type { Adapter } from "../model/scope.js";
import { JsonSyntaxError, parseJson } from "../support/json.js";
import { openRegular } from "./regular-file.js";
import { assertDistinct, isDirectoryOf, scopeDirectories } from "./scope-directories.js";

const NAME_FIELDS: Partial<Record<Adapter, readonly [file: string, field: string]>> = {
  dynamodb: ["_schema.json", "table_name"],
  s3: ["_bucket.json", "name"],
  sqs: ["_queue.json", "name"],
};

const MAX_BYTES = 16 * 1024 * 1024;

/** @throws RestoreError NAME_INVALID, SCOPE_INVALID, TREE_INVALID, DUMP_INCONSISTENT */
export async function uncheckedNames(root: string, adapter: Adapter): Promise<string[]> {
  const scopes: { name: string; path: string }[] = [];
  for (const { path, name } of scopeDirectories(root, adapter)) {
    const known = name ?? (await nameInMetadata(root, adapter, path));
    if (known !== undefined) scopes.push({ name: known, path });
  }
  assertDistinct(adapter, scopes);
  return scopes.map(({ name }) => name);
}

async function nameInMetadata(root: string, adapter: Adapter, path: string): Promise<string | undefined> {
  const [metadata, field] = NAME_FIELDS[adapter] ?? ["", ""];
  const file = await openRegular(root, `${path}/${metadata}`);
  try {
    if (file === undefined || (await file.stat()).size > MAX_BYTES) return undefined;
    const value = parseJson(await file.readFile());
    const name = value instanceof Map ? value.get(field) : undefined;
    return typeof name === "string" && isDirectoryOf(name, path.slice(adapter.length + 1)) ? name : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  } finally {
    await file?.close();
  }
}
