/** A notebook in memory, whose pages can be given to the next process of a job. */
import type { Scope } from "../../src/model/scope.js";
import type { Notebook } from "../../src/replayers/replayer.js";

export class MemoryNotebook implements Notebook {
  /** By scope and name, `s3:bucket/name`. */
  readonly pages: Map<string, string>;
  /** Called before a note is kept. What it throws keeps it from being kept. */
  beforeNote: (name: string, value: string | undefined) => void = () => undefined;

  constructor(pages: ReadonlyMap<string, string> = new Map()) {
    this.pages = new Map(pages);
  }

  find(scope: Scope, prefix: string): ReadonlyMap<string, string> {
    const label = `${scope.adapter}:${scope.name}/`;
    const found = [...this.pages].filter(([name]) => name.startsWith(label + prefix));
    return new Map(found.map(([name, value]) => [name.slice(label.length), value]));
  }

  async note(scope: Scope, name: string, value?: string): Promise<void> {
    await Promise.resolve();
    this.beforeNote(name, value);
    const page = `${scope.adapter}:${scope.name}/${name}`;
    if (value === undefined) this.pages.delete(page);
    else this.pages.set(page, value);
  }
}
