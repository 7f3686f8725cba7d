/** What the daemon's page has to show on a bad night: long names, forty scopes, and a few of everything that goes wrong. */
import type { Progress, ScopeProgress } from "../../src/daemon/channel.js";
import type { Run } from "../../src/daemon/schema/schedule.js";
import type { Plan, PlannedScope } from "../../src/run/plan/plan-schema.js";
import { outcomes, plannedScope, planWith } from "./plans.js";

const LONG =
  "customer-notification-preferences-archive-eu-central-1-2024-with-a-name-that-nobody-shortened-because-it-was-generated";
const MIB = 1024 ** 2;

const TABLES = ["orders", "order-items", "payments", "users", "sessions", "carts", "inventory", "coupons", LONG];
const QUEUES = ["mail-outgoing", "invoice-rendering.fifo", "webhook-retries", "thumbnails"];

/** Forty scopes, as progress calls them. */
const SCOPES: readonly string[] = [
  ...TABLES.map((name) => `dynamodb/${name}`),
  ...Array.from({ length: 17 }, (_, i) => `dynamodb/tenant-${String(i).padStart(3, "0")}-events`),
  ...["photos", "invoices", "static-assets", "exports"].map((name) => `s3/${name}`),
  ...Array.from({ length: 6 }, (_, i) => `redis/db_${i}`),
  ...QUEUES.map((name) => `sqs/${name}`),
];

export function scopeProgress(scope: string, parts: Partial<ScopeProgress> = {}): ScopeProgress {
  return {
    scope,
    records: 1000,
    bytes: MIB,
    expectedBytes: 4 * MIB,
    outcomes: outcomes({ restored: 1000 }),
    differing: 0,
    perSecond: 250,
    secondsLeft: 12,
    isComparison: false,
    isFinished: false,
    ...parts,
  };
}

/** `done` of the forty have ended, four are under way. */
export function progressAt(done: number): Progress {
  const scopes = SCOPES.slice(0, done + 4).map((scope, i) => {
    const records = 12_000 + ((i * 7919) % 90_000);
    const bytes = records * 310;
    if (i >= done) {
      const share = 0.15 + 0.2 * (i - done);
      const part = Math.floor(records * share);
      const ended = outcomes({ restored: part - (i === done ? 7 : 0), failed: i === done ? 7 : 0 });
      const timed = { perSecond: 1840 + 310 * (i - done), secondsLeft: ((1 - share) * records) / 1840 };
      return scopeProgress(scope, {
        records: part,
        bytes: Math.floor(bytes * share),
        expectedBytes: bytes,
        outcomes: ended,
        ...timed,
      });
    }
    const ended = outcomes({
      restored: records - (i % 9 === 4 ? 431 : 0) - (i === 7 ? 3 : 0),
      "skipped-expired": i % 9 === 4 ? 431 : 0,
      rejected: i === 7 ? 2 : 0,
      ambiguous: i === 7 ? 1 : 0,
    });
    return scopeProgress(scope, { records, bytes, expectedBytes: bytes, outcomes: ended, isFinished: true });
  });
  return { check: { files: 48_213, bytes: 5_612 * MIB, isDone: true }, scopes };
}

function scenicScope(label: string, i: number): PlannedScope {
  const [adapter = "redis", scope = ""] = label.split(/\/(.*)/);
  const records = 12_000 + ((i * 7919) % 90_000);
  const isEmptied = i % 7 === 0;
  const conflicts = i === 3 ? 12 : 0;
  return plannedScope({
    adapter: adapter as PlannedScope["adapter"],
    scope,
    target: i === 2 ? "payments_restored" : scope,
    presence: isEmptied ? "holds-records" : "absent",
    ...(isEmptied ? { holds: { value: records + 40, exact: i % 2 === 0 } } : {}),
    decision: isEmptied ? "empty" : "create",
    bytes: records * 310,
    recordsRead: records,
    outcomes: outcomes({ restored: records - conflicts, rejected: conflicts }),
    toWrite: { records: records - conflicts, bytes: records * 300 },
    requests: Math.ceil(records / 25),
    conflicts: {
      count: conflicts,
      reasons: conflicts === 0 ? {} : { "rejected/wrong-type": conflicts },
      samples: Array.from({ length: conflicts }, (_, n) => ({
        key: `session:${n}`,
        path: `dynamodb/users/items/${n}.json`,
        outcome: "rejected" as const,
        reason: "wrong-type",
      })),
    },
    warnings: i === 5 ? ["the dead-letter queue of the dump is not part of it: the redrive policy is left out"] : [],
  });
}

