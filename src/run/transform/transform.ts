/**
 * Puts one record through an operator's transform: its own function in this process, trusted as the operator is, not
 * sandboxed. What it returns is checked before it takes the record's place; what goes wrong is that record's alone.
 *
 * A record that the transform leaves out is, like one that --exclude names, no part of what was read: it is counted
 * beside the records read, so that their outcomes still add up to them.
 */
import { interrupted as interruption } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { Place, Position } from "../../model/position.js";
import type { DumpRecord, FaultyRecord, WritableRecord } from "../../model/record.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import { faultyRecord, RecordFault } from "../../readers/faults.js";
import { FieldError } from "../../readers/json-access.js";
import { LimitError } from "../../readers/json-stream.js";
import { JsonSyntaxError } from "../../support/json.js";
import { plainItem, rebuiltItem } from "./items.js";
import { plainKey } from "./keys.js";
import { MemoryBudget } from "./limits.js";
import { plainMessage, rebuiltMessage } from "./messages.js";
import { plainObject, rebuiltObject } from "./objects.js";
import type { TransformFunction, TransformRecord } from "./plain-records.js";
import type { Rebuilt } from "./rebuilt.js";
import { rebuiltKey } from "./rebuilt-keys.js";
import { asMembers, TransformFault } from "./returned.js";

export interface Transform {
  readonly call: TransformFunction;
  /** For people, in plan and report: the module's path. */
  readonly name: string;
  /** SHA-256 of the module, hexadecimal: a job is taken up by the same one only. */
  readonly digest: string;
  /** The largest record, as it stands in memory, that is handed over or taken back. Default 64 MiB. */
  readonly limitBytes?: number;
}

/** A record that the transform dropped. It has no outcome. */
export interface LeftOutRecord {
  readonly kind: "left-out";
  readonly place: Place;
  readonly after: Position;
  readonly displayKey: string;
  readonly bytes: number;
}

/** What a run's scopes yield once selection and transform had their say. */
export type RunRecord = DumpRecord | LeftOutRecord;

export type Transformed = Rebuilt | LeftOutRecord | FaultyRecord;

export interface Transforming {
  readonly transform: Transform;
  readonly scope: Scope;
  readonly signal?: AbortSignal;
}

const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * The record that takes this one's place, or how it ends without one. Calls the function once.
 * @throws RestoreError INTERRUPTED
 */
export async function transformRecord(record: WritableRecord, job: Transforming): Promise<Transformed> {
  const limitBytes = job.transform.limitBytes ?? DEFAULT_LIMIT_BYTES;
  let given: TransformRecord;
  try {
    given = await plainRecord(record, job.scope, new MemoryBudget(limitBytes));
  } catch (error) {
    return faultyRecord(faultFrame(record), error);
  }
  const called = await call(given, job);
  if ("thrown" in called) return failed(record, `the transform threw ${called.thrown}`);
  if (called.returned === undefined || called.returned === null) return leftOut(record);
  try {
    assertIdentity(called.returned, record, job.scope);
    return rebuiltOf(called.returned, { record, scope: job.scope, budget: new MemoryBudget(limitBytes) });
  } catch (error) {
    if (error instanceof LimitError) return faultyRecord(faultFrame(record), error);
    if (!isFault(error)) throw error;
    return failed(record, `what the transform returned is not usable: ${error.message}`);
  }
}

