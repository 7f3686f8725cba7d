/** Amounts as people write them: sizes, durations, rates. Each parser says what it takes when it is given something else. */
import { RestoreError } from "../errors/restore-error.js";
import { ADAPTERS, type Adapter } from "../model/scope.js";
import type { RateLimit, RateLimits } from "../run/rates.js";

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  kib: 1024,
  mb: 1e6,
  mib: 1024 ** 2,
  gb: 1e9,
  gib: 1024 ** 3,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `64MiB`, `5GB`, `1024`: bytes. */
export function parseBytes(text: string, option: string): number {
  const bytes = amount(text, SIZE_UNITS);
  if (bytes === undefined) throw usage(option, text, "a size such as 64MiB");
  return Math.floor(bytes);
}

/** `500ms`, `90s`, `5m`, `1h`, `30d`, a bare number of seconds: milliseconds. */
export function parseDurationMs(text: string, option: string): number {
  const ms = amount(text, DURATION_UNITS);
  if (ms === undefined) throw usage(option, text, "a time such as 90s or 5m");
  return ms;
}

function amount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, name = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const unit = Object.hasOwn(units, name.toLowerCase()) ? units[name.toLowerCase()] : undefined;
  return number === undefined || unit === undefined ? undefined : Number(number) * unit;
}

/**
 * `5000ops/s` for all, or `dynamodb=500ops/s,s3=50MiB/s`; an adapter may stand twice, with operations and with bytes.
 * `none` is no limit, in place of one that a named target has.
 */
export function parseRateLimits(texts: readonly string[]): RateLimits {
  const limits: { -readonly [K in keyof RateLimits]: RateLimits[K] } = {};
  const given = texts.flatMap((text) => keyed(text, "--rate-limit"));
  const unlimited = new Set(given.filter(({ value }) => value.trim() === "none").map(({ key }) => key));
  for (const { key, value } of given) {
    if (value.trim() === "none") continue;
    const limit = parseRate(value);
    const name = key ?? "all";
    if (unlimited.has(key)) throw new RestoreError("USAGE", `--rate-limit names ${name} with a rate and with none`);
    const both = { ...limits[name], ...limit };
    if (Object.keys(both).length !== Object.keys(limits[name] ?? {}).length + 1) {
      throw new RestoreError("USAGE", `--rate-limit names ${name} twice with the same unit`);
    }
    limits[name] = both;
  }
  return limits;
}

function parseRate(text: string): RateLimit {
  const match = /^(\d+(?:\.\d+)?\s*\w*)\/s$/i.exec(text.trim());
  const [, quantity = ""] = match ?? [];
  const ops = /^(\d+(?:\.\d+)?)\s*ops$/i.exec(quantity)?.[1];
  const value = ops === undefined ? amount(quantity, SIZE_UNITS) : Number(ops);
  if (match === null || value === undefined || value <= 0 || (ops === undefined && /^\d+(\.\d+)?$/.test(quantity))) {
    throw usage("--rate-limit", text, "a rate such as 5000ops/s or 50MiB/s, or none");
  }
  return ops === undefined ? { bytesPerSecond: value } : { opsPerSecond: value };
}

/** `8` for all adapters, or `dynamodb=8,s3=4`. */
export function parseConcurrency(texts: readonly string[]): { readonly [A in Adapter]?: number } {
  const limits: { [A in Adapter]?: number } = {};
  const given = texts.flatMap((text) => keyed(text, "--concurrency"));
  // The number for all adapters gives way to an adapter's own, wherever it stands.
  for (const { key, value } of [
    ...given.filter((each) => each.key === undefined),
    ...given.filter((each) => each.key),
  ]) {
    const count = Number(value);
    if (!Number.isInteger(count) || count < 1 || count > 1024) {
      throw usage("--concurrency", value, "a number of requests from 1 to 1024");
    }
    for (const adapter of key === undefined ? ADAPTERS : [key]) limits[adapter] = count;
  }
  return limits;
}

/** As a change has it; adapters that it does not name keep what they had. @throws RestoreError USAGE */
export function changedConcurrency(had: readonly string[], change: readonly string[]): string[] {
  const limits = { ...parseConcurrency(had), ...parseConcurrency(change) };
  const counts = new Set(ADAPTERS.map((adapter) => limits[adapter]));
  const [count] = counts;
  if (counts.size === 1) return count === undefined ? [] : [String(count)];
  const named = ADAPTERS.filter((adapter) => limits[adapter] !== undefined);
  return [named.map((adapter) => `${adapter}=${limits[adapter]}`).join(",")];
}

function keyed(text: string, option: string): { key?: Adapter; value: string }[] {
  return text.split(",").map((part) => {
    const at = part.indexOf("=");
    return at < 0
      ? { value: part }
      : { key: parseAdapter(part.slice(0, at).trim(), option), value: part.slice(at + 1) };
  });
}

/** @throws RestoreError USAGE naming the adapters */
export function parseAdapter(text: string, option: string): Adapter {
  const adapter = ADAPTERS.find((known) => known === text);
  if (adapter === undefined) throw usage(option, text, `an adapter: ${ADAPTERS.join(", ")}`);
  return adapter;
}

export function usage(option: string, given: string, wanted: string): RestoreError {
  return new RestoreError("USAGE", `${option} does not take "${given}"`, { hint: `It takes ${wanted}.` });
}
