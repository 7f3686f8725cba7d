/** Files of a scope that the format does not know: left out, and said so. */
import { escapeForDisplay } from "../model/display.js";
import type { Catalogue } from "./catalogue.js";

const SHOWN = 3;

export class StrayFiles {
  readonly #shown: string[] = [];
  #count = 0;

  add(path: string): void {
    if (++this.#count <= SHOWN) this.#shown.push(escapeForDisplay(path));
  }

  /** At most one. */
  get warnings(): string[] {
    if (this.#count === 0) return [];
    const more = this.#count > this.#shown.length ? ` and ${this.#count - this.#shown.length} more` : "";
    return [`left out, because the format does not know them: ${this.#shown.join(", ")}${more}`];
  }
}

/** At most one warning. `known` is asked with the path below the scope. */
export function strayFiles(catalogue: Catalogue, scopePath: string, known: (below: string) => boolean): string[] {
  const prefix = `${scopePath}/`;
  const strays = new StrayFiles();
  for (const { path } of catalogue.rows(prefix)) if (!known(path.slice(prefix.length))) strays.add(path);
  return strays.warnings;
}
