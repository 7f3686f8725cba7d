/** A table's metadata and the names of its files. */
import type { TableScope } from "../model/scope.js";
import { readTableSchema } from "./dynamodb-schema.js";
import { structuralError } from "./faults.js";
import { assertSameName, readMetadata, type ScopeContext } from "./scope-context.js";
import type { ScopeDirectory } from "./scope-directories.js";
import { assertSegment } from "./segments.js";
import { strayFiles } from "./stray-files.js";

/** @throws RestoreError SCHEMA_INVALID, SCOPE_INVALID, NAME_INVALID */
export async function readTableScope(
  context: ScopeContext,
  directory: ScopeDirectory,
): Promise<Omit<TableScope, "target">> {
  const { catalogue } = context;
  const path = `${directory.path}/_schema.json`;
  const row = catalogue.find(path);
  if (row === undefined)
    throw structuralError("SCOPE_INVALID", { path: directory.path }, "the table has no _schema.json");
  const { name, schema, warnings } = await readMetadata(path, catalogue.content(row), readTableSchema);
  assertSameName(directory, path, name);
  const items = `${directory.path}/items/`;
  for (const item of catalogue.rows(items)) assertItemName(item.path, item.path.slice(items.length));
  const known = (below: string) => below === "_schema.json" || below === "KEYMAP.jsonl" || below.startsWith("items/");
  return {
    adapter: "dynamodb",
    name,
    path: directory.path,
    schema,
    warnings: [...warnings, ...strayFiles(catalogue, directory.path, known)],
  };
}

/** `<pk>.json`, `<pk>/<sk>.json`, or a file of lines. */
function assertItemName(path: string, below: string): void {
  const segments = below.split("/");
  const [first = "", second] = segments;
  if (segments.length === 1 && first.endsWith(".jsonl")) return;
  const last = second ?? first;
  if (segments.length > 2 || !last.endsWith(".json")) {
    throw structuralError("NAME_INVALID", { path }, "it is neither an item's file nor a file of items");
  }
  if (second !== undefined) assertSegment(path, first);
  assertSegment(path, last.slice(0, -".json".length));
}
