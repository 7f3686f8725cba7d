/** Asks whether a key on the target holds a record's content: what `compare` finds, without the places. Changes nothing. */
import type { RedisRecord } from "../../model/record.js";
import { compareContent } from "./compare/content.js";
import { Findings } from "./compare/findings.js";
import type { Reader } from "./compare/matter.js";
import type { Asker } from "./link.js";

/** `unknown`: the target cannot be asked (elastickv does not tell the members of a HyperLogLog). */
type Comparison = "absent" | "equal" | "differs" | "unknown";

/** @throws RestoreError as `Link.request`, and CHANGED_AFTER_CHECK */
export async function compareWithTarget(reader: Reader, record: RedisRecord): Promise<Comparison> {
  const type = await typeOf(reader.link, record.key);
  if (type === "none") return "absent";
  const findings = new Findings("whether");
  await compareContent({ reader, findings, allowMore: false, isAppended: false }, record, type);
  if (findings.count > 0) return "differs";
  return findings.isUnproven ? "unknown" : "equal";
}

/** What TYPE says: `none` when there is no key. */
export async function typeOf(link: Asker, key: Buffer): Promise<string> {
  return String(await link.command("TYPE", [key]));
}
