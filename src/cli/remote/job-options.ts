/** A job's options and limits, and the dump that it is about, out of what was typed. Pure. */
import type * as z from "zod";
import type { Limits } from "../../daemon/channel.js";
import type { PlacedDump } from "../../daemon/schema/job.js";
import { RestoreError } from "../../errors/restore-error.js";
import { parseShare } from "../../run/verify/sample.js";
import { schemaFaults, schemaFaultText } from "../../support/schema-faults.js";
import { parseBytes, parseConcurrency, parseDurationMs, parseRateLimits, usage } from "../quantities.js";
import { parseSelection, type SelectionArguments } from "../selection.js";
import { camel } from "../words.js";
import { optionName, SCHEMAS, type SubmittedCommand } from "./giveable.js";

type Convert = (given: unknown, option: string) => unknown;

/** Requests write amounts in one form; the command line takes several. */
const AMOUNT = /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;
const SIZE = /^\d+(?:\.\d+)?(?:B|KB|KiB|MB|MiB|GB|GiB)?$/;

const duration: Convert = (given, option) => {
  const text = String(given);
  const ms = parseDurationMs(text, option);
  return AMOUNT.test(text) ? text : `${ms}ms`;
};

const size: Convert = (given, option) => {
  const text = String(given);
  const bytes = parseBytes(text, option);
  return SIZE.test(text) ? text : `${bytes}B`;
};

const wholeNumber: Convert = (given, option) => {
  const text = String(given);
  if (!/^(?:0|[1-9]\d{0,8})$/.test(text)) throw usage(option, text, "a whole number");
  return Number(text);
};

/** Given several times, or several behind one: `9,10`. */
function each(given: unknown): string[] {
  return [given].flat().flatMap((text) => String(text).split(","));
}

const CONVERT: Readonly<Record<string, Convert>> = {
  adapters: (given) => [...new Set(each(given))],
  databases: (given, option) => each(given).map((text) => wholeNumber(text, option)),
  lookAgainAfter: duration,
  looks: wholeNumber,
  maxRetryTime: duration,
  maxRpo: duration,
  maxRto: duration,
  multipartThreshold: size,
  purgeWait: duration,
  sample: (given) => `${Number((parseShare(String(given)) * 100).toPrecision(12))}%`,
  tolerance: duration,
  trendLast: wholeNumber,
  trendPercent: wholeNumber,
};

interface OptionArguments extends SelectionArguments {
  readonly preserveTtl?: boolean;
  readonly ttlPolicy?: string;
}

/** @throws RestoreError USAGE, in the same words as for a run of this process where there are such */
export function optionsOf<C extends SubmittedCommand>(command: C, args: OptionArguments): z.infer<(typeof SCHEMAS)[C]> {
  parseSelection(args);
  const values: Readonly<Record<string, unknown>> = { ...args, ttlPolicy: ttlPolicy(args) };
  const options = Object.keys(SCHEMAS[command].shape).flatMap((name) => {
    const option = optionName(name);
    const given = values[camel(option)];
    if (given === undefined || given === false) return [];
    return [[name, CONVERT[name]?.(given, `--${option}`) ?? given] as const];
  });
  const result = SCHEMAS[command].safeParse(Object.fromEntries(options));
  if (result.success) return result.data as z.infer<(typeof SCHEMAS)[C]>;
  const texts = schemaFaults(result.error).map((fault) => {
    const [name, ...rest] = fault.path;
    return schemaFaultText({ ...fault, path: rest }, `--${optionName(String(name))}`);
  });
  throw new RestoreError("USAGE", texts.join("; "));
}

function ttlPolicy({ preserveTtl, ttlPolicy: policy }: OptionArguments): string | undefined {
  if (preserveTtl !== true) return policy;
  if (policy === undefined || policy === "preserve") return "preserve";
  throw new RestoreError("USAGE", `--preserve-ttl and --ttl-policy ${policy} contradict one another`, {
    hint: "Give one of them.",
  });
}

export interface LimitArguments {
  readonly rateLimit?: readonly string[];
  readonly concurrency?: readonly string[];
}

/** Empty where none were given. @throws RestoreError USAGE */
export function limitsOf({ rateLimit = [], concurrency = [] }: LimitArguments): Limits {
  parseRateLimits(rateLimit);
  parseConcurrency(concurrency);
  return {
    ...(rateLimit.length === 0 ? {} : { rateLimit: rateLimit.join(",") }),
    ...(concurrency.length === 0 ? {} : { concurrency: concurrency.join(",") }),
  };
}

/** `backups/2026/nightly`: below the root `backups`. @throws RestoreError USAGE */
export function dumpOf(text: string): PlacedDump {
  const [root = "", ...below] = text.split("/");
  if (/^[\w.-]{1,100}$/.test(root) && !/^\.{1,2}$/.test(root)) {
    return { root, path: below.filter((part) => part !== "").join("/") };
  }
  throw new RestoreError("USAGE", `a daemon does not know dumps by paths such as "${text}"`, {
    hint: "Name it as ROOT/PATH: a root of the daemon's settings, and the dump's folder below it.",
  });
}
