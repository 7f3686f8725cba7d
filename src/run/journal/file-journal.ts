/**
 * The journal of a job in its folder: `journal-<n>.log` and, beside it, `listed.jsonl` with every record that did not
 * end plainly restored.
 *
 * The list is derived: what it holds beyond the last checkpoint stands in the journal's entries too, and is written
 * again from them at a recovery. So a record is listed exactly once, whatever happens.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { printableJson } from "../../model/display.js";
import type { Clock } from "../../support/clock.js";
import { type Entry, entrySchema } from "./entries.js";
import type { EntryKeeper } from "./entry-keeper.js";
import type { Journal } from "./journal.js";
import { ListedFile } from "./listed-file.js";
import { JournalLog, type RecoveredLog, recoverLog } from "./log.js";
import { ScopeState } from "./state.js";
import { StateJournal } from "./state-journal.js";

export interface OpenJournal {
  readonly journal: Journal;
  readonly listed: ListedFile;
}

export interface FileJournalInit {
  /** Exists, and belongs to this job alone. */
  readonly directory: string;
  readonly clock: Pick<Clock, "now">;
  /** After how many bytes a segment is followed by another. For tests. */
  readonly segmentBytes?: number;
}

/**
 * Opens a job's journal and goes on from what it holds; a new one where there is none.
 * @throws RestoreError JOURNAL_INVALID, LOCAL_IO
 */
export async function openFileJournal(init: FileJournalInit): Promise<OpenJournal> {
  const { directory, clock } = init;
  const log = await recoverLog(directory);
  const { states, listedBytes, lines } = recover(log);
  const isRewound = [...states.values()].some((state) => state.isRewound);
  const listed = await ListedFile.open(directory, { bytes: listedBytes, isRewound });
  listed.add(lines);
  const writer = await JournalLog.begin({
    directory,
    segment: log.nextSegment,
    checkpoint: () => checkpoint(states, listed),
    ...(init.segmentBytes === undefined ? {} : { segmentBytes: init.segmentBytes }),
  }).catch(async (error: unknown) => {
    await listed.close();
    throw error;
  });
  return { journal: new StateJournal(keeperOf(writer, listed), clock, states), listed };
}

/** Reads what a journal amounts to, changing nothing: for looking at jobs. @throws as `openFileJournal` */
export async function readFileJournal(directory: string): Promise<ReadonlyMap<string, ScopeState>> {
  return recover(await recoverLog(directory)).states;
}

function keeperOf(log: JournalLog, listed: ListedFile): EntryKeeper {
  let closed: Promise<void> | undefined;
  return {
    keep: (entry, durable) => {
      listed.add(listedIn(entry));
      return log.append(Buffer.from(JSON.stringify(entry)), durable);
    },
    close: () => {
      closed ??= closeBoth(log, listed);
      return closed;
    },
  };
}

/** The list is written also where the journal could not be: a report of what was done reads it. */
async function closeBoth(log: JournalLog, listed: ListedFile): Promise<void> {
  try {
    await log.close().finally(() => listed.flush());
  } finally {
    await listed.close();
  }
}

/** The picture is taken before anything is waited for. */
async function checkpoint(states: ReadonlyMap<string, ScopeState>, listed: ListedFile): Promise<Buffer> {
  const scopes = [...states.values()].filter(({ admission }) => admission !== undefined);
  const entry: Entry = {
    type: "checkpoint",
    scopes: scopes.map((state) => state.toJSON()),
    listedBytes: listed.bytes,
  };
  const payload = Buffer.from(JSON.stringify(entry));
  await listed.flush();
  return payload;
}

interface Recovered {
  readonly states: Map<string, ScopeState>;
  readonly listedBytes: number;
  readonly lines: readonly string[];
}

function recover({ payloads, path = "" }: RecoveredLog): Recovered {
  try {
    return replayed(payloads.map((payload) => entrySchema.parse(JSON.parse(payload.toString()))));
  } catch (cause) {
    throw new RestoreError("JOURNAL_INVALID", `${path} holds entries that this version cannot read`, {
      hint: "Take the job up again with the version that began it, or let go of it with `elastickv-restore cancel`.",
      retry: "fatal",
      cause,
    });
  }
}

/** @throws an error for entries that cannot follow one another */
function replayed(entries: readonly Entry[]): Recovered {
  const states = new Map<string, ScopeState>();
  const lines: string[] = [];
  const [first, ...rest] = entries;
  if (first === undefined) return { states, listedBytes: 0, lines };
  if (first.type !== "checkpoint") throw new Error("it does not begin with a checkpoint");
  for (const json of first.scopes) states.set(json.scope, ScopeState.from(json));
  for (const entry of rest) {
    if (entry.type === "checkpoint") throw new Error("a checkpoint stands in its middle");
    const state = states.get(entry.scope) ?? new ScopeState(entry.scope);
    states.set(entry.scope, state);
    state.apply(entry);
    lines.push(...listedIn(entry));
  }
  return { states, listedBytes: first.listedBytes, lines };
}

/** Lines for the list. A scope that is rewound takes back what was listed of it before. */
function listedIn(entry: Entry): string[] {
  if (entry.type === "rewound") return [printableJson({ rewound: entry.scope })];
  if (entry.type !== "settled") return [];
  return (entry.listed ?? []).map((record) => printableJson(record));
}
