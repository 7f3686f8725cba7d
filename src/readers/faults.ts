/** Turns what went wrong while reading one record into the faulty record that stands in its place. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { Place, Position } from "../model/position.js";
import type { FaultyRecord } from "../model/record.js";
import { JsonSyntaxError } from "../support/json.js";
import { FieldError } from "./json-access.js";
import { LimitError } from "./json-stream.js";

/** A record's own fault that has a word of its own. */
export class RecordFault extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = "RecordFault";
    this.reason = reason;
  }
}

export interface RecordFrame {
  readonly place: Place;
  readonly after: Position;
  readonly displayKey: string;
  readonly bytes: number;
  readonly key?: Buffer;
}

/** @throws `error` itself when it is no fault of the record */
export function faultyRecord(frame: RecordFrame, error: unknown): FaultyRecord {
  const { reason, outcome } = classify(error);
  const detail = escapeForDisplay(error instanceof Error ? error.message : String(error));
  return { kind: "faulty", ...frame, outcome, reason, detail };
}

function classify(error: unknown): Pick<FaultyRecord, "reason" | "outcome"> {
  if (error instanceof RecordFault || error instanceof JsonSyntaxError) {
    return { reason: error.reason, outcome: "rejected" };
  }
  if (error instanceof FieldError) return { reason: "malformed-record", outcome: "rejected" };
  if (error instanceof LimitError) return { reason: "limit-exceeded", outcome: "rejected" };
  if (isChangedAfterCheck(error)) {
    return { reason: "changed-after-check", outcome: "failed" };
  }
  throw error;
}

/** True for what a file throws whose bytes are no longer those that were checked. */
export function isChangedAfterCheck(error: unknown): error is RestoreError {
  return error instanceof RestoreError && error.code === "CHANGED_AFTER_CHECK";
}

/** The error of a sidecar or metadata file: exit status 4. `code` and path come from the caller. */
export function structuralError(
  code: "SCHEMA_INVALID" | "SCOPE_INVALID" | "KEYMAP_INVALID" | "TTL_INVALID" | "NAME_INVALID",
  place: Place,
  what: string,
): RestoreError {
  const at = place.line === undefined ? place.path : `${place.path}:${place.line}`;
  return new RestoreError(code, `${escapeForDisplay(at)}: ${escapeForDisplay(what)}`, {
    where: { path: place.path, ...(place.line === undefined ? {} : { line: place.line }) },
    hint: "Take the dump again, or mend the file by hand and run `elastickv-restore reseal <dump>`.",
  });
}

/** Runs `read`, turning malformed JSON and fields into a structural error. */
export function structural<T>(code: Parameters<typeof structuralError>[0], place: Place, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof FieldError) {
      throw structuralError(code, place, error.message);
    }
    throw error;
  }
}
