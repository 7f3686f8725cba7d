/** Every option, once: its type, group and help. Commands pick from these; `run-options.ts` makes them typed values. */
import type { Options } from "yargs";
import { TTL_POLICIES } from "../modes/expiry.js";

const TARGETS = "Targets:";
const SELECTION = "Selection:";
const WRITING = "Writing:";
const LIMITS = "Limits:";
const OUTPUT = "Output:";
const DUMP = "Dump:";

const word = (group: string, describe: string): Options => ({ type: "string", requiresArg: true, group, describe });
/** Given twice, the last one holds. */
const text = (group: string, describe: string): Options => ({ ...word(group, describe), coerce: lastOf });
/** Given twice, both hold. */
const texts = (group: string, describe: string): Options => ({ ...word(group, describe), array: true, nargs: 1 });
const flag = (group: string, describe: string): Options => ({ type: "boolean", group, describe });
const choice = (group: string, choices: readonly string[], describe: string): Options => ({
  ...text(group, describe),
  choices,
});

function lastOf(value: unknown): unknown {
  return Array.isArray(value) ? (value.at(-1) as unknown) : value;
}

export const TARGET_OPTIONS = {
  "dynamodb-endpoint": text(TARGETS, "DynamoDB endpoint: a URL, or `aws` [env AWS_ENDPOINT_URL_DYNAMODB]"),
  "s3-endpoint": text(TARGETS, "S3 endpoint: a URL, or `aws` [env AWS_ENDPOINT_URL_S3]"),
  "sqs-endpoint": text(TARGETS, "SQS endpoint: a URL, or `aws` [env AWS_ENDPOINT_URL_SQS]"),
  "redis-url": text(TARGETS, "redis://, rediss:// or unix:// without password [env REDIS_URL, REDIS_PASSWORD]"),
  "dynamodb-profile": text(TARGETS, "AWS profile for DynamoDB [env AWS_PROFILE]"),
  "s3-profile": text(TARGETS, "AWS profile for S3 [env AWS_PROFILE]"),
  "sqs-profile": text(TARGETS, "AWS profile for SQS [env AWS_PROFILE]"),
  region: text(TARGETS, "AWS region [env AWS_REGION]"),
  target: text(TARGETS, "named target of the configuration file [env ELASTICKV_RESTORE_TARGET]"),
  config: text(TARGETS, "configuration file [default elastickv-restore/config.yaml in the user's config folder]"),
} satisfies Record<string, Options>;

export const SELECTION_OPTIONS = {
  adapter: texts(SELECTION, "only these: dynamodb,s3,redis,sqs"),
  scope: texts(SELECTION, "only these: dynamodb=orders,users (repeatable; redis=0)"),
  include: texts(SELECTION, "only record keys that match this glob (repeatable)"),
  exclude: texts(SELECTION, "not the record keys that match this glob (repeatable)"),
} satisfies Record<string, Options>;

const RENAME_OPTION = {
  rename: texts(
    SELECTION,
    "restore under another name: dynamodb:orders=orders_copy, s3:*=dr-*, redis:0=3 (repeatable)",
  ),
} satisfies Record<string, Options>;

const WRITING_OPTIONS = {
  mode: choice(
    WRITING,
    ["replace", "merge", "skip-existing"],
    "what to do with what the target holds [default: refuse a scope that holds records]",
  ),
  transform: text(WRITING, "module whose default export changes or drops each record: ./mask.mjs"),
  "transform-limit": text(WRITING, "the largest record that a transform is given whole [default: 64MiB]"),
  "ttl-policy": choice(WRITING, TTL_POLICIES, "expiry of keys [default: skip-expired]"),
  "preserve-ttl": flag(WRITING, "the same as --ttl-policy preserve"),
  "list-merge-strategy": choice(
    WRITING,
    ["replace", "append", "reject"],
    "merge: a list that exists [default: replace]",
  ),
  "stream-merge-strategy": choice(
    WRITING,
    ["reject", "auto-id"],
    "merge: a stream that holds entries [default: reject]",
  ),
  "remap-dir": text(WRITING, "folder for the new ids of auto-id [default: beside the stream, in the dump]"),
  "replace-strategy": choice(
    WRITING,
    ["flush", "per-key"],
    "replace: how a Redis database is replaced [default: flush]",
  ),
  "fifo-dedup": choice(
    WRITING,
    ["original", "record"],
    "FIFO deduplication ids: kept while unique, or made [default: original; with --transform record]",
  ),
  "preserve-visibility": flag(WRITING, "messages that were in flight stay hidden as long as they would have been"),
  "purge-wait": text(WRITING, "replace: time between a queue's purge and the first message [default: 60s]"),
  "on-ambiguous": choice(WRITING, ["resend", "skip", "stop"], "a message whose answer was lost [default: resend]"),
  "multipart-threshold": text(WRITING, "objects above this size go in parts [default: 256MiB]"),
  "keep-etag": flag(WRITING, "one PUT up to 5 GiB where parts would change the ETag"),
  "allow-public": flag(WRITING, "make buckets public that were public-read"),
  "apply-policies": flag(WRITING, "apply bucket policies"),
  "allow-low-memory": flag(WRITING, "go on where a Redis target has too little memory, or may drop restored keys"),
} satisfies Record<string, Options>;

