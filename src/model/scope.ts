/**
 * Scopes: what a dump is divided into and what a restore prepares on a target before it writes records.
 * A table, a bucket, a database, a queue. Types and pure functions only.
 */

export const ADAPTERS = ["dynamodb", "s3", "redis", "sqs"] as const;
export type Adapter = (typeof ADAPTERS)[number];

/** What the protocol calls its scope, for messages. */
export const SCOPE_NOUN: Record<Adapter, string> = {
  dynamodb: "table",
  s3: "bucket",
  redis: "database",
  sqs: "queue",
};

interface ScopeBase {
  /** Name in the dump: table, bucket or queue name, `db_<n>` for Redis. */
  readonly name: string;
  /** Name on the target, after renames. The same shape as `name`. */
  readonly target: string;
  /** Directory of the scope, relative to the dump's root. */
  readonly path: string;
  /** What the reader had to forgive or could not know; shown in plan and report. */
  readonly warnings: readonly string[];
}

export type KeyType = "S" | "N" | "B";

export interface KeyAttribute {
  readonly name: string;
  readonly type: KeyType;
}

export interface KeySchema {
  readonly hash: KeyAttribute;
  readonly range?: KeyAttribute;
}

export interface TableIndex {
  readonly name: string;
  readonly key: KeySchema;
  readonly projection: {
    readonly type: "ALL" | "KEYS_ONLY" | "INCLUDE";
    readonly nonKeyAttributes?: readonly string[];
  };
  /** Units a second; absent: on demand. */
  readonly throughput?: Throughput;
}

export interface Throughput {
  readonly read: number;
  readonly write: number;
}

export interface TableSchema {
  readonly key: KeySchema;
  readonly globalIndexes: readonly TableIndex[];
  readonly localIndexes: readonly TableIndex[];
  /** Units a second; absent: on demand. */
  readonly throughput?: Throughput;
}

export interface TableScope extends ScopeBase {
  readonly adapter: "dynamodb";
  readonly schema: TableSchema;
}

export interface BucketSettings {
  readonly acl: "private" | "public-read";
  /** `Enabled` and `Suspended` are applied; absent means the bucket never had versions. */
  readonly versioning?: "Enabled" | "Suspended";
  /** JSON text of the bucket policy. */
  readonly policy?: string;
  readonly region?: string;
}

export interface BucketScope extends ScopeBase {
  readonly adapter: "s3";
  /** Absent when the dump cannot tell them: the bucket is made with defaults and a warning. */
  readonly settings?: BucketSettings;
}

export interface DatabaseScope extends ScopeBase {
  readonly adapter: "redis";
  readonly database: number;
  readonly targetDatabase: number;
}

export interface QueueSettings {
  readonly fifo: boolean;
  readonly contentBasedDeduplication: boolean;
  readonly visibilityTimeoutSeconds?: number;
  readonly messageRetentionSeconds?: number;
  readonly delaySeconds: number;
  readonly receiveMessageWaitSeconds: number;
  /** Bytes, attributes included. */
  readonly maximumMessageSize?: number;
  /** JSON text as it stands in the dump; ARNs still name the source's queues. */
  readonly redrivePolicy?: string;
  readonly redriveAllowPolicy?: string;
  readonly partitionCount?: number;
  readonly fifoThroughputLimit?: string;
  readonly deduplicationScope?: string;
}

export interface QueueScope extends ScopeBase {
  readonly adapter: "sqs";
  readonly settings: QueueSettings;
}

export type Scope = TableScope | BucketScope | DatabaseScope | QueueScope;

export interface ScopeByAdapter {
  dynamodb: TableScope;
  s3: BucketScope;
  redis: DatabaseScope;
  sqs: QueueScope;
}

/** `dynamodb:orders`: how a scope is written in options, messages and reports. */
export function scopeLabel(scope: { readonly adapter: Adapter; readonly name: string }): string {
  return `${scope.adapter}:${scope.name}`;
}
