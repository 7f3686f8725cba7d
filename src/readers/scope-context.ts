/** What reading a scope's metadata needs, and reading one metadata file. */
import type { Content } from "../model/record.js";
import { type JsonObject, parseJson } from "../support/json.js";
import type { Catalogue } from "./catalogue.js";
import { structural, structuralError } from "./faults.js";
import { asObject } from "./json-access.js";
import type { Manifest } from "./manifest.js";
import { isDirectoryOf, type ScopeDirectory } from "./scope-directories.js";
import type { ScopeIndexes } from "./scope-indexes.js";

export interface ScopeContext {
  readonly catalogue: Catalogue;
  readonly manifest: Manifest;
  readonly allowOrphanBuckets: boolean;
  /** Takes what KEYMAP and expiry files tell. */
  readonly indexes: ScopeIndexes;
}

/** Far above any metadata file: a schema with twenty indexes has some kilobytes. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;

/** @throws RestoreError SCHEMA_INVALID for a file that is no JSON object or that `read` throws a FieldError for */
export async function readMetadata<T>(path: string, content: Content, read: (root: JsonObject) => T): Promise<T> {
  if (content.size > MAX_METADATA_BYTES) {
    throw structuralError("SCHEMA_INVALID", { path }, `it has ${content.size} bytes, more than ${MAX_METADATA_BYTES}`);
  }
  const bytes = await content.buffer();
  return structural("SCHEMA_INVALID", { path }, () => read(asObject(parseJson(bytes), "the file")));
}

/** @throws RestoreError SCOPE_INVALID when metadata and directory name different scopes */
export function assertSameName(directory: ScopeDirectory, metadataPath: string, name: string): void {
  if (directory.name === name) return;
  const segment = directory.path.slice(directory.path.indexOf("/") + 1);
  if (directory.name === undefined && isDirectoryOf(name, segment)) return;
  throw structuralError(
    "SCOPE_INVALID",
    { path: metadataPath },
    `it names "${name}", which is not its directory's name`,
  );
}