export const LIMIT_OPTIONS = {
  "rate-limit": texts(LIMITS, "5000ops/s for all, or dynamodb=500ops/s,s3=50MiB/s; none: no limit"),
  concurrency: texts(LIMITS, "batches of records at once, in each scope: 8, or dynamodb=8,s3=4"),
  unordered: flag(
    LIMITS,
    "standard queues: several requests at once, and messages in no order [default: in the dump's]",
  ),
  "max-retry-time": text(LIMITS, "how long a failing request is tried again [default: 5m]"),
} satisfies Record<string, Options>;

export const DUMP_OPTIONS = {
  "allow-orphan-buckets": flag(DUMP, "take bucket directories without _bucket.json (leftovers of deleted buckets)"),
  "require-consistent": flag(DUMP, "refuse a dump that is not one moment of the whole cluster"),
} satisfies Record<string, Options>;

export const OUTPUT_OPTIONS = {
  json: flag(OUTPUT, "the result as JSON on standard output"),
  progress: choice(OUTPUT, ["auto", "plain", "none"], "progress on standard error [default: auto]"),
} satisfies Record<string, Options>;

/** What `apply` and `plan` share: a plan is of exactly the run that the same words would start. */
export const RUN_OPTIONS = {
  ...TARGET_OPTIONS,
  ...SELECTION_OPTIONS,
  ...RENAME_OPTION,
  ...WRITING_OPTIONS,
  ...LIMIT_OPTIONS,
  ...DUMP_OPTIONS,
} satisfies Record<string, Options>;

const JOBS = "Jobs:";

export const STATE_OPTIONS = {
  "state-dir": text(
    JOBS,
    "where jobs are remembered [env ELASTICKV_RESTORE_STATE_DIR; default elastickv-restore in the user's state folder]",
  ),
} satisfies Record<string, Options>;

const DAEMON = "Daemon:";

/** Which daemon is meant, and what it takes to be let in. */
export const SERVER_OPTIONS = {
  server: text(
    DAEMON,
    "a daemon does it: local (its socket in the state folder), unix:/path, http://127.0.0.1:PORT, https://host:port",
  ),
  "token-file": text(DAEMON, "file with a token of the daemon's [env ELASTICKV_RESTORE_TOKEN: the token]"),
  "server-ca": text(DAEMON, "PEM file: trust the daemon's certificate by this authority alone"),
} satisfies Record<string, Options>;

/** Of commands that are for daemons alone. */
export const ANY_SERVER_OPTIONS = {
  ...SERVER_OPTIONS,
  server: text(
    DAEMON,
    "the daemon: local, unix:/path, http://127.0.0.1:PORT, https://host:port [env ELASTICKV_RESTORE_SERVER; default local]",
  ),
} satisfies Record<string, Options>;

/** Which of a daemon's jobs are listed. */
export const LISTED_OPTIONS = {
  state: texts(DAEMON, "only jobs in these states: queued,running,paused,held,finished,failed,cancelled"),
  kind: texts(DAEMON, "only jobs of these kinds: plan,apply,verify,drill"),
  limit: text(DAEMON, "at most so many, the latest [default: 20]"),
} satisfies Record<string, Options>;

/** What `serve` alone takes: all else stands in the configuration file. */
export const SERVE_OPTIONS = {
  config: TARGET_OPTIONS.config,
  check: flag(DAEMON, "only check the configuration, and end"),
} satisfies Record<string, Options>;

export const RESUME_OPTION = {
  resume: flag(JOBS, "take up the same restore where it was stopped"),
} satisfies Record<string, Options>;

/** What `plan` keeps, and `apply` runs. */
export const KEPT_PLAN_OPTIONS = {
  out: text(OUTPUT, "keep the plan in this file, for `apply --plan`"),
} satisfies Record<string, Options>;

export const PLAN_OPTION = {
  plan: text(WRITING, "run this plan of `plan --out`, and refuse where it is no longer what would be done"),
} satisfies Record<string, Options>;

