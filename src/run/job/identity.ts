/**
 * What makes a job the job that it is: dump, targets and everything that decides what is written where. A job is taken up
 * only by the same identity. Rates, concurrency, waits, progress and reports are no part of it.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { ADAPTERS } from "../../model/scope.js";

const words = z.array(z.string());

export const identitySchema = z.strictObject({
  /** SHA-256 over MANIFEST.json and CHECKSUMS, hexadecimal: the dump's content, wherever it lies. */
  dump: z.string(),
  mode: z.string(),
  /** Options that change what is written, by the name that they have on the command line. */
  options: z.record(z.string(), z.string()),
  adapters: words,
  scopes: words,
  include: words,
  exclude: words,
  /** Every scope of the run, with its name on the target. */
  targets: z.array(z.strictObject({ adapter: z.enum(ADAPTERS), scope: z.string(), target: z.string() })),
  /** Adapter and endpoint, without secrets. */
  endpoints: z.record(z.string(), z.string()),
});

export type JobIdentity = z.infer<typeof identitySchema>;

/** 64 hexadecimal digits; equal for equal identities only. */
export function fingerprintOf(identity: JobIdentity): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(identity)))
    .digest("hex");
}

/** A sentence for each way in which `other` is not `one`; none when they are equal. */
export function differences(one: JobIdentity, other: JobIdentity): string[] {
  const names = new Map([...flat(one), ...flat(other)].map(([name]) => [name, true]));
  const [before, now] = [new Map(flat(one)), new Map(flat(other))];
  return [...names.keys()].flatMap((name) => {
    const [was, is] = [before.get(name), now.get(name)];
    return was === is ? [] : [`${name} was ${was ?? "not there"} and is ${is ?? "not there"}`];
  });
}

function flat(identity: JobIdentity): [string, string][] {
  const { dump, mode, options, adapters, scopes, include, exclude, targets, endpoints } = identity;
  return [
    ["dump", dump],
    ["--mode", mode],
    ...Object.entries(options),
    ...listed("--adapter", adapters),
    ...listed("--scope", scopes),
    ...listed("--include", include),
    ...listed("--exclude", exclude),
    ...targets.map(({ adapter, scope, target }): [string, string] => [`target of ${adapter}:${scope}`, target]),
    ...Object.entries(endpoints).map(([adapter, endpoint]): [string, string] => [`${adapter} endpoint`, endpoint]),
  ];
}

function listed(name: string, values: readonly string[]): [string, string][] {
  return values.length === 0 ? [] : [[name, values.join(", ")]];
}

/** Object members in one order, whatever order they were made in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
