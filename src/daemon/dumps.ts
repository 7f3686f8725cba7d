/** The dumps that stand below the configured roots. */
import { relative, sep } from "node:path";
import type * as z from "zod";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { dumpsBelow } from "../run/drill/pick.js";
import { nearest } from "../support/nearest.js";
import { Fault } from "./fault.js";
import type { dumpsSchema } from "./schema/http.js";

export type DumpsAnswer = z.infer<typeof dumpsSchema>;

export class Dumps {
  readonly #roots: Readonly<Record<string, string>>;
  /** A folder that is looked through is not looked through by a second one who asks. */
  readonly #looks = new Map<string, Promise<DumpsAnswer>>();

  /** `roots`: absolute folders by name. */
  constructor(roots: Readonly<Record<string, string>>) {
    this.#roots = roots;
  }

  /** Below one root, or all of them. @throws Fault NOT_FOUND for a root that is not configured */
  async list(root?: string): Promise<DumpsAnswer> {
    const names = Object.keys(this.#roots);
    if (root !== undefined && !names.includes(root)) throw unknownRoot(root, names);
    const answers: DumpsAnswer[] = [];
    for (const name of root === undefined ? names : [root]) answers.push(await this.#look(name));
    return {
      dumps: answers.flatMap(({ dumps }) => dumps),
      unreadable: answers.flatMap(({ unreadable }) => unreadable),
    };
  }

  async #look(root: string): Promise<DumpsAnswer> {
    const underWay = this.#looks.get(root) ?? this.#lookThrough(root).finally(() => this.#looks.delete(root));
    this.#looks.set(root, underWay);
    return await underWay;
  }

  async #lookThrough(root: string): Promise<DumpsAnswer> {
    const folder = this.#roots[root] ?? "";
    try {
      const { found, unreadable } = await dumpsBelow(folder);
      const dumps = found.map(({ path, takenAt, adapters }) => ({
        root,
        path: below(folder, path),
        takenAt,
        adapters,
      }));
      return { dumps, unreadable: unreadable.map((why) => ({ root, why })) };
    } catch (error) {
      if (!(error instanceof RestoreError)) throw error;
      return { dumps: [], unreadable: [{ root, why: messageOf(error) }] };
    }
  }
}

function below(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

function unknownRoot(root: string, names: readonly string[]): Fault {
  const near = nearest(root, names);
  const hint = near.length === 0 ? "Add it under `daemon.roots`." : `There are: ${near.join(", ")}.`;
  return new Fault("NOT_FOUND", `no root is called "${root}"`, { hint });
}
