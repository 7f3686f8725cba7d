/**
 * Compares a HyperLogLog. Redis tells its registers, which are compared with those that the dump's members make; elastickv
 * tells how many members there are, and not which.
 */
import { RestoreError } from "../../../errors/restore-error.js";
import type { HyperLogLogRecord } from "../../../model/record.js";
import { SpillingSet } from "../../../support/spilling-set.js";
import { REGISTERS, raiseOf, registersOf } from "../hyperloglog.js";
import { pathOf } from "./findings.js";
import type { Matter } from "./matter.js";

/** More than any sketch has. */
const READ_BYTES = 64 * 1024;

type Members = Extract<HyperLogLogRecord["content"], { form: "members" }>;

export async function compareCounter(matter: Matter, { key, content }: HyperLogLogRecord): Promise<void> {
  const { reader, findings, allowMore } = matter;
  if (!reader.abilities.sketches) return await compareCounts(matter, key, content);
  const reply = await reader.link.command("GETRANGE", [key, "0", String(READ_BYTES)]);
  const held = Buffer.isBuffer(reply) ? registersOf(reply) : undefined;
  if (held === undefined) {
    findings.add("type", "the target holds a string that is no hyperloglog");
    return;
  }
  const expected =
    content.form === "members" ? await membersIn(matter, content, held) : await sketchIn(matter, content.value, held);
  if (expected === undefined || findings.isSettled || allowMore) return;
  const higher = held.filter((value, i) => value > (expected[i] ?? 0)).length;
  if (higher > 0) findings.add("extra-part", `${higher} of its registers tell of members that the dump lacks`);
}

/** The registers that the members make. Finds those that the target was never told of. */
async function membersIn({ findings }: Matter, content: Members, held: Uint8Array): Promise<Uint8Array> {
  const expected = new Uint8Array(REGISTERS);
  for await (const members of content.members()) {
    for (const member of members) {
      const { register, value } = raiseOf(member);
      expected[register] = Math.max(expected[register] ?? 0, value);
      if ((held[register] ?? 0) < value)
        findings.add("missing-part", "the target never counted it", pathOf("member", member));
    }
    if (findings.isSettled) break;
  }
  return expected;
}

async function sketchIn(
  { findings }: Matter,
  value: { buffer(): Promise<Buffer> },
  held: Uint8Array,
): Promise<Uint8Array | undefined> {
  const expected = registersOf(await value.buffer());
  if (expected === undefined) {
    findings.cannotTell("the dump's sketch cannot be read");
    return undefined;
  }
  const lower = expected.filter((register, i) => register > (held[i] ?? 0)).length;
  if (lower > 0) findings.add("missing-part", `${lower} of its registers lack members that the dump's counted`);
  return expected;
}

async function compareCounts(
  { reader, findings, allowMore }: Matter,
  key: Buffer,
  content: HyperLogLogRecord["content"],
): Promise<void> {
  const held = await countOf(reader.link, key);
  if (held === undefined) {
    findings.add("type", "the target holds a string that is no hyperloglog");
  } else if (content.form === "sketch") {
    findings.cannotTell("the target keeps hyperloglogs as member sets, which cannot be compared with a sketch");
  } else {
    const expected = await distinct(reader.workDirectory, content);
    const detail = `it counts ${held} members instead of ${expected}`;
    if (held < expected) findings.add("missing-part", detail);
    else if (held > expected && !allowMore) findings.add("extra-part", detail);
    else findings.cannotTell("the target tells how many members a hyperloglog has, but not which");
  }
}

/** A member set may name a member twice. */
async function distinct(workDirectory: string, content: Members): Promise<number> {
  const known = new SpillingSet(workDirectory);
  try {
    for await (const members of content.members()) for (const member of members) known.add(member);
    return known.size;
  } finally {
    known.close();
  }
}

/** Undefined: it is none. */
async function countOf(link: Matter["reader"]["link"], key: Buffer): Promise<number | undefined> {
  try {
    return Number(await link.command("PFCOUNT", [key]));
  } catch (error) {
    if (error instanceof RestoreError && error.reason === "wrong-type") return undefined;
    throw error;
  }
}
