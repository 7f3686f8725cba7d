/** Every error code with the exit status it leads to. One list, so that no two places disagree. */

export const EXIT = {
  ok: 0,
  stopped: 1,
  usage: 2,
  incomplete: 3,
  dump: 4,
  target: 5,
  differences: 6,
  interrupted: 130,
  terminated: 143,
} as const;

export const ERROR_CODES = {
  // usage: the command line or the configuration
  USAGE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  ENDPOINT_MISSING: EXIT.usage,
  SECRET_ON_COMMAND_LINE: EXIT.usage,
  SELECTION_UNKNOWN: EXIT.usage,
  // the dump
  DUMP_NOT_FOUND: EXIT.dump,
  DUMP_UNREADABLE: EXIT.dump,
  MANIFEST_MISSING: EXIT.dump,
  MANIFEST_INVALID: EXIT.dump,
  VERSION_UNSUPPORTED: EXIT.dump,
  CHECKSUMS_MISSING: EXIT.dump,
  CHECKSUMS_INVALID: EXIT.dump,
  CHECKSUM_MISMATCH: EXIT.dump,
  FILE_MISSING: EXIT.dump,
  FILE_UNLISTED: EXIT.dump,
  TREE_INVALID: EXIT.dump,
  NAME_INVALID: EXIT.dump,
  KEYMAP_INVALID: EXIT.dump,
  TTL_INVALID: EXIT.dump,
  SCOPE_INVALID: EXIT.dump,
  SCHEMA_INVALID: EXIT.dump,
  DUMP_INCONSISTENT: EXIT.dump,
  // the target, before the first write
  TARGET_UNREACHABLE: EXIT.target,
  TARGET_CREDENTIALS: EXIT.target,
  TARGET_NOT_EMPTY: EXIT.target,
  TARGET_SCHEMA_DIFFERS: EXIT.target,
  TARGET_SCOPE_IMPOSSIBLE: EXIT.target,
  TARGET_UNFIT: EXIT.target,
  NOT_CONFIRMED: EXIT.target,
  PLAN_OUTDATED: EXIT.target,
  // the run
  OUTAGE: EXIT.stopped,
  IN_DOUBT: EXIT.stopped,
  TARGET_FULL: EXIT.stopped,
  LOCAL_IO: EXIT.stopped,
  JOURNAL_INVALID: EXIT.stopped,
  JOB_HELD: EXIT.stopped,
  JOB_DIFFERS: EXIT.usage,
  JOB_UNKNOWN: EXIT.usage,
  JOB_UNFINISHED: EXIT.target,
  INTERNAL: EXIT.stopped,
  INTERRUPTED: EXIT.interrupted,
  // one record or one call
  CHANGED_AFTER_CHECK: EXIT.incomplete,
  RECORD_REFUSED: EXIT.incomplete,
  CALL_FAILED: EXIT.incomplete,
  REPLY_LOST: EXIT.incomplete,
  THROTTLED: EXIT.incomplete,
  CONNECTION: EXIT.stopped,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
