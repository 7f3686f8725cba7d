/** Files of a scope that the format does not know: left out, and said so. */
import { escapeForDisplay } from "../model/display.js";
import type { Catalogue } from "./catalogue.js";

const SHOWN = 3;

/** At most one warning. `known` is asked with the path below the scope. */
export function strayFiles(catalogue: Catalogue, scopePath: string, known: (below: string) => boolean): string[] {
  const prefix = `${scopePath}/`;
  const shown: string[] = [];
  let count = 0;
  for (const { path } of catalogue.rows(prefix)) {
    if (known(path.slice(prefix.length))) continue;
    if (++count <= SHOWN) shown.push(escapeForDisplay(path));
  }
  if (count === 0) return [];
  const more = count > shown.length ? ` and ${count - shown.length} more` : "";
  return [`left out, because the format does not know them: ${shown.join(", ")}${more}`];
}
