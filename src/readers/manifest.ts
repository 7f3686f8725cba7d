/** MANIFEST.json: read before anything else, and the only file that is read before CHECKSUMS has been compared. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { RestoreError, systemCode } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { ADAPTERS, type Adapter } from "../model/scope.js";
import { JsonNumber, type JsonObject, JsonSyntaxError, type JsonValue, parseJson } from "../support/json.js";
import {
  asArray,
  asInteger,
  asObject,
  asString,
  FieldError,
  optionalBoolean,
  optionalString,
  optionalUint64,
} from "./json-access.js";
import { openRegular } from "./regular-file.js";
import { MAX_SEGMENT_BYTES } from "./segments.js";
import { unreadable } from "./tree-fault.js";

export const MANIFEST_FILE = "MANIFEST.json";

export interface ManifestAdapter {
  /** Listed scopes as directory names decode (`db_3` for Redis); absent: the directory listing tells. */
  readonly scopes?: readonly string[];
}

export interface Manifest {
  readonly phase: "phase0-snapshot-decode" | "phase1-live-pinned";
  readonly elastickvVersion?: string;
  readonly clusterId?: string;
  readonly snapshotIndex?: bigint;
  readonly lastCommitTs?: bigint;
  readonly wallTime: { readonly iso: string; readonly unixMs: number };
  /** Adapters that were dumped. */
  readonly adapters: ReadonlyMap<Adapter, ManifestAdapter>;
  readonly metaSuffix: string;
  readonly warnings: readonly string[];
}

const SCOPE_FIELD: Record<Adapter, string> = {
  dynamodb: "tables",
  s3: "buckets",
  redis: "databases",
  sqs: "queues",
};

const EXCLUSIONS = [
  "include_incomplete_uploads",
  "include_orphans",
  "preserve_sqs_visibility",
  "include_sqs_side_records",
] as const;

/** Far above any manifest: one that lists a million scopes has some tens of megabytes. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

export interface ManifestFile {
  readonly manifest: Manifest;
  /** Lower-case hex, of the bytes that were parsed: the check has to find the same. */
  readonly sha256: string;
}

/**
 * @throws RestoreError DUMP_NOT_FOUND, DUMP_UNREADABLE, MANIFEST_MISSING, MANIFEST_INVALID, VERSION_UNSUPPORTED,
 *   TREE_INVALID
 */
export async function readManifest(root: string): Promise<ManifestFile> {
  await assertDirectory(root);
  const file = await openRegular(root, MANIFEST_FILE);
  if (file === undefined) {
    throw new RestoreError("MANIFEST_MISSING", `${root} has no ${MANIFEST_FILE}: the dump is partial or not a dump`, {
      hint: "A dump is complete once its producer has written MANIFEST.json; name the directory that holds it.",
      where: { path: MANIFEST_FILE },
    });
  }
  try {
    const { size } = await file.stat();
    if (size > MAX_MANIFEST_BYTES) throw invalid(`it has ${size} bytes, more than ${MAX_MANIFEST_BYTES}`);
    const bytes = await file.readFile();
    return { manifest: parseManifest(bytes), sha256: createHash("sha256").update(bytes).digest("hex") };
  } finally {
    await file.close();
  }
}

async function assertDirectory(root: string): Promise<void> {
  const found = await stat(root).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw unreadable(root, error);
  });
  if (found === undefined) {
    throw new RestoreError("DUMP_NOT_FOUND", `there is no ${root}`, { hint: "Name the dump's directory." });
  }
  if (!found.isDirectory()) {
    throw new RestoreError("DUMP_UNREADABLE", `${root} is not a directory`, {
      hint: "Packed dumps cannot be read directly: unpack it (tar xf) and name the directory.",
    });
  }
}

/** @throws RestoreError MANIFEST_INVALID, VERSION_UNSUPPORTED */
function parseManifest(bytes: Buffer): Manifest {
  try {
    const root = asObject(parseJson(bytes), "the manifest");
    assertVersion(root);
    return interpret(root);
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof FieldError) throw invalid(error.message);
    throw error;
  }
}

function invalid(what: string): RestoreError {
  return new RestoreError("MANIFEST_INVALID", `${MANIFEST_FILE}: ${escapeForDisplay(what)}`, {
    where: { path: MANIFEST_FILE },
    hint: "Take the dump again, or mend the manifest by hand and run `elastickv-restore reseal`.",
  });
}

function assertVersion(root: JsonObject): void {
  const version = asInteger(root.get("format_version"), '"format_version"');
  if (version === 1n) return;
  throw new RestoreError("VERSION_UNSUPPORTED", `the dump has format version ${version}; this build reads version 1`, {
    where: { path: MANIFEST_FILE },
    hint: version > 1n ? "Use a newer elastickv-restore." : "The manifest is damaged: no version below 1 exists.",
  });
}

