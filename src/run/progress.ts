/**
 * The progress sink: the engine reports facts, a sink shows them. The engine never formats; sinks never throw.
 */
import type { OutcomeKind } from "../model/outcome.js";
import type { Scope } from "../model/scope.js";
import type { Totals } from "./tally.js";

export type ProgressEvent =
  | { readonly type: "checking"; readonly files: number; readonly bytes: number }
  | { readonly type: "checked"; readonly files: number; readonly bytes: number }
  | { readonly type: "surveyed"; readonly scope: Scope; readonly records: number }
  | {
      readonly type: "scope-started";
      readonly scope: Scope;
      readonly expectedBytes: number;
      /** Whether records are compared, not restored. */
      readonly isComparison?: boolean;
    }
  | {
      readonly type: "records";
      readonly scope: Scope;
      readonly outcome: OutcomeKind;
      readonly records: number;
      readonly bytes: number;
    }
  | { readonly type: "compared"; readonly scope: Scope; readonly bytes: number; readonly differing: boolean }
  | {
      /** Where a scope's counts start over: what is known of it without being written now. */
      readonly type: "counted-before";
      readonly scope: Scope;
      readonly records: number;
      readonly bytes: number;
      readonly outcomes: Totals;
    }
  | { readonly type: "scope-finished"; readonly scope: Scope }
  | { readonly type: "warning"; readonly scope?: Scope; readonly text: string }
  | { readonly type: "finished" };

export interface ProgressSink {
  report(event: ProgressEvent): void;
}

export const SILENT: ProgressSink = { report: () => undefined };
