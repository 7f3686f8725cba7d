/** Objects as a transform sees them, and back. A body that comes back as it was stays on disk, and keeps its ETag. */
import { createHash } from "node:crypto";
import { escapeForDisplay } from "../../model/display.js";
import type { ObjectMetadata, ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import { present } from "../../support/present.js";
import type { MemoryBudget } from "./limits.js";
import { MemoryContent } from "./memory-content.js";
import type { PlainMetadata, PlainObject } from "./plain-records.js";
import { frameOf, type Rebuilt } from "./rebuilt.js";
import { asBytes, asList, asOnly, asOptionalText, asText, TransformFault } from "./returned.js";

const HEADERS = ["contentType", "contentEncoding", "cacheControl", "contentDisposition"] as const;

/** @throws RestoreError CHANGED_AFTER_CHECK */
export async function plainObject(
  record: ObjectRecord,
  scope: BucketScope,
  budget: MemoryBudget,
): Promise<PlainObject> {
  const { key, body, metadata } = record;
  return {
    adapter: "s3",
    scope: scope.name,
    kind: "object",
    key,
    body: budget.fits(body.size) ? await body.buffer() : null,
    metadata: { ...metadata, user: metadata.user.map(([name, value]) => ({ name, value })) } satisfies PlainMetadata,
  };
}

/** @throws TransformFault, LimitError */
export function rebuiltObject(returned: unknown, record: ObjectRecord, budget: MemoryBudget): Rebuilt<ObjectRecord> {
  const members = asOnly(returned, "the object", ["adapter", "scope", "kind", "key", "body", "metadata"]);
  const key = asText(members.get("key"), "key");
  if (key === "") throw new TransformFault("key is empty");
  const rebuilt: ObjectRecord = {
    ...frameOf(record),
    kind: "object",
    displayKey: escapeForDisplay(key),
    key,
    metadata: readMetadata(members.get("metadata")),
    ...rebuiltBody(members.get("body"), record, budget),
  };
  return { record: rebuilt, identity: key };
}

function rebuiltBody(returned: unknown, { body, etag }: ObjectRecord, budget: MemoryBudget) {
  const untouched = { body, bytes: body.size, ...(etag === undefined ? {} : { etag }) };
  if (returned === null && !budget.fits(body.size)) return untouched;
  const bytes = asBytes(returned, "body");
  if (bytes.length === body.size && createHash("sha256").update(bytes).digest("hex") === body.sha256) return untouched;
  budget.take(bytes.length, 0);
  return { body: new MemoryContent(bytes), bytes: bytes.length };
}

function readMetadata(returned: unknown): ObjectMetadata {
  const members = asOnly(returned, "metadata", [...HEADERS, "user"]);
  const user = asList(members.get("user"), "metadata.user").map((one) => {
    const pair = asOnly(one, "metadata.user[]", ["name", "value"]);
    return [
      asText(pair.get("name"), "metadata.user[].name"),
      asText(pair.get("value"), "metadata.user[].value"),
    ] as const;
  });
  if (new Set(user.map(([name]) => name)).size < user.length) {
    throw new TransformFault("metadata.user holds a name twice");
  }
  const [contentType, contentEncoding, cacheControl, contentDisposition] = HEADERS.map((name) =>
    asOptionalText(members.get(name), `metadata.${name}`),
  );
  return present({ contentType, contentEncoding, cacheControl, contentDisposition, user });
}
