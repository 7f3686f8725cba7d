/** Transforms for tests, typed by the one kind of record that they are given. */
import type { TransformFunction } from "../../src/run/transform/plain-records.js";
import type { RunRecord, Transformed } from "../../src/run/transform/transform.js";

/** What returns anything at all, as an operator's untyped module may. */
export function returning<T>(change: (record: T) => unknown): TransformFunction {
  return ((record: unknown) => change(record as T)) as TransformFunction;
}

/** Why the record is faulty; a note that it is not. */
export function detailOf(made: Transformed | RunRecord): string {
  return "kind" in made && made.kind === "faulty" ? made.detail : "it is not faulty";
}
