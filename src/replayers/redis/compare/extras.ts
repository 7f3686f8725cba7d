/** Finds what a hash, a set or a zset on the target holds and the dump lacks: a hundred of them by name, all by number. */
import type { CollectionRecord } from "../../../model/record.js";
import { SpillingSet } from "../../../support/spilling-set.js";
import type { Reply } from "../connection.js";
import { LISTED, pathOf } from "./findings.js";
import type { Matter } from "./matter.js";
import { type NamedType, nameOf } from "./parts.js";

interface Search {
  readonly record: CollectionRecord;
  readonly type: NamedType;
  /** Elements that the target holds. */
  readonly held: number;
  /** How many the dump lacks of them, as the numbers say. */
  readonly extras: number;
}

const SCAN = { hash: "HSCAN", set: "SSCAN", zset: "ZSCAN" } as const;
const SCANNED_AT_ONCE = "1000";
/** Larger ones are not asked for whole where they cannot be gone through in pages. */
const READ_WHOLE = 10_000;
const DETAIL = "the dump lacks it";

export async function findExtras(matter: Matter, search: Search): Promise<void> {
  const { record, type, extras } = search;
  const { reader, findings } = matter;
  const noun = type === "hash" ? "field" : "member";
  const known = new SpillingSet(reader.workDirectory);
  const found = new Set<string>();
  try {
    for await (const chunk of record.elements()) for (const element of chunk) known.add(nameOf(type, element));
    for await (const names of namesOf(matter, search)) {
      for (const name of names) {
        if (found.size >= LISTED || known.has(name) || found.has(name.toString("latin1"))) continue;
        found.add(name.toString("latin1"));
        findings.add("extra-part", DETAIL, pathOf(noun, name));
      }
      if (found.size >= Math.min(extras, LISTED)) break;
    }
  } finally {
    known.close();
  }
  const unlisted = extras - found.size;
  if (found.size === 0) {
    findings.add("extra-part", `the target holds ${extras} ${noun}s that the dump lacks`);
    findings.addUnlisted(unlisted - 1);
  } else if (unlisted > 0) findings.addUnlisted(unlisted);
}

/** All names, in pages. One may come twice. */
async function* namesOf({ reader }: Matter, { record, type, held }: Search): AsyncGenerator<readonly Buffer[]> {
  const { link, abilities } = reader;
  const { key } = record;
  if (abilities.listable) {
    let cursor = "0";
    do {
      const reply = await link.command(SCAN[type], [key, cursor, "COUNT", SCANNED_AT_ONCE]);
      const [next, page] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
      cursor = String(next ?? "0");
      yield named(page, type !== "set");
    } while (cursor !== "0");
  } else if (type === "zset") {
    for (let at = 0; ; at += READ_WHOLE) {
      const page = named(await link.command("ZRANGE", [key, String(at), String(at + READ_WHOLE - 1)]), false);
      if (page.length === 0) return;
      yield page;
    }
  } else if (held <= READ_WHOLE) {
    yield named(await link.command(type === "hash" ? "HGETALL" : "SMEMBERS", [key]), type === "hash");
  }
}

/** `paired`: a value or a score stands behind each name. */
function named(page: Reply | undefined, paired: boolean): readonly Buffer[] {
  const all = (Array.isArray(page) ? page : []).filter((one): one is Buffer => Buffer.isBuffer(one));
  return paired ? all.filter((_, i) => i % 2 === 0) : all;
}
