/** Every command as data: what it is called, takes and does. The code behind it is loaded when it is run: `handlers.ts`. */
import type { Options } from "yargs";
import { RestoreError } from "../errors/restore-error.js";
import {
  ANY_SERVER_OPTIONS,
  COMPARE_OPTIONS,
  CONFIRM_OPTIONS,
  DEFAULT_RECORD_LIMIT,
  DRILL_OPTIONS,
  DRILL_WRITING_OPTIONS,
  DUMP_OPTIONS,
  KEPT_PLAN_OPTIONS,
  LIMIT_OPTIONS,
  LISTED_OPTIONS,
  OUTPUT_OPTIONS,
  PLAN_OPTION,
  REPAIR_OPTIONS,
  REPORT_OPTION,
  RESUME_OPTION,
  RESUME_OPTIONS,
  RETRIED_OPTIONS,
  RUN_OPTIONS,
  SELECTION_OPTIONS,
  SERVE_OPTIONS,
  SERVER_OPTIONS,
  STATE_OPTIONS,
  TARGET_OPTIONS,
  VERIFY_OPTION,
} from "./options.js";

export type CommandName =
  | "apply"
  | "cancel"
  | "drill"
  | "inspect"
  | "jobs"
  | "limits"
  | "pause"
  | "plan"
  | "reseal"
  | "resume"
  | "retry"
  | "serve"
  | "status"
  | "verify"
  | "watch";

export interface Command {
  readonly name: CommandName;
  /** `apply <dump>`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, Options>>;
  /** Positional arguments: name and help. */
  readonly positionals: Readonly<Record<string, string>>;
  readonly examples: readonly (readonly [line: string, does: string])[];
}

const DUMP_POSITIONAL = { dump: "the dump's directory; with --server, ROOT/PATH as the daemon names it" };
const DAEMON_JOB_POSITIONAL = { job: "the job's id or how it begins" };

