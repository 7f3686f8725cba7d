/**
 * What of a dump a run takes and under which names it goes to the target. Pure; built once from the options and checked
 * against what the dump holds, so that a name nobody has is an error and not a restore of nothing.
 */
import { RestoreError } from "../errors/restore-error.js";
import { type Adapter, SCOPE_NOUN, scopeLabel } from "../model/scope.js";
import type { ScopeSelection } from "../readers/dump.js";
import { globToRegExp } from "../support/glob.js";
import { nearest } from "../support/nearest.js";

export interface SelectionOptions {
  /** Absent: all that the dump holds. */
  readonly adapters?: readonly Adapter[];
  /** Adapter and names; an adapter without an entry is taken whole. */
  readonly scopes: readonly { readonly adapter: Adapter; readonly name: string }[];
  /** Globs on record keys. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** `from` and `to` hold at most one `*` each, and both or neither. */
  readonly renames: readonly { readonly adapter: Adapter; readonly from: string; readonly to: string }[];
}

export interface OutlinedScope {
  readonly adapter: Adapter;
  readonly name: string;
}

export class Selection implements ScopeSelection {
  readonly #options: SelectionOptions;
  readonly #include: readonly RegExp[];
  readonly #exclude: readonly RegExp[];

  constructor(options: SelectionOptions) {
    this.#options = options;
    this.#include = options.include.map(globToRegExp);
    this.#exclude = options.exclude.map(globToRegExp);
  }

  /** What to say of a run that met no key it was to take; undefined where keys were met or all are meant. */
  warningFor(recordsMet: number): string | undefined {
    return this.isPartial && recordsMet === 0 ? "no record's key matches --include and --exclude" : undefined;
  }

  /** True when keys are selected, not only whole scopes. */
  get isPartial(): boolean {
    return this.#include.length + this.#exclude.length > 0;
  }

  wants(adapter: Adapter, name: string): boolean {
    const { adapters, scopes } = this.#options;
    if (adapters !== undefined && !adapters.includes(adapter)) return false;
    const named = scopes.filter((scope) => scope.adapter === adapter);
    if (named.length > 0) return named.some((scope) => scope.name === name);
    // With --scope alone, adapters that it does not name are not meant.
    return scopes.length === 0 || adapters !== undefined;
  }

  targetName(adapter: Adapter, name: string): string {
    for (const rename of this.#options.renames) {
      if (rename.adapter !== adapter) continue;
      const renamed = applyRename(rename, name);
      if (renamed !== undefined) return renamed;
    }
    return name;
  }

  wantsKey(key: string): boolean {
    if (this.#include.length > 0 && !this.#include.some((glob) => glob.test(key))) return false;
    return !this.#exclude.some((glob) => glob.test(key));
  }

  /** @throws RestoreError SELECTION_UNKNOWN for a name the dump does not hold, USAGE for two scopes with one target */
  validate(outline: readonly OutlinedScope[]): void {
    const { adapters, scopes, renames } = this.#options;
    const known = new Set(outline.map((scope) => scope.adapter));
    for (const adapter of adapters ?? []) {
      if (!known.has(adapter)) throw unknown(`the dump holds no ${adapter} data`, adapter, [...known]);
    }
    for (const scope of scopes) assertKnown(outline, scope.adapter, (name) => name === scope.name, scope.name);
    for (const rename of renames) {
      assertKnown(outline, rename.adapter, (name) => applyRename(rename, name) !== undefined, rename.from);
    }
    this.#assertDistinctTargets(outline);
  }

  #assertDistinctTargets(outline: readonly OutlinedScope[]): void {
    const targets = new Map<string, string>();
    for (const { adapter, name } of outline) {
      if (!this.wants(adapter, name)) continue;
      const target = scopeLabel({ adapter, name: this.targetName(adapter, name) });
      const other = targets.get(target);
      if (other !== undefined) {
        throw new RestoreError("USAGE", `${other} and ${name} would both be restored into ${target}`, {
          hint: "Give each its own target name with --rename, or select one of them with --scope.",
        });
      }
      targets.set(target, name);
    }
  }
}

function applyRename(rename: { readonly from: string; readonly to: string }, name: string): string | undefined {
  const star = rename.from.indexOf("*");
  if (star < 0) return rename.from === name ? rename.to : undefined;
  const [before, after] = [rename.from.slice(0, star), rename.from.slice(star + 1)];
  if (name.length < before.length + after.length || !name.startsWith(before) || !name.endsWith(after)) return undefined;
  return rename.to.replace("*", () => name.slice(before.length, name.length - after.length));
}

function assertKnown(
  outline: readonly OutlinedScope[],
  adapter: Adapter,
  matches: (name: string) => boolean,
  asked: string,
): void {
  const names = outline.filter((scope) => scope.adapter === adapter).map((scope) => scope.name);
  if (!names.some(matches)) {
    throw unknown(`the dump holds no ${adapter} ${SCOPE_NOUN[adapter]} "${asked}"`, asked, names);
  }
}

function unknown(message: string, asked: string, names: readonly string[]): RestoreError {
  const near = nearest(asked, names);
  return new RestoreError("SELECTION_UNKNOWN", message, {
    hint: near.length === 0 ? "`elastickv-restore inspect` lists what it holds." : `It holds: ${near.join(", ")}.`,
  });
}
