/** Compares a stream's entries: both are gone through in the order of their ids, side by side. */
import type { StreamEntry, StreamRecord } from "../../../model/record.js";
import type { Reply } from "../connection.js";
import { compareIds, idBehind, laterId } from "../stream-entries.js";
import { LISTED } from "./findings.js";
import type { Matter } from "./matter.js";
import { isSame } from "./parts.js";

const PAGE = 1_000;

export async function compareEntries(matter: Matter, record: StreamRecord): Promise<void> {
  const held = Number(await matter.reader.link.command("XLEN", [record.key]));
  if (matter.findings.oneIsEnough && held !== record.count) {
    matter.findings.add("count", `the target holds ${held} entries, the dump ${record.count}`);
    return;
  }
  await new Comparing(matter, record, held).run();
}

type Held = readonly [id: string, fields: readonly unknown[]];

class Comparing {
  readonly #matter: Matter;
  readonly #record: StreamRecord;
  /** Ids of entries that the dump holds and nobody can read. */
  readonly #unreadable: ReadonlySet<string>;
  /** Entries of the target that have not been met yet. */
  #left: number;
  /** From here on the target has not been read. Undefined: there are no ids beyond. */
  #next: string | undefined = "0-0";

  constructor(matter: Matter, record: StreamRecord, held: number) {
    this.#matter = matter;
    this.#record = record;
    this.#left = held;
    this.#unreadable = new Set(record.faultyEntries.map(({ id }) => id));
  }

  async run(): Promise<void> {
    for await (const entries of this.#record.entries()) {
      await this.#compare(entries);
      if (this.#matter.findings.isSettled) return;
    }
    if (this.#left <= 0 || this.#matter.allowMore) return;
    const page = await this.#read("+", Math.min(this.#left, LISTED + this.#unreadable.size));
    for (const entry of page) this.#extra(entry);
    this.#matter.findings.addUnlisted(Math.max(0, this.#left));
  }

  /** With all that the target holds up to the last of them. */
  async #compare(entries: readonly StreamEntry[]): Promise<void> {
    const end = entries.map(({ id }) => id).reduce(laterId);
    let at = 0;
    const missUpTo = (id: string | undefined): void => {
      for (let entry = entries[at]; entry !== undefined; entry = entries[++at]) {
        if (id !== undefined && compareIds(entry.id, id) >= 0) return;
        this.#matter.findings.add("missing-part", "the target lacks it", pathOf(entry.id));
      }
    };
    const limit = Math.min(entries.length + 1, PAGE);
    for (;;) {
      const page = await this.#read(end, limit);
      for (const held of page) {
        const [id] = held;
        missUpTo(id);
        const entry = entries[at];
        if (entry === undefined || compareIds(entry.id, id) !== 0) {
          this.#extra(held);
          continue;
        }
        at++;
        this.#left--;
        this.#compareFields(entry, held);
      }
      if (page.length < limit || this.#matter.findings.isSettled) break;
    }
    missUpTo(undefined);
    this.#next = idBehind(end);
  }

  async #read(end: string, count: number): Promise<readonly Held[]> {
    if (this.#next === undefined || (end !== "+" && compareIds(this.#next, end) > 0)) return [];
    const range = [this.#record.key, this.#next, end, "COUNT", String(count)];
    const reply = await this.#matter.reader.link.command("XRANGE", range);
    const page = entriesIn(reply);
    const last = page.at(-1)?.[0];
    if (last !== undefined) this.#next = idBehind(last);
    return page;
  }

  #extra([id]: Held): void {
    this.#left--;
    if (!this.#matter.allowMore && !this.#unreadable.has(id))
      this.#matter.findings.add("extra-part", "the dump lacks it", pathOf(id));
  }

  #compareFields({ id, fields }: StreamEntry, [, held]: Held): void {
    if (isSameList(held, fields)) return;
    const { findings } = this.#matter;
    if (isSamePairs(held, fields)) findings.add("order", "its fields stand in another order", pathOf(id));
    else findings.add("value", "its fields are others", pathOf(id));
  }
}

function entriesIn(reply: Reply): Held[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry): Held[] => {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) return [];
    return [[String(entry[0]), entry[1] as readonly unknown[]]];
  });
}

function isSameList(held: readonly unknown[], fields: readonly Buffer[]): boolean {
  return held.length === fields.length && fields.every((field, i) => isSame(held[i], field));
}

function isSamePairs(held: readonly unknown[], fields: readonly Buffer[]): boolean {
  const pairsOf = (list: readonly unknown[]): string => {
    const texts = list.map((one) => (Buffer.isBuffer(one) ? one.toString("hex") : ""));
    const pairs = texts.flatMap((name, i) => (i % 2 === 0 ? [`${name} ${texts[i + 1] ?? ""}`] : []));
    return pairs.sort().join(",");
  };
  return held.length === fields.length && pairsOf(held) === pairsOf(fields);
}

/** Whether an XRANGE reply's entry is this one: same id, same fields in the same order. */
export function isEntry(reply: Reply | undefined, { id, fields }: StreamEntry): boolean {
  const [held] = entriesIn(reply === undefined ? null : [reply]);
  return held !== undefined && compareIds(held[0], id) === 0 && isSameList(held[1], fields);
}

function pathOf(id: string): string {
  return `entry ${id}`;
}