export const COMMANDS: readonly Command[] = [
  {
    name: "apply",
    usage: "apply [dump]",
    summary: "restore a dump",
    options: {
      ...RUN_OPTIONS,
      ...PLAN_OPTION,
      ...VERIFY_OPTION,
      ...RESUME_OPTION,
      ...RETRIED_OPTIONS,
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...CONFIRM_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positionals: DUMP_POSITIONAL,
    examples: [
      ["$0 apply ./dump --redis-url redis://127.0.0.1:6379 --adapter redis", "the dump's keys into an empty Redis"],
      ["$0 apply ./dump --mode merge --report report.json", "all of it, endpoints from the environment"],
      ["$0 apply --plan plan.json", "just what `plan --out` kept"],
      [
        "$0 apply backups/2026-11-25 --server local --target staging --mode merge",
        "a daemon does it, and shows it here",
      ],
    ],
  },
  {
    name: "plan",
    usage: "plan <dump>",
    summary: "check dump and targets and say what apply would do, without writing",
    options: {
      ...RUN_OPTIONS,
      ...RETRIED_OPTIONS,
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...KEPT_PLAN_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positionals: DUMP_POSITIONAL,
    examples: [
      ["$0 plan ./dump --mode replace", "what a replace would delete and write"],
      ["$0 plan ./dump --mode merge --out plan.json", "keep it, to look at it and run just that"],
    ],
  },
  {
    name: "verify",
    usage: "verify <dump>",
    summary: "check a dump; with endpoints or --target, compare the targets with it, record by record",
    options: {
      checksums: { type: "boolean", group: "Dump:", describe: "stop after manifest, digests and metadata" },
      ...COMPARE_OPTIONS,
      ...REPAIR_OPTIONS,
      ...RUN_OPTIONS,
      ...RESUME_OPTION,
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...REPORT_OPTION,
      yes: { type: "boolean", alias: "y", group: "Output:", describe: "--repair: do not ask before deleting" },
      ...OUTPUT_OPTIONS,
    },
    positionals: DUMP_POSITIONAL,
    examples: [
      ["$0 verify ./dump", "is this dump whole, and can each record be read?"],
      [
        "$0 verify ./dump --redis-url redis://127.0.0.1:6379 --adapter redis",
        "does that Redis hold what the dump holds?",
      ],
      ["$0 verify ./dump --target staging --sample 1% --report proof.json", "a quick look, with a report"],
    ],
  },
  {
    name: "inspect",
    usage: "inspect <dump> [path]",
    summary: "list what a dump holds, find records by key, or show them whole",
    options: {
      values: { type: "boolean", group: "Records:", describe: "show found records whole, and not a line each" },
      plain: { type: "boolean", group: "Records:", describe: "items as plain JSON, without DynamoDB's types" },
      limit: {
        type: "string",
        requiresArg: true,
        group: "Records:",
        describe: `at most so many records; 0: all [default: ${DEFAULT_RECORD_LIMIT}]`,
      },
      "allow-orphan-buckets": DUMP_OPTIONS["allow-orphan-buckets"],
      ...SELECTION_OPTIONS,
      ...OUTPUT_OPTIONS,
      json: { ...OUTPUT_OPTIONS.json, describe: "JSON on standard output: of records, a line each" },
    },
    positionals: {
      ...DUMP_POSITIONAL,
      path: "a record's file in the dump, `:line` picks one line; or a scope: redis/db_0",
    },
    examples: [
      ["$0 inspect ./dump", "adapters, scopes, counts and sizes"],
      ["$0 inspect ./dump redis/db_0 --include 'user:*'", "keys of one database that begin so"],
      ["$0 inspect ./dump redis/db_0/hashes/user%3A1.json", "one hash, with its real key"],
      ["$0 inspect ./dump --adapter dynamodb --include '*cust-1*' --values --plain", "items by key, as plain JSON"],
    ],
  },
  {
    name: "drill",
    usage: "drill [dump]",
    summary: "restore a dump where it harms nobody, prove it, measure it, and take it away again",
    options: {
      ...DRILL_OPTIONS,
      ...TARGET_OPTIONS,
      ...SELECTION_OPTIONS,
      ...DRILL_WRITING_OPTIONS,
      ...LIMIT_OPTIONS,
      ...DUMP_OPTIONS,
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positionals: { dump: "the dump's directory; with --pick, a folder under which dumps stand" },
    examples: [
      ["$0 drill ./dump", "does this dump restore, and how long does it take? in servers of its own"],
      ["$0 drill /backups --pick newest --max-rto 30m --max-rpo 24h --assertions checks.yaml", "for a schedule"],
      ["$0 drill ./dump --target staging --drill-database 9", "into real servers, under names of its own"],
      ["$0 drill --history", "the drills so far"],
      ["$0 drill --clean", "after a drill was killed: what is it that it left?"],
    ],
  },
  {
    name: "resume",
    usage: "resume [job]",
    summary: "take up a restore that was stopped",
    options: { ...RESUME_OPTIONS, ...STATE_OPTIONS, ...SERVER_OPTIONS, ...REPORT_OPTION, ...OUTPUT_OPTIONS },
    positionals: { job: "the job's id or how it begins; left out: the only one that is unfinished" },
    examples: [
      ["$0 resume", "go on where the only unfinished restore was"],
      ["$0 resume 8f14e45f", "of several unfinished ones, this one"],
    ],
  },
  {
    name: "status",
    usage: "status [job]",
    summary: "list restores: running, stopped, finished and cancelled ones",
    options: { ...STATE_OPTIONS, ...SERVER_OPTIONS, json: OUTPUT_OPTIONS.json },
    positionals: { job: "the job's id or how it begins: its scopes and counts" },
    examples: [
      ["$0 status", "which restores run here, and which can be taken up again?"],
      ["$0 status 8f14e45f --json", "how far is this one?"],
    ],
  },
  {
    name: "retry",
    usage: "retry <result>",
    summary: "restore again what a report lists as not restored, missing or different",
    options: {
      only: {
        type: "string",
        array: true,
        nargs: 1,
        requiresArg: true,
        group: "Jobs:",
        describe: "of these outcomes [default: failed,rejected]; `ambiguous` sends messages that may be there already",
      },
      dump: {
        type: "string",
        requiresArg: true,
        group: "Jobs:",
        describe: "the same dump, where it stands elsewhere now",
      },
      ...RUN_OPTIONS,
      ...STATE_OPTIONS,
      ...CONFIRM_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positionals: { result: "a report as JSON, or the id of a job that is finished" },
    examples: [["$0 retry report.json --report again.json", "options as they were then; others may be given"]],
  },
  {
    name: "cancel",
    usage: "cancel <job>",
    summary: "let go of a restore: stop it, and remove what it left half-written",
    options: {
      forget: { type: "boolean", group: "Jobs:", describe: "do not reach the targets; says what may stay there" },
      ...RESUME_OPTIONS,
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...OUTPUT_OPTIONS,
    },
    positionals: { job: "the job's id or how it begins" },
    examples: [["$0 cancel 8f14e45f", "what it restored stays; nothing is left beside it"]],
  },
  {
    name: "jobs",
    usage: "jobs [action]",
    summary: "prune: remove what is remembered of restores that ended; with --server: list a daemon's jobs",
    options: {
      "older-than": {
        type: "string",
        requiresArg: true,
        group: "Jobs:",
        describe: "only those that ended so long ago: 30d, 12h [default: 30d]",
      },
      "dry-run": { type: "boolean", group: "Jobs:", describe: "only list them" },
      ...STATE_OPTIONS,
      ...SERVER_OPTIONS,
      ...LISTED_OPTIONS,
      json: OUTPUT_OPTIONS.json,
    },
    positionals: { action: "prune; left out with --server" },
    examples: [
      ["$0 jobs prune --older-than 30d", "finished and cancelled ones; unfinished ones stay"],
      ["$0 jobs --server local --state running,paused", "what a daemon works on"],
    ],
  },
  {
    name: "watch",
    usage: "watch <job>",
    summary: "show a daemon's job to its end, and what it came to",
    options: {
      ...ANY_SERVER_OPTIONS,
      ...STATE_OPTIONS,
      ...REPORT_OPTION,
      out: { type: "string", requiresArg: true, group: "Output:", describe: "of a drill: folder for the evidence" },
      ...OUTPUT_OPTIONS,
    },
    positionals: DAEMON_JOB_POSITIONAL,
    examples: [["$0 watch 8f14e45f --report report.html", "its progress, then the same report as of a local restore"]],
  },
  {
    name: "pause",
    usage: "pause <job>",
    summary: "have a daemon's job send nothing more until it is resumed",
    options: { ...ANY_SERVER_OPTIONS, ...STATE_OPTIONS, json: OUTPUT_OPTIONS.json },
    positionals: DAEMON_JOB_POSITIONAL,
    examples: [
      ["$0 pause 8f14e45f", "ends once nothing is under way"],
      ["$0 resume 8f14e45f --server local", "lets it go on"],
    ],
  },
  {
    name: "limits",
    usage: "limits <job>",
    summary: "change the limits of a daemon's job while it runs",
    options: {
      "rate-limit": LIMIT_OPTIONS["rate-limit"],
      concurrency: LIMIT_OPTIONS.concurrency,
      ...ANY_SERVER_OPTIONS,
      ...STATE_OPTIONS,
      json: OUTPUT_OPTIONS.json,
    },
    positionals: DAEMON_JOB_POSITIONAL,
    examples: [["$0 limits 8f14e45f --rate-limit dynamodb=500ops/s", "slower, from now on"]],
  },
  {
    name: "serve",
    usage: "serve",
    summary: "restores as jobs over HTTP, drills on a schedule, and a page to watch them",
    options: { ...SERVE_OPTIONS, ...STATE_OPTIONS },
    positionals: {},
    examples: [
      ["$0 serve --check", "is the configuration in order?"],
      ["$0 serve", "until it is told to end; jobs that run then are taken up at the next start"],
    ],
  },
  {
    name: "reseal",
    usage: "reseal <dump>",
    summary: "after a hand edit: list what changed and write CHECKSUMS anew",
    options: {
      "dry-run": { type: "boolean", group: "Output:", describe: "only list what changed" },
      ...OUTPUT_OPTIONS,
    },
    positionals: DUMP_POSITIONAL,
    examples: [["$0 reseal ./dump --dry-run", "which files are not what CHECKSUMS says?"]],
  },
];

export function commandNamed(name: CommandName): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) throw new RestoreError("INTERNAL", `there is no command ${name}`);
  return command;
}
