/** A page of a list of records, read from its file from a place on: however long the list, little of it is in memory. */
import { type FileHandle, open } from "node:fs/promises";
import { systemCode } from "../../errors/restore-error.js";
import { Fault } from "../fault.js";

const CHUNK_BYTES = 256 * 1024;
/** Looked through for one page: a search that finds little goes on with the next page. */
const MOST_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

export interface RejectsQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly search?: string;
  readonly outcome?: string;
}

type Listed = Record<string, unknown>;

export interface RejectsPage {
  readonly rejects: readonly Listed[];
  readonly next?: string;
}

/** Undefined where there is no list. @throws Fault BAD_REQUEST for a cursor of no page; the system's error */
export async function readRejects(path: string, query: RejectsQuery): Promise<RejectsPage | undefined> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    return await readPage(file, query);
  } finally {
    await file.close();
  }
}

async function readPage(file: FileHandle, { limit, cursor, ...wanted }: RejectsQuery): Promise<RejectsPage> {
  const from = await placeOf(file, cursor);
  const rejects: Listed[] = [];
  let at = from;
  for await (const { text, bytes } of lines(file, from)) {
    if (rejects.length === limit || at - from > MOST_BYTES) return { rejects, next: String(at) };
    at += bytes;
    const record = parsed(text);
    if (record !== undefined && isWanted(record, wanted)) rejects.push(record);
  }
  return { rejects };
}

/** @throws Fault BAD_REQUEST where no line begins there */
async function placeOf(file: FileHandle, cursor: string | undefined): Promise<number> {
  if (cursor === undefined) return 0;
  const at = /^[1-9]\d{0,14}$/.test(cursor) ? Number(cursor) : undefined;
  const before = Buffer.alloc(1);
  if (at !== undefined && (await file.read(before, 0, 1, at - 1)).bytesRead === 1 && before[0] === LINE_FEED) return at;
  throw new Fault("BAD_REQUEST", "the cursor is of no page of this list", { hint: "Begin again without a cursor." });
}

/** Whole lines: the last one of a list that still grows may not be. */
async function* lines(
  file: FileHandle,
  from: number,
): AsyncGenerator<{ readonly text: string; readonly bytes: number }> {
  let rest: Buffer = Buffer.alloc(0);
  for (let offset = from; ; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      yield { text: rest.toString("utf8", 0, end), bytes: end + 1 };
      rest = rest.subarray(end + 1);
    }
  }
}

function parsed(text: string): Listed | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return typeof record === "object" && record !== null ? (record as Listed) : undefined;
  } catch {
    return undefined;
  }
}

const SEARCHED = ["adapter", "scope", "target", "key", "path", "reason", "detail", "at"] as const;

function isWanted(record: Listed, { search, outcome }: Pick<RejectsQuery, "outcome" | "search">): boolean {
  // Of a comparison, what kind of difference it is.
  if (outcome !== undefined && record["outcome"] !== outcome && record["kind"] !== outcome) return false;
  if (search === undefined) return true;
  const part = search.toLowerCase();
  return SEARCHED.some((name) =>
    String(record[name] ?? "")
      .toLowerCase()
      .includes(part),
  );
}
