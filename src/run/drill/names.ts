/**
 * The names under which a drill restores into a server that holds other things as well: its own, with its id in them, so
 * that no scope of anybody else is meant. Within what each service takes for a name; two scopes never get the same one.
 */
import { createHash } from "node:crypto";
import { RestoreError } from "../../errors/restore-error.js";
import type { Adapter } from "../../model/scope.js";
import type { SelectionOptions } from "../selection.js";

export interface NamedScope {
  readonly adapter: Adapter;
  readonly name: string;
}

type Rename = SelectionOptions["renames"][number];

interface NameRule {
  readonly most: number;
  /** What a name may not hold. */
  readonly strange: RegExp;
  readonly isLowerCase?: true;
  /** Endings that the service keeps for itself. */
  readonly reserved?: RegExp;
}

const RULES: Record<Exclude<Adapter, "redis">, NameRule> = {
  dynamodb: { most: 255, strange: /[^A-Za-z0-9_.-]/g },
  // Without dots: some clients take a bucket for a host name, and several patterns with dots are forbidden.
  s3: { most: 63, strange: /[^a-z0-9-]/g, isLowerCase: true, reserved: /--?(?:s3alias|(?:ol|x|table)-s3)$/ },
  sqs: { most: 80, strange: /[^A-Za-z0-9_-]/g },
};

const FIFO = ".fifo";
const DIGEST_CHARS = 8;

/**
 * A rename for each of the scopes. `databases`: the numbers that Redis databases get, in the order of their own numbers.
 * @throws RestoreError USAGE when there are not as many as databases to restore
 */
export function drillRenames(
  scopes: readonly NamedScope[],
  { id, databases }: { readonly id: string; readonly databases: readonly number[] },
): Rename[] {
  const redis = scopes.filter(({ adapter }) => adapter === "redis").sort((a, b) => numberOf(a) - numberOf(b));
  assertDatabases(redis, databases);
  return [
    ...scopes.flatMap(({ adapter, name }) =>
      adapter === "redis" ? [] : [{ adapter, from: name, to: drillName(adapter, name, id) }],
    ),
    ...redis.map(({ adapter, name }, i) => ({ adapter, from: name, to: `db_${databases[i] ?? 0}` })),
  ];
}

/** `drill-<id>-<name>`, cut and freed of what the service does not take; then with a digest of the whole name. */
export function drillName(adapter: Exclude<Adapter, "redis">, name: string, id: string): string {
  const { most, strange, isLowerCase, reserved } = RULES[adapter];
  const suffix = adapter === "sqs" && name.endsWith(FIFO) ? FIFO : "";
  const bare = name.slice(0, name.length - suffix.length);
  const taken = (isLowerCase === true ? bare.toLowerCase() : bare).replace(strange, "-");
  const room = most - `drill-${id}-`.length - suffix.length;
  const isWhole =
    taken === bare && taken.length <= room && /[A-Za-z0-9]$/.test(taken) && reserved?.test(taken) !== true;
  const fitting = isWhole ? taken : `${taken.slice(0, room - DIGEST_CHARS - 1)}-${digestOf(name)}`;
  return `drill-${id}-${fitting}${suffix}`;
}

/** What servers of a sandbox take for a name. */
const TAKEN: Record<Exclude<Adapter, "redis">, RegExp> = {
  dynamodb: /^[A-Za-z0-9_.-]{3,255}$/,
  s3: /^(?!.*(?:\.\.|\.-|-\.))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  sqs: /^[A-Za-z0-9_-]{1,75}(?:[A-Za-z0-9_-]{0,5}|\.fifo)$/,
};

/** Databases that a Redis has unless it is told otherwise. */
const DATABASES = 16;

/** A rename for each scope whose name a sandbox would not take; there, all others keep theirs. */
export function sandboxRenames(scopes: readonly NamedScope[], id: string): Rename[] {
  const redis = scopes.filter(({ adapter }) => adapter === "redis").sort((a, b) => numberOf(a) - numberOf(b));
  const free = Array.from({ length: DATABASES }, (_, i) => i).filter((i) => !redis.some((one) => numberOf(one) === i));
  return scopes.flatMap(({ adapter, name }): Rename[] => {
    if (adapter !== "redis") {
      return TAKEN[adapter].test(name) ? [] : [{ adapter, from: name, to: drillName(adapter, name, id) }];
    }
    // Where there are more databases than a server has, it says so itself.
    const database = numberOf({ adapter, name }) < DATABASES ? undefined : free.pop();
    return database === undefined ? [] : [{ adapter, from: name, to: `db_${database}` }];
  });
}

function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, DIGEST_CHARS);
}

function numberOf({ name }: NamedScope): number {
  return Number(name.replace(/^db_/, ""));
}

function assertDatabases(redis: readonly NamedScope[], databases: readonly number[]): void {
  const wanted = redis.length;
  if (databases.length === wanted && new Set(databases).size === wanted) return;
  const held = redis.map(({ name }) => name).join(", ");
  if (wanted === 0) {
    throw new RestoreError("USAGE", "--drill-database names a Redis database, and the drill restores none", {
      hint: "Leave it out.",
    });
  }
  throw new RestoreError(
    "USAGE",
    `the drill restores ${held}, and --drill-database names ${databases.length === 0 ? "no database" : databases.join(", ")}`,
    {
      hint: "Name as many empty databases, which nobody else uses, with --drill-database 9 (or 9,10); or leave Redis out with --adapter.",
    },
  );
}
