/** Buckets and objects of a dump: a file is an object if its sidecar stands beside it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { entries, type Json, member, parseJson, text } from "./json.js";
import { digestBytes, type Facets, type State } from "./state.js";
import { filesBelow, keymapOf, scopeDirectories, textOf } from "./tree.js";

const OWN_FILES: readonly string[] = ["_bucket.json", "KEYMAP.jsonl"];
const FORENSICS = /^_(?:incomplete_uploads|orphans)\//u;

export function expectedBuckets(dump: string, counts: Map<string, number>): State {
  const suffix = text(member(parseJson(textOf(join(dump, "MANIFEST.json"))), "s3_meta_suffix")) ?? "";
  const state: State = new Map();
  for (const { name, path } of scopeDirectories(dump, "s3")) {
    const objects = objectsBelow(path, suffix);
    counts.set(`s3:${name}`, objects.length);
    state.set(`s3 ${name}`, {});
    for (const { key, facets } of objects) state.set(`s3 ${name} ${key}`, facets);
  }
  return state;
}

function objectsBelow(directory: string, suffix: string): { key: string; facets: Facets }[] {
  const files = filesBelow(directory);
  const all = new Set(files);
  const keymap = all.has(`KEYMAP.jsonl${suffix}`) ? new Map<string, Buffer>() : keymapOf(directory);
  return files
    .filter((path) => all.has(path + suffix) || !isTheDumpsOwn(path, suffix, all))
    .map((path) => ({
      key: keymap.get(path)?.toString("utf8") ?? path,
      facets: objectFacets(
        readFileSync(join(directory, path)),
        all.has(path + suffix) ? parseJson(textOf(join(directory, path + suffix))) : { kind: "object", entries: [] },
      ),
    }));
}

/** Of a file without a sidecar: a sidecar itself, a file about the bucket, or what only an investigator wants. */
function isTheDumpsOwn(path: string, suffix: string, all: ReadonlySet<string>): boolean {
  const sidecar = path.endsWith(suffix) && all.has(path.slice(0, -suffix.length));
  return sidecar || OWN_FILES.includes(path) || FORENSICS.test(path);
}

function objectFacets(body: Buffer, sidecar: Json): Facets {
  const facets: Facets = {
    body: digestBytes(body),
    etag: text(member(sidecar, "etag"))?.replaceAll('"', "") ?? createHash("md5").update(body).digest("hex"),
  };
  for (const name of ["content_type", "content_encoding", "cache_control", "content_disposition"]) {
    const value = text(member(sidecar, name));
    if (value !== undefined) facets[name] = value;
  }
  for (const [name, value] of entries(member(sidecar, "user_metadata"))) {
    facets[`user_metadata ${name.toLowerCase()}`] = text(value) ?? "";
  }
  return facets;
}
