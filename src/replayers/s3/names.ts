/** Which buckets and keys a target can hold under their own names. Pure. */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { BucketScope } from "../../model/scope.js";
import type { Refusal } from "./metadata.js";

/** @throws RestoreError TARGET_SCOPE_IMPOSSIBLE when S3 has no bucket of the scope's target name */
export function checkBucketName(scope: BucketScope, endpoint: string): void {
  const fault = bucketNameFault(scope.target);
  if (fault !== undefined) throw impossibleBucket(scope, endpoint, `cannot be a bucket's name: ${fault}`);
}

/** The scope as it is named cannot be had on this target. */
export function impossibleBucket(scope: BucketScope, endpoint: string, why: string): RestoreError {
  return new RestoreError("TARGET_SCOPE_IMPOSSIBLE", `"${escapeForDisplay(scope.target)}" ${why}`, {
    where: { adapter: "s3", scope: scope.name, endpoint },
    hint: `Give the bucket another name: --rename s3:${escapeForDisplay(scope.name)}=${suggestedName(scope.target)}`,
  });
}

/** AWS makes no new buckets of these names (user guide, "General purpose bucket naming rules"). */
const RESERVED = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** The beginning or end that AWS keeps for itself; undefined for a name that can be had. */
export function reservedPart(name: string): string | undefined {
  return RESERVED.exec(name)?.[0];
}

function bucketNameFault(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return `it has ${name.length} characters, S3 takes 3 to 63`;
  if (!/^[a-z0-9.-]+$/.test(name)) return "S3 takes lower-case letters, digits, - and .";
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return "it begins and ends with a letter or a digit";
  if (name.includes("..")) return "two dots stand side by side";
  return /^\d+\.\d+\.\d+\.\d+$/.test(name) ? "it is an IP address" : undefined;
}

function suggestedName(name: string): string {
  const cleaned = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return cleaned.length < 3 ? "NAME" : cleaned;
}

/** What a kind of server makes of keys. */
export type KeyRules = "s3" | "minio" | "unknown";

const MOST_KEY_BYTES = 1024;
const MOST_COMPONENT_BYTES = 255;
/** How MinIO names the file of a key that ends in a slash: both keys are one object there. */
const MINIO_DIRECTORY = "__XLDIR__";

/** Why the target cannot hold an object under this key and no other. */
export function keyFault(key: string, rules: KeyRules): Refusal | undefined {
  if (key === "") return { reason: "key-refused", detail: "an object without a name" };
  if (!isWellFormed(key)) return { reason: "key-refused", detail: "the key is no text in UTF-8" };
  if (rules === "unknown") return undefined;
  const bytes = Buffer.byteLength(key);
  if (bytes > MOST_KEY_BYTES) {
    return { reason: "key-too-long", detail: `the key has ${bytes} bytes, S3 takes ${MOST_KEY_BYTES}` };
  }
  return rules === "minio" ? minioFault(key) : undefined;
}

/** Whether the text has a form in UTF-8: no lone surrogates. */
export function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

/** MinIO keeps objects as files: it takes a leading slash off and refuses what is no path. */
function minioFault(key: string): Refusal | undefined {
  if (key.startsWith("/")) return { reason: "key-rewritten", detail: "MinIO would take the key's leading / off" };
  if (key.includes("//")) return { reason: "key-refused", detail: "MinIO takes no // in a key" };
  const components = key.split("/");
  if (components.some((component) => component === "." || component === "..")) {
    return { reason: "key-refused", detail: "MinIO takes no . or .. between slashes" };
  }
  if (key.endsWith(MINIO_DIRECTORY)) {
    return { reason: "key-rewritten", detail: `MinIO would take ${MINIO_DIRECTORY} at the key's end for a /` };
  }
  if (components.some((component) => Buffer.byteLength(component) > MOST_COMPONENT_BYTES)) {
    return { reason: "key-refused", detail: `MinIO takes ${MOST_COMPONENT_BYTES} bytes between slashes` };
  }
  return undefined;
}

/** A form of keys that some servers rewrite, and with it perhaps the object of another key. */
export interface KeyForm {
  readonly pattern: RegExp;
  /** A key of that form, made of a name that is nobody else's, and what a server would tidy it to. */
  readonly sample: (name: string) => { readonly key: string; readonly tidied: string };
}

export const KEY_FORMS: readonly KeyForm[] = [
  { pattern: /^\//, sample: (name) => ({ key: `/${name}`, tidied: name }) },
  { pattern: /\/\//, sample: (name) => ({ key: `${name}//a`, tidied: `${name}/a` }) },
  { pattern: /(?:^|\/)\.(?:$|\/)/, sample: (name) => ({ key: `${name}/./a`, tidied: `${name}/a` }) },
  { pattern: /(?:^|\/)\.\.(?:$|\/)/, sample: (name) => ({ key: `${name}/../${name}-a`, tidied: `${name}-a` }) },
  { pattern: /\\/, sample: (name) => ({ key: `${name}\\a`, tidied: `${name}/a` }) },
  { pattern: /__XLDIR__$/, sample: (name) => ({ key: `${name}${MINIO_DIRECTORY}`, tidied: `${name}/` }) },
];

/** Whether some servers would take the key for another one. */
export function hasOddForm(key: string): boolean {
  return KEY_FORMS.some(({ pattern }) => pattern.test(key));
}
