/**
 * What jobs reach of their targets, and which may not be under way side by side. By what was asked for alone: the engine's
 * own locks on scopes are the last word, and this only keeps processes from being begun that would run into them.
 *
 * A job that only looks may stand beside another one that does. Two jobs of which one writes may not, where both may reach
 * the same scope of the same server.
 */
import { ADAPTERS } from "../../model/scope.js";
import { endpointKey } from "../../run/job/same-endpoint.js";
import type { JobRecord } from "./record.js";
import { optionOf } from "./words.js";

export interface Claim {
  readonly job: string;
  readonly target: string;
  /** A text for each server of the target. */
  readonly servers: ReadonlySet<string>;
  readonly writes: boolean;
  readonly adapters: ReadonlySet<string>;
  /** `adapter=scope`; undefined: any. */
  readonly scopes?: ReadonlySet<string>;
}

/** `endpointsOf`: a text for each server of a named target, the same for the same server. */
export type EndpointsOf = (target: string) => readonly string[];

/** Undefined for a job that reaches no target that others could reach as well. */
export function claimOf(record: JobRecord, endpointsOf: EndpointsOf): Claim | undefined {
  const { id, kind, target } = record;
  if (target === undefined) return undefined;
  const scopes = scopesOf(record);
  return {
    job: id,
    target,
    servers: new Set([`target ${target}`, ...endpointsOf(target).map(endpointKey)]),
    writes: kind === "apply" || kind === "drill" || optionOf(record, "repair") === true,
    adapters: new Set(wordsOf(record, "adapters") ?? ADAPTERS),
    ...(scopes === undefined ? {} : { scopes }),
  };
}

export function conflict(one: Claim, other: Claim): boolean {
  if (!one.writes && !other.writes) return false;
  if (!overlap(one.servers, other.servers) || !overlap(one.adapters, other.adapters)) return false;
  return one.scopes === undefined || other.scopes === undefined || overlap(one.scopes, other.scopes);
}

/** Under other names, or a drill's own, scopes are not what was asked for. */
function scopesOf(record: JobRecord): ReadonlySet<string> | undefined {
  const scopes = wordsOf(record, "scopes");
  if (scopes === undefined || record.kind === "drill" || wordsOf(record, "rename") !== undefined) return undefined;
  return new Set(
    scopes.flatMap((text) => {
      const [adapter = "", names = ""] = text.split("=", 2);
      // `redis=0` and `redis=db_0` are one.
      return names.split(",").map((name) => `${adapter}=${adapter === "redis" ? name.replace(/^db_/, "") : name}`);
    }),
  );
}

function wordsOf(record: JobRecord, name: string): readonly string[] | undefined {
  const given = optionOf(record, name);
  return Array.isArray(given) && given.length > 0 ? given.map(String) : undefined;
}

function overlap(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].some((each) => other.has(each));
}
