/** Damages to what was restored, done by plain clients, and what a comparison has to find of each: that, and nothing else. */
import type { Verification } from "../../../src/run/verify/report.js";
import type { DumpFile } from "../dump-builder.js";

export interface Damage<Client> {
  /** The record's key, and what is done to it. The dump holds it for this damage alone. */
  readonly key: string;
  /** What the dump holds, by path below its root. None: the damage is a record that the dump lacks. */
  readonly files: Readonly<Record<string, DumpFile>>;
  readonly damage: (client: Client) => Promise<unknown>;
  /** As `adapter:scope "key" kind at`; parts that a difference has not got are left out. */
  readonly found: readonly string[];
}

interface Place {
  readonly scope: string;
  readonly key?: string;
}

export function foundAs({ scope, key }: Place, ...differences: readonly string[]): string[] {
  return differences.map((each) => [scope, ...(key === undefined ? [] : [`"${key}"`]), each].join(" "));
}

/** All that a comparison lists, in the words of `Damage.found`. */
export function told({ differences }: Pick<Verification, "differences">): string[] {
  return differences
    .flatMap(({ adapter, scope, key, kind, at }) =>
      foundAs(
        { scope: `${adapter}:${scope}`, ...(key === undefined ? {} : { key }) },
        at === undefined ? kind : `${kind} ${at}`,
      ),
    )
    .sort();
}

export function expectedOf(damages: readonly Pick<Damage<never>, "found">[]): string[] {
  return damages.flatMap(({ found }) => found).sort();
}

export function filesOf(damages: readonly Pick<Damage<never>, "files">[]): Record<string, DumpFile> {
  return Object.fromEntries(damages.flatMap(({ files }) => Object.entries(files)));
}
