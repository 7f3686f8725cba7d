/** A bucket's metadata and the kinds of its files. */
import { escapeForDisplay } from "../model/display.js";
import type { BucketScope, BucketSettings } from "../model/scope.js";
import type { JsonObject } from "../support/json.js";
import { present } from "../support/present.js";
import { structuralError } from "./faults.js";
import { asString, assertFormatVersion, FieldError, optionalString } from "./json-access.js";
import type { Keymap } from "./keymap.js";
import { type BucketKeymap, loadBucketKeymap } from "./s3-keymap.js";
import { BUCKET_FILE, BucketLayout, KEYMAP_FILE, LEAF_DATA_SUFFIX, USER_DATA_SUFFIX } from "./s3-layout.js";
import { assertSameName, readMetadata, type ScopeContext } from "./scope-context.js";
import type { ScopeDirectory } from "./scope-directories.js";

const SHOWN = 3;

/** @throws RestoreError SCHEMA_INVALID, SCOPE_INVALID, KEYMAP_INVALID */
export async function readBucketScope(
  context: ScopeContext,
  directory: ScopeDirectory,
): Promise<{ scope: Omit<BucketScope, "target">; keymap: BucketKeymap }> {
  const { catalogue, manifest } = context;
  const layout = new BucketLayout(catalogue, directory.path, manifest.metaSuffix);
  const { name, settings, warnings } = await readSettings(context, directory, layout);
  const keymap = await loadBucketKeymap(context, layout);
  if (layout.isShadowed(KEYMAP_FILE)) {
    warnings.push(
      `an object called ${KEYMAP_FILE} stands in the place of the dump's own: renamed keys cannot be known`,
    );
  }
  warnings.push(...inspectFiles(context, layout, keymap.keymap));
  const scope = { adapter: "s3" as const, name, path: directory.path, warnings };
  return { scope: settings === undefined ? scope : { ...scope, settings }, keymap };
}

interface ReadSettings {
  readonly name: string;
  readonly settings?: BucketSettings;
  readonly warnings: string[];
}

async function readSettings(
  context: ScopeContext,
  directory: ScopeDirectory,
  layout: BucketLayout,
): Promise<ReadSettings> {
  const path = layout.prefix + BUCKET_FILE;
  const row = layout.ownFile(BUCKET_FILE);
  if (row !== undefined) {
    const { name, settings } = await readMetadata(path, context.catalogue.content(row), readBucket);
    assertSameName(directory, path, name);
    return { name, settings, warnings: [] };
  }
  const isShadowed = layout.isShadowed(BUCKET_FILE);
  if (!isShadowed && !context.allowOrphanBuckets) {
    const what =
      "the bucket has no _bucket.json: it may have been deleted (--allow-orphan-buckets restores it all the same)";
    throw structuralError("SCOPE_INVALID", { path: directory.path }, what);
  }
  if (directory.name === undefined) {
    throw structuralError("SCOPE_INVALID", { path: directory.path }, "nothing tells the bucket's name");
  }
  const why = isShadowed
    ? `an object called ${BUCKET_FILE} stands in the place of the dump's own`
    : `there is no ${BUCKET_FILE}`;
  return { name: directory.name, warnings: [`${why}: the bucket's settings cannot be known, defaults are used`] };
}

/** @throws FieldError */
function readBucket(root: JsonObject): { name: string; settings: BucketSettings } {
  assertFormatVersion(root);
  const acl = optionalString(root, "acl") ?? "private";
  if (acl !== "private" && acl !== "public-read") throw new FieldError(`unknown "acl": "${acl}"`);
  const versioning = optionalString(root, "versioning") ?? "Disabled";
  if (versioning !== "Enabled" && versioning !== "Suspended" && versioning !== "Disabled") {
    throw new FieldError(`unknown "versioning": "${versioning}"`);
  }
  const settings = present({
    acl: acl as BucketSettings["acl"],
    versioning: versioning === "Disabled" ? undefined : (versioning as "Enabled" | "Suspended"),
    policy: optionalString(root, "policy_json"),
    region: optionalString(root, "region"),
  });
  return { name: asString(root.get("name"), '"name"'), settings };
}

/** Looks at every file of the bucket. @throws RestoreError SCOPE_INVALID for a sidecar without a body */
function inspectFiles({ catalogue }: ScopeContext, layout: BucketLayout, keymap: Keymap): string[] {
  const unmapped = new Sample();
  const bare = new Sample();
  const forensic = new Sample();
  for (const { path } of catalogue.rows(layout.prefix)) {
    const { kind } = layout.kindOf(path);
    if (kind === "sidecar-without-body") throw structuralError("SCOPE_INVALID", { path }, "the sidecar has no body");
    const below = path.slice(layout.prefix.length);
    if (kind === "forensic") forensic.add(below);
    if (kind === "bare-object") bare.add(below);
    if ((kind === "object" || kind === "bare-object") && looksRenamed(below) && !keymap.has(below)) unmapped.add(below);
  }
  return [
    ...unmapped.warning(
      "looks like a renamed key without a line in KEYMAP.jsonl, and is restored under the name it has",
    ),
    ...bare.warning("has no sidecar, and is restored with default metadata"),
    ...forensic.warning("is kept for forensics only, and is not restored"),
  ];
}

function looksRenamed(below: string): boolean {
  return below.endsWith(LEAF_DATA_SUFFIX) || below.endsWith(USER_DATA_SUFFIX);
}

/** The first few of many. */
class Sample {
  readonly #shown: string[] = [];
  #count = 0;

  add(path: string): void {
    if (this.#count++ < SHOWN) this.#shown.push(escapeForDisplay(path));
  }

  warning(what: string): string[] {
    if (this.#count === 0) return [];
    const more = this.#count > this.#shown.length ? ` (and ${this.#count - this.#shown.length} more)` : "";
    return [`${this.#shown.join(", ")}${more}: ${what}`];
  }
}
