/**
 * Writes small dumps for tests: a manifest, the files that the test names, and CHECKSUMS over all of them.
 *
 *     await buildDump(dir, {
 *       adapters: { redis: {} },
 *       files: { "redis/db_0/strings/greeting.bin": "hello", "redis/db_0/sets/s.json": { members: ["a", "b"] } },
 *     });
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Text and bytes are written as they are, arrays as a JSON line an element, objects as JSON; null makes a directory. */
export type DumpFile = string | Buffer | null | readonly unknown[] | { readonly [name: string]: unknown };

export interface DumpDescription {
  /** Laid over a valid phase 1 manifest; a member that is undefined is left out. A string or buffer is written instead. */
  readonly manifest?: { readonly [field: string]: unknown } | string | Buffer;
  /** The manifest's `adapters`. By default the adapters that `files` have, not enumerated. */
  readonly adapters?: { readonly [adapter: string]: unknown };
  /** By path below the dump's root. */
  readonly files?: { readonly [path: string]: DumpFile };
  /** False leaves CHECKSUMS out. */
  readonly seal?: boolean;
}

/** A dump of 29 April 2026 that holds nothing. */
export const MANIFEST = {
  format_version: 1,
  phase: "phase1-live-pinned",
  wall_time_iso: "2026-04-29T15:42:11.094Z",
  live: { read_ts: 116481768215991743n, pin_token_sha256: "6b86b273" },
  exclusions: {
    include_incomplete_uploads: false,
    include_orphans: false,
    preserve_sqs_visibility: false,
    include_sqs_side_records: false,
  },
  checksum_algorithm: "sha256",
  checksum_format: "sha256sum",
  encoded_filename_charset: "rfc3986-unreserved-plus-percent",
  key_segment_max_bytes: 240,
  s3_meta_suffix: ".elastickv-meta.json",
  s3_collision_strategy: "leaf-data-suffix",
  dynamodb_layout: "per-item",
} as const;

/** Writes a dump into `root`, which is made when it is not there, and seals it. Returns `root`. */
async function buildDump(root: string, description: DumpDescription = {}): Promise<string> {
  const files = description.files ?? {};
  await mkdir(root, { recursive: true });
  await writeDumpFile(root, "MANIFEST.json", manifestOf(description));
  for (const [path, content] of Object.entries(files)) await writeDumpFile(root, path, content);
  if (description.seal !== false) await sealDump(root);
  return root;
}

/** As `buildDump`, in a new temporary directory. */
export async function temporaryDump(
  description: DumpDescription = {},
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "elastickv-restore-dump-"));
  await buildDump(path, description);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

async function writeDumpFile(root: string, path: string, content: DumpFile): Promise<void> {
  const absolute = join(root, path);
  await mkdir(content === null ? absolute : dirname(absolute), { recursive: true });
  if (content !== null) await writeFile(absolute, encode(content));
}

/** Writes CHECKSUMS over every regular file, sorted bytewise as shipped dumps are. */
async function sealDump(root: string): Promise<void> {
  await writeFile(join(root, "CHECKSUMS"), checksumRows(root).join(""));
}

/** The rows of `sealDump`, each with its line feed. */
export function checksumRows(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => path !== "CHECKSUMS")
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((path) => checksumRow(path, readFileSync(join(root, path))));
}

export function checksumRow(path: string, content: Buffer): string {
  const digest = createHash("sha256").update(content).digest("hex");
  if (!/[\n\r\\]/.test(path)) return `${digest}  ${path}\n`;
  return `\\${digest}  ${path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}\n`;
}

/** A key's fallback segment, and the KEYMAP line that explains it. */
export function fallbackOf(key: string | Buffer): { readonly segment: string; readonly line: object } {
  const bytes = Buffer.from(key);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  const segment = `${digest}__${segmentOf(bytes.subarray(0, 64))}`;
  return { segment, line: { encoded: segment, original: bytes.toString("base64url"), kind: "sha-fallback" } };
}

/** The plain segment of a key. */
export function segmentOf(key: string | Buffer): string {
  return Buffer.from(key)
    .toString("latin1")
    .replace(/[^A-Za-z0-9._-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** A hash-only table's `_schema.json`. */
export function tableSchema(
  name: string,
  key: { readonly name: string; readonly type: string } = { name: "id", type: "S" },
) {
  const primary_key = { hash_key: key, range_key: {} };
  return { format_version: 1, table_name: name, primary_key, attribute_definitions: [key] };
}

/** An object's two files: its body and a sidecar that fits it. */
export function s3Object(path: string, body: string | Buffer, sidecar: { readonly [field: string]: unknown } = {}) {
  const etag = createHash("md5").update(body).digest("hex");
  const fitting = {
    format_version: 1,
    etag: `"${etag}"`,
    size_bytes: Buffer.byteLength(body),
    content_type: "text/plain",
  };
  return { [path]: body, [`${path}.elastickv-meta.json`]: { ...fitting, ...sidecar } };
}

/** A line of `messages.jsonl` that fits its body. */
export function sqsMessage(body: string, fields: { readonly [field: string]: unknown } = {}) {
  const md5_of_body = createHash("md5").update(body).digest("hex");
  return {
    message_id: `id-${md5_of_body.slice(0, 8)}`,
    body,
    md5_of_body,
    available_at_millis: 1777477330094,
    ...fields,
  };
}

function manifestOf({ manifest = {}, adapters, files = {} }: DumpDescription): DumpFile {
  if (typeof manifest === "string" || Buffer.isBuffer(manifest)) return manifest;
  const known = ["dynamodb", "s3", "redis", "sqs"];
  const present = known.filter((adapter) => Object.keys(files).some((path) => path.startsWith(`${adapter}/`)));
  return {
    ...MANIFEST,
    adapters: adapters ?? Object.fromEntries(present.map((adapter) => [adapter, {}])),
    ...manifest,
  };
}

/** The manifest of a dump with these adapters, as text. */
export function manifestText(adapters: Readonly<Record<string, unknown>>): string {
  return toJson({ ...MANIFEST, adapters });
}

function encode(content: Exclude<DumpFile, null>): string | Buffer {
  if (typeof content === "string" || Buffer.isBuffer(content)) return content;
  if (Array.isArray(content))
    return content.map((line) => `${typeof line === "string" ? line : toJson(line)}\n`).join("");
  return toJson(content);
}

/** JSON in which a bigint is a number of all its digits. */
function toJson(value: unknown): string {
  const bigints: string[] = [];
  const text = JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== "bigint") return member;
    bigints.push(member.toString());
    return `\u0001${bigints.length - 1}\u0001`;
  });
  return text.replace(/"\\u0001(\d+)\\u0001"/g, (_match, index: string) => bigints[Number(index)] ?? "0");
}