function interpret(root: JsonObject): Manifest {
  const warnings: string[] = [];
  const phase = readPhase(root, warnings);
  const elastickvVersion = optionalString(root, "elastickv_version");
  const clusterId = optionalString(root, "cluster_id");
  const snapshotIndex = optionalUint64(root, "snapshot_index");
  const lastCommitTs = optionalUint64(root, "last_commit_ts") ?? optionalUint64(root, "commit_ts");
  const exclusions = asObject(root.get("exclusions"), '"exclusions"');
  for (const name of EXCLUSIONS) {
    if (optionalBoolean(exclusions, name) === undefined) throw new FieldError(`"exclusions.${name}" is missing`);
  }
  assertConstant(root, "checksum_algorithm", "sha256");
  assertConstant(root, "checksum_format", "sha256sum");
  assertConstant(root, "encoded_filename_charset", "rfc3986-unreserved-plus-percent");
  const metaSuffix = asString(root.get("s3_meta_suffix"), '"s3_meta_suffix"');
  if (!/^\.[^/\0]+$/.test(metaSuffix)) throw new FieldError('"s3_meta_suffix" is not a file name suffix');
  assertLayout(root, warnings);
  return {
    phase,
    ...(elastickvVersion === undefined ? {} : { elastickvVersion }),
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(snapshotIndex === undefined ? {} : { snapshotIndex }),
    ...(lastCommitTs === undefined ? {} : { lastCommitTs }),
    wallTime: readTime(asString(root.get("wall_time_iso"), '"wall_time_iso"')),
    adapters: readAdapters(asObject(root.get("adapters"), '"adapters"'), warnings),
    metaSuffix,
    warnings,
  };
}

function readPhase(root: JsonObject, warnings: string[]): Manifest["phase"] {
  const phase = root.get("phase") === "" ? "" : optionalString(root, "phase");
  const [source, live] = [root.get("source") ?? undefined, root.get("live") ?? undefined];
  if (phase === "phase0-snapshot-decode") {
    if (live !== undefined) throw new FieldError('"live" cannot stand in a phase 0 manifest');
    warnings.push("one Raft group's snapshot: the dump of a sharded cluster is not one moment across its groups");
    return phase;
  }
  if (phase !== undefined && phase !== "phase1-live-pinned") throw new FieldError(`unknown phase "${phase}"`);
  if (source !== undefined) throw new FieldError('"source" cannot stand in a phase 1 manifest');
  if (phase === undefined) {
    warnings.push('"phase" is missing: taken as a consistent dump');
    return "phase1-live-pinned";
  }
  const readTs = optionalUint64(asObject(live, '"live"'), "read_ts");
  if (readTs === undefined || readTs === 0n) throw new FieldError('"live.read_ts" is missing or 0');
  return phase;
}

function assertConstant(root: JsonObject, field: string, supported: string): void {
  const value = asString(root.get(field), `"${field}"`);
  if (value !== supported) throw new FieldError(`"${field}" is "${value}"; this build supports only "${supported}"`);
}

/**
 * How files are named and laid out. Another way to rename colliding keys would give objects wrong names without a word;
 * names that are too long are refused where they stand, and both layouts of items are read wherever they are.
 * @throws FieldError
 */
function assertLayout(root: JsonObject, warnings: string[]): void {
  const collisions = optionalString(root, "s3_collision_strategy");
  if (collisions !== undefined) assertConstant(root, "s3_collision_strategy", "leaf-data-suffix");
  const segmentBytes = optionalUint64(root, "key_segment_max_bytes");
  if (segmentBytes !== undefined && segmentBytes > MAX_SEGMENT_BYTES) {
    warnings.push(`"key_segment_max_bytes" is ${segmentBytes}: names over ${MAX_SEGMENT_BYTES} bytes are refused`);
  }
  const layout = optionalString(root, "dynamodb_layout");
  if (layout !== undefined && layout !== "per-item" && layout !== "jsonl") {
    warnings.push(
      `"dynamodb_layout" is "${escapeForDisplay(layout)}", which this build does not know: it is not followed`,
    );
  }
}

function readAdapters(object: JsonObject, warnings: string[]): Map<Adapter, ManifestAdapter> {
  const adapters = new Map<Adapter, ManifestAdapter>();
  for (const [name, value] of object) {
    const adapter = ADAPTERS.find((known) => known === name);
    if (adapter === undefined) {
      warnings.push(`unknown adapter "${escapeForDisplay(name)}" is left out`);
      continue;
    }
    if (value === null) continue;
    const listed = asObject(value, `"adapters.${name}"`).get(SCOPE_FIELD[adapter]) ?? undefined;
    adapters.set(adapter, listed === undefined ? {} : { scopes: readScopes(adapter, listed) });
  }
  return adapters;
}

function readScopes(adapter: Adapter, listed: JsonValue): string[] {
  const what = `"adapters.${adapter}.${SCOPE_FIELD[adapter]}"`;
  const names = asArray(listed, what).map((value) => {
    if (adapter !== "redis") return asString(value, `a name in ${what}`);
    const text = value instanceof JsonNumber ? `db_${value.text}` : asString(value, `a database in ${what}`);
    if (!/^db_(?:0|[1-9]\d{0,9})$/.test(text)) throw new FieldError(`${what} holds "${text}", not a database`);
    return text;
  });
  if (new Set(names).size !== names.length) throw new FieldError(`${what} names a scope twice`);
  return names;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

function readTime(iso: string): Manifest["wallTime"] {
  const match = RFC3339.exec(iso);
  const local = `${match?.[1]}T${match?.[2]}`;
  const seconds = isMoment(local) ? Date.parse(local + match?.[4]?.toUpperCase()) : Number.NaN;
  if (Number.isNaN(seconds)) throw new FieldError(`"wall_time_iso" is not an RFC 3339 time: "${iso}"`);
  return { iso, unixMs: seconds + Number((match?.[3] ?? "0").padEnd(3, "0").slice(0, 3)) };
}

/** `Date.parse` takes 30 February for 2 March, and 24 o'clock for the next day. */
function isMoment(local: string): boolean {
  const parsed = new Date(`${local}Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(local);
}
