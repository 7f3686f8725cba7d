/** The public API: what the command line does, for programs. */

export { ERROR_CODES, type ErrorCode, EXIT } from "./errors/codes.js";
export { type ErrorPlace, RestoreError, type RetryClass } from "./errors/restore-error.js";
export { NOTES, type Note, type NoteKind, OUTCOMES, type Outcome, type OutcomeKind } from "./model/outcome.js";
export { ADAPTERS, type Adapter, type Scope } from "./model/scope.js";
export { modeByName } from "./modes/by-name.js";
export { TTL_POLICIES, type TtlPolicy } from "./modes/expiry.js";
export { type MergeStrategies, MODE_NAMES, type Mode, type ModeName } from "./modes/mode.js";
export type { Dump, OpenOptions } from "./readers/dump.js";
export { openDump } from "./readers/open-dump.js";
export { resealDump } from "./readers/reseal.js";
export type { AwsCredentials, AwsEndpoint, AwsOptions } from "./replayers/aws-client.js";
export { type ApplyOptions, apply } from "./run/apply.js";
export { type DrillReport, drillReportSchema } from "./run/drill/report.js";
export { type Outline, type OutlinedScope, type Plan, type PlannedScope, planSchema } from "./run/plan/plan-schema.js";
export { type PlanOptions, plan } from "./run/plan.js";
export type { RunOptions } from "./run/prepare.js";
export { type ProgressEvent, type ProgressSink, SILENT } from "./run/progress.js";
export type { RateLimit, RateLimits } from "./run/rates.js";
export { type Report, reportSchema } from "./run/report.js";
export type { SelectionOptions } from "./run/selection.js";
export type { Origin, TargetSettings } from "./run/targets.js";
export type {
  Bytes,
  PlainAttribute,
  PlainAttributes,
  PlainField,
  PlainHash,
  PlainHyperLogLog,
  PlainItem,
  PlainKey,
  PlainList,
  PlainMessage,
  PlainMetadata,
  PlainObject,
  PlainSet,
  PlainSortedSet,
  PlainStream,
  PlainString,
  TransformFunction,
  TransformRecord,
} from "./run/transform/plain-records.js";
export type { Transform } from "./run/transform/transform.js";
export type { Found } from "./run/verify/found.js";
export { type Verification, type VerifiedScope, verificationSchema } from "./run/verify/report.js";
export { type HowToVerify, type VerifyOptions, verifyTarget } from "./run/verify/verify-target.js";
export { type DumpVerification, type VerifyDumpOptions, verifyDump } from "./run/verify-dump.js";
export { type Clock, systemClock } from "./support/clock.js";
