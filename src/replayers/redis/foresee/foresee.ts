/**
 * Foresees how records would end: the writers themselves are run, over a link that reads the target and writes nothing.
 * What only the target finds when it is sent (an element that it refuses, memory that runs out) is not foreseen.
 */
import { RestoreError } from "../../../errors/restore-error.js";
import type { Outcome } from "../../../model/outcome.js";
import type { Content, RedisRecord } from "../../../model/record.js";
import { NO_NOTEBOOK } from "../../replayer.js";
import type { WriteContext } from "../context.js";
import type { Requests } from "../link.js";
import { SKIPPED_EXPIRED } from "../outcomes.js";
import { writeRecord } from "../write-record.js";
import { RehearsalLink } from "./rehearsal-link.js";

export interface Foreseeing {
  /** Of the write that is foreseen. */
  readonly context: WriteContext;
  /** Nothing will stand under any key. */
  readonly isEmptied: boolean;
  /** Bytes of the longest value that the target takes. Asked only where a value is long. */
  readonly longestValue: () => Promise<number>;
}

/** Shorter values are taken by every server: it is the least that `proto-max-bulk-len` can be set to. */
const SURELY_TAKEN = 1024 * 1024;

/** @throws RestoreError where the target cannot be asked */
export async function foreseeRecord(foreseeing: Foreseeing, record: RedisRecord): Promise<Outcome> {
  const { context, isEmptied, longestValue } = foreseeing;
  if (context.policy.expiryOf(record.expireAtMs).kind === "skip") return SKIPPED_EXPIRED;
  if (record.kind === "string" && record.value.size > SURELY_TAKEN && record.value.size > (await longestValue())) {
    return { kind: "rejected", reason: "value-too-large", detail: "the target takes no value of this length" };
  }
  const link = new RehearsalLink(context, isEmptied);
  const { remaps: _, ...rest } = context;
  const rehearsing: WriteContext = {
    ...rest,
    link,
    whole: link,
    notebook: NO_NOTEBOOK,
    generation: () => 0,
    sendStreamed: async (command) => {
      const { name, args } = command();
      return await link.command(name, args);
    },
  };
  return await writeRecord(rehearsing, standInFor(record, context));
}

/** Bytes of the longest value that a server takes, as far as it tells this user. @throws RestoreError as `Link.request` */
export async function askLongestValue(link: Requests): Promise<number> {
  try {
    const reply = await link.command("CONFIG", ["GET", "proto-max-bulk-len"]);
    const told = Array.isArray(reply) ? Number(String(reply[1])) : Number.NaN;
    return Number.isSafeInteger(told) ? told : Number.MAX_SAFE_INTEGER;
  } catch (error) {
    if (error instanceof RestoreError && UNTOLD.has(error.code)) return Number.MAX_SAFE_INTEGER;
    throw error;
  }
}

const UNTOLD: ReadonlySet<string> = new Set(["RECORD_REFUSED", "TARGET_CREDENTIALS"]);

/** The record without what does not bear on its end, so that it need not be read from the dump. */
function standInFor(record: RedisRecord, { abilities }: WriteContext): RedisRecord {
  // What may have been written before is compared.
  if (record.announcedAt !== undefined) return record;
  if (record.kind === "string") return { ...record, value: unread(record.value) };
  if (record.kind === "collection") {
    const { packedChunks: _, ...rest } = record;
    return { ...rest, elements: () => once([[NOTHING, NOTHING]]) };
  }
  if (record.kind !== "hll" || record.content.form === "sketch" || abilities.utf8Only) return record;
  const { count } = record.content;
  return { ...record, content: { form: "members", count, members: () => once(count === 0 ? [] : [NOTHING]) } };
}

const NOTHING = Buffer.alloc(0);

function unread({ size, sha256 }: Content): Content {
  return { size, sha256, blocks: () => once(NOTHING), buffer: () => Promise.resolve(NOTHING) };
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}