/** How `retry` tells `apply`, and whoever takes such a job up again, what to restore. Not for people. */
export const RETRIED_OPTIONS = {
  "retry-of": { ...text(JOBS, "the report of `retry`"), hidden: true },
  only: { ...texts(JOBS, "the outcomes of `retry`"), hidden: true },
} satisfies Record<string, Options>;

/** What may be said beside a plan that is run: nothing that decides what is written where. */
export const BESIDE_PLAN_OPTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(LIMIT_OPTIONS),
  "json",
  "plan",
  "progress",
  "purge-wait",
  "report",
  "resume",
  "state-dir",
  "verify",
  "yes",
]);

/** What may be another one when a job is taken up. */
export const RESUME_OPTIONS = {
  ...TARGET_OPTIONS,
  ...LIMIT_OPTIONS,
  "purge-wait": WRITING_OPTIONS["purge-wait"],
  "on-ambiguous": WRITING_OPTIONS["on-ambiguous"],
  "rebind-target": flag(JOBS, "the endpoints changed, and the same data is reached there (a failover)"),
} satisfies Record<string, Options>;

const COMPARING = "Comparing:";

/** How a dump is compared with its targets. */
export const COMPARE_OPTIONS = {
  sample: text(COMPARING, "compare only this share of the records, chosen at random: 1%"),
  "sample-seed": text(COMPARING, "choose the same sample as another comparison did"),
  tolerance: text(COMPARING, "by how much an expiry may differ [default: 500ms]"),
  download: flag(COMPARING, "read objects whose digest the target does not tell"),
  messages: flag(
    COMPARING,
    "receive messages and give them back: receive counts rise, and consumers do not see them meanwhile",
  ),
  looks: text(COMPARING, "how often what differs is looked at before it counts [default: 2]"),
  "look-again-after": text(COMPARING, "time between two looks [default: 2s]"),
  "rebase-from": text(COMPARING, "with --ttl-policy rebase: when the restore began, as its report says (startedAt)"),
} satisfies Record<string, Options>;

export const VERIFY_OPTION = {
  verify: flag(COMPARING, "compare the targets with the dump afterwards, as `verify` does"),
} satisfies Record<string, Options>;

export const REPAIR_OPTIONS = {
  repair: flag(COMPARING, "restore what is missing or differs, in the mode given, and compare again"),
} satisfies Record<string, Options>;

export const REPORT_OPTION = {
  report: texts(
    OUTPUT,
    "write the report to this file: x.json, or x.html for people (repeatable); what was not restored goes beside it, as JSON lines",
  ),
} satisfies Record<string, Options>;

export const CONFIRM_OPTIONS = {
  yes: { ...flag(OUTPUT, "do not ask before deleting"), alias: "y" },
  ...REPORT_OPTION,
  "dry-run": flag(OUTPUT, "the same as `plan`"),
} satisfies Record<string, Options>;

const DRILL = "Drill:";

/** What `drill` alone takes. */
export const DRILL_OPTIONS = {
  pick: choice(DRILL, ["newest", "random"], "the folder holds dumps: take this one of them"),
  "drill-database": texts(
    DRILL,
    "named target: empty Redis databases to restore into, in the order of the dump's: 9,10",
  ),
  assertions: text(DRILL, "YAML or JSON file of what has to hold after the restore"),
  "max-rto": text(DRILL, "the longest that the restore may take: 30m"),
  "max-rpo": text(DRILL, "the oldest that the dump may be: 24h"),
  "trend-last": text(DRILL, "compare with this many of the last drills [default: 10]"),
  "trend-percent": text(DRILL, "remark on a restore that is slower than their median by more than this [default: 25]"),
  out: text(DRILL, "folder for the evidence [default: the drill's own in the state folder]"),
  clean: flag(DRILL, "remove what killed drills left, and end"),
  history: flag(DRILL, "list the drills so far, check that nobody altered them, and end"),
} satisfies Record<string, Options>;

/** Of the options that decide how records are written, those that a drill takes. */
export const DRILL_WRITING_OPTIONS = {
  "ttl-policy": choice(
    WRITING,
    TTL_POLICIES,
    "expiry of keys [default: rebase: what was left when the dump was taken is left again]",
  ),
  "fifo-dedup": WRITING_OPTIONS["fifo-dedup"],
  "multipart-threshold": WRITING_OPTIONS["multipart-threshold"],
  "keep-etag": WRITING_OPTIONS["keep-etag"],
} satisfies Record<string, Options>;

/** How many records `inspect` shows, unless told. */
export const DEFAULT_RECORD_LIMIT = "100";
