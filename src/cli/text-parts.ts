/** What texts for people have in common. Pure. */
import { escapeControls, escapeForDisplay } from "../model/display.js";

const SCOPES_NAMED = 3;

/** Where a record stands in the dump, printable. */
export function shownPlace(path: string, line: number | undefined): string {
  return escapeForDisplay(line === undefined ? path : `${path}:${line}`);
}

/** The same warning of several scopes is said once. */
export function scopeWarnings<T extends { readonly warnings: readonly string[] }>(
  scopes: readonly T[],
  label: (scope: T) => string,
): string[] {
  const labels = new Map<string, string[]>();
  for (const scope of scopes) {
    for (const warning of scope.warnings) labels.set(warning, [...(labels.get(warning) ?? []), label(scope)]);
  }
  return [...labels].map(([warning, where]) => `${named(where)}: ${warning}`);
}

/** The first few, and how many more there are. */
export function named(labels: readonly string[]): string {
  const more = labels.length - SCOPES_NAMED;
  return `${labels.slice(0, SCOPES_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

export function warningLines(warnings: readonly string[]): string[] {
  return warnings.length === 0 ? [] : ["", "Warnings:", ...warnings.map((warning) => `  ${warning}`), ""];
}

/** Names and paths of a dump, and what a target answered, must not steer a terminal. */
export function lines(all: readonly string[]): string {
  return `${escapeControls(all.join("\n"))
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}