/** A plan of the forty scopes that empties six of them. */
export function scenicPlan(): { readonly plan: Plan; readonly deletes: readonly string[] } {
  const scopes = SCOPES.map(scenicScope);
  const plan = planWith({
    scopes,
    mode: "replace",
    madeAt: new Date(Date.now() - 60_000).toISOString(),
    dump: {
      path: "/backups/prod/2026-11-25T0200",
      takenAt: "2026-11-25T02:00:04.118Z",
      phase: "phase1-live-pinned",
      files: 48_213,
      bytes: 5_612 * MIB,
    },
    targets: [
      {
        adapter: "dynamodb",
        endpoint: "https://dynamodb.recovery.example",
        origin: "target recovery",
        server: "",
        fallbacks: [],
      },
      {
        adapter: "redis",
        endpoint: "rediss://redis.recovery.example:6379",
        origin: "target recovery",
        server: "Redis 7.2.4",
        fallbacks: [],
      },
    ],
    expected: {
      seconds: 1520,
      adapters: [
        { adapter: "dynamodb", seconds: 1520, by: "past-restores" },
        { adapter: "sqs", seconds: 30, by: "rate-limit" },
      ],
    },
  });
  const emptied = scopes.filter(({ decision }) => decision === "empty");
  const deletes = emptied.map(
    ({ adapter, scope, holds }) =>
      `${adapter}:${scope}: ${holds?.exact === true ? "" : "about "}${holds?.value ?? 0} records; and, not brought back: its tags`,
  );
  return { plan, deletes };
}

/** Records that were not restored, of three kinds. */
export function listedRecords(count: number): Readonly<Record<string, unknown>>[] {
  const kinds = [
    ["rejected", "too-large", "the item takes 412 KiB, and a table holds items of 400 KiB at most"],
    ["failed", "throttled", "given up after 5 min: ProvisionedThroughputExceededException"],
    ["ambiguous", "answer-lost", "the connection was reset before the answer came"],
  ] as const;
  return Array.from({ length: count }, (_, i) => {
    const [outcome, reason, detail] = kinds[i % 3] ?? kinds[0];
    return {
      adapter: "dynamodb",
      scope: i % 5 === 0 ? LONG : "orders",
      path: `dynamodb/orders/items/${String(i).padStart(6, "0")}.jsonl`,
      line: i + 1,
      key: `{"customer_id":{"S":"c-${i}"},"order_ts":{"S":"2026-11-25T01:${i % 60}:00Z"}}`,
      outcome,
      reason,
      detail,
    };
  });
}

const DAY_MS = 86_400_000;

/** Runs of a nightly drill, the latest first. */
export function nightlyRuns(count: number, now: number): Run[] {
  return Array.from({ length: count }, (_, i) => {
    const due = new Date(now - (i + 0.3) * DAY_MS).toISOString();
    const recoveryMs = 1_260_000 + ((i * 7919) % 11) * 31_000 + (i < 6 ? (6 - i) * 95_000 : 0);
    const isFailed = i === 9;
    const isMissed = recoveryMs > 1_800_000;
    return {
      id: (i + 1).toString(16).padStart(16, "a"),
      schedule: "nightly-prod",
      trigger: i === 4 ? ("missed" as const) : ("due" as const),
      by: "schedule:nightly-prod",
      due,
      state: "ended" as const,
      outcome: isFailed ? ("failed" as const) : isMissed ? ("objective-missed" as const) : ("passed" as const),
      startedAt: due,
      endedAt: due,
      job: (i + 1).toString(16).padStart(16, "b"),
      dump: { root: "backups", path: `prod/${due.slice(0, 10)}T0200` },
      verdict: isFailed ? "failed" : "passed",
      exitStatus: isFailed ? 6 : 0,
      ...(isFailed ? {} : { recoveryMs, recordsPerSecond: 2_310_442_000 / recoveryMs }),
      records: 2_310_442 + i * 1200,
      objectives: {
        recoveryTime: isFailed ? { maxMs: 1_800_000 } : { ms: recoveryMs, maxMs: 1_800_000, met: !isMissed },
      },
      ...(isFailed
        ? { failures: ["3 records differ from the dump", 'the assertion "orders of today" does not hold'] }
        : {}),
    };
  });
}