async function call(
  given: TransformRecord,
  { transform, signal }: Transforming,
): Promise<{ readonly returned: unknown } | { readonly thrown: string }> {
  if (signal?.aborted === true) throw interruption();
  let stop: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(interruption());
    signal?.addEventListener("abort", stop, { once: true });
  });
  try {
    const work = (async () => ({ returned: await transform.call(given) }))().catch((error: unknown) => ({
      thrown: thrownText(error),
    }));
    return await Promise.race([work, interrupted]);
  } finally {
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

/** The first place in a file, be it a path or an address of one. */
const FRAME = /\n\s+at (?:[^\n]*\()?(?:file:\/\/)?\/[^\n]*?([^\n/]*:\d+:\d+)\)?(?=\n|$)/;

/** Which error and where in the operator's code. Its message is left out: it may quote the record. */
function thrownText(error: unknown): string {
  if (!(error instanceof Error)) return `a ${typeof error}, not an Error`;
  const name = /^[A-Za-z_$][\w$]{0,60}$/.test(error.name) ? error.name : "Error";
  const { stack = "", message } = error;
  const frame = FRAME.exec(stack.slice(Math.max(0, stack.indexOf(message)) + message.length));
  return frame === null ? name : `${name} at ${frame[1] ?? ""}`;
}

/** A record as plain values. @throws LimitError above the budget */
export async function plainRecord(
  record: WritableRecord,
  scope: Scope,
  budget: MemoryBudget,
): Promise<TransformRecord> {
  if (record.kind === "item" && scope.adapter === "dynamodb") return plainItem(record, scope);
  if (record.kind === "object" && scope.adapter === "s3") return await plainObject(record, scope, budget);
  if (record.kind === "message" && scope.adapter === "sqs") return plainMessage(record, scope);
  if (isRedis(record) && scope.adapter === "redis") return await plainKey(record, scope, budget);
  throw strange(record, scope);
}

function rebuiltOf(
  returned: unknown,
  job: { readonly record: WritableRecord; readonly scope: Scope; readonly budget: MemoryBudget },
): Rebuilt {
  const { record, scope, budget } = job;
  if (record.kind === "item" && scope.adapter === "dynamodb") return rebuiltItem(returned, record, scope);
  if (record.kind === "object") return rebuiltObject(returned, record, budget);
  if (record.kind === "message" && scope.adapter === "sqs") return rebuiltMessage(returned, record, scope);
  if (isRedis(record)) return rebuiltKey(returned, record, budget);
  throw strange(record, scope);
}

function isRedis(record: WritableRecord): record is Exclude<WritableRecord, { kind: "item" | "object" | "message" }> {
  return record.kind !== "item" && record.kind !== "object" && record.kind !== "message";
}

function strange(record: WritableRecord, scope: Scope): RestoreError {
  return new RestoreError("INTERNAL", `a record of kind ${record.kind} in ${scopeLabel(scope)}`);
}

/** Neither where a record goes nor what it is may change. */
function assertIdentity(returned: unknown, record: WritableRecord, scope: Scope): void {
  const members = asMembers(returned, "it");
  const kind = record.kind === "collection" ? record.type : record.kind;
  for (const [name, expected] of [
    ["adapter", scope.adapter],
    ["scope", scope.name],
    ["kind", kind],
  ] as const) {
    if (members.get(name) !== expected) throw new TransformFault(`${name} has to stay "${expected}"`);
  }
}

function isFault(error: unknown): error is Error {
  return (
    error instanceof TransformFault ||
    error instanceof RecordFault ||
    error instanceof FieldError ||
    error instanceof JsonSyntaxError
  );
}

function failed(record: WritableRecord, why: string): FaultyRecord {
  const detail = escapeForDisplay(why);
  return { kind: "faulty", ...faultFrame(record), outcome: "rejected", reason: "transform-failed", detail };
}

/** The second record under a key that the transform gave to two. */
export function duplicate(record: WritableRecord): FaultyRecord {
  const detail = "after the transform, a record before it has the same key";
  return { kind: "faulty", ...faultFrame(record), outcome: "rejected", reason: "duplicate-record", detail };
}

function faultFrame(record: WritableRecord) {
  const { place, after, displayKey, bytes, notes } = record;
  const key = record.kind === "object" ? Buffer.from(record.key) : isRedis(record) ? record.key : undefined;
  return {
    ...{ place, after, displayKey, bytes },
    ...(key === undefined ? {} : { key }),
    ...(notes === undefined ? {} : { notes }),
  };
}

function leftOut({ place, after, displayKey, bytes }: WritableRecord): LeftOutRecord {
  return { kind: "left-out", place, after, displayKey, bytes };
}
