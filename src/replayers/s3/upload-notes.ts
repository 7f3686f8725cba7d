/**
 * What the job remembers of its uploads in parts, one note an upload: made before the upload is, completed with its id
 * before its first part is sent, and taken away when the upload has ended. So what a process that was killed left on the
 * target is known, but for uploads whose ids it did not live to note; of these, how many there can be.
 */
import { createHash, randomUUID } from "node:crypto";
import type { BucketScope } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { Notebook } from "../replayer.js";

export interface UploadNote {
  /** The note's own. */
  readonly name: string;
  readonly key: string;
  /** Digest of all that the upload is made of; one that is made of anything else is not continued. */
  readonly what: string;
  /** Unix milliseconds. */
  readonly notedAt: number;
  /** Absent: the upload was to be made, and nobody knows whether it was. */
  readonly uploadId?: string;
  /** The key's uploads beforehand, for as long as one of ours may be unknown. Absent: not asked for. */
  readonly before?: readonly string[];
  /** How many requests may each have made an upload. */
  readonly requests: number;
}

const PREFIX = "upload:";
/** A note is kept short: among more uploads than that an unknown one is not looked for. */
const MOST_BEFORE = 100;

export class UploadNotes {
  readonly #notebook: Notebook;
  readonly #clock: Clock;
  /** Names of notes of uploads that this process works on. */
  readonly #inUse = new Set<string>();

  constructor(notebook: Notebook, clock: Clock) {
    this.#notebook = notebook;
    this.#clock = clock;
  }

  /** Notes of uploads that nobody works on, the newest first. `key`: of that key alone. */
  idle(scope: BucketScope, key?: string): UploadNote[] {
    return this.#all(scope, key)
      .filter(({ name }) => !this.#inUse.has(name))
      .sort((a, b) => b.notedAt - a.notedAt);
  }

  /** Ids of the key's uploads that are ours. */
  ids(scope: BucketScope, key: string): string[] {
    return this.#all(scope, key).flatMap(({ uploadId }) => uploadId ?? []);
  }

  /** Notes that an upload is to be made. Resolves once that is durable. */
  async announce(
    scope: BucketScope,
    upload: Pick<UploadNote, "key" | "what">,
    before: readonly string[] | undefined,
  ): Promise<UploadNote> {
    const known = before === undefined || before.length > MOST_BEFORE ? {} : { before };
    const note = { name: PREFIX + randomUUID(), notedAt: this.#clock.now(), ...upload, ...known, requests: 1 };
    this.#inUse.add(note.name);
    await this.#notebook.note(scope, note.name, written(note));
    return note;
  }

  /** Notes that as many requests will have been sent to make the upload. Resolves once that is durable. */
  async announceAgain(scope: BucketScope, announced: UploadNote, requests: number): Promise<UploadNote> {
    const note = { ...announced, requests };
    await this.#notebook.note(scope, note.name, written(note));
    return note;
  }

  /** Notes the upload's id. `isAlone`: no other upload can be ours. Resolves once that is durable. */
  async identify(
    scope: BucketScope,
    announced: UploadNote,
    { uploadId, isAlone }: { readonly uploadId: string; readonly isAlone: boolean },
  ): Promise<UploadNote> {
    const { before: _, ...alone } = { ...announced, uploadId, requests: 1 };
    const identified = isAlone ? alone : { ...announced, uploadId };
    await this.#notebook.note(scope, identified.name, written(identified));
    return identified;
  }

  /** Takes the note away. Resolves once that is durable. */
  async remove(scope: BucketScope, { name }: UploadNote): Promise<void> {
    await this.#notebook.note(scope, name);
    this.#inUse.delete(name);
  }

  /** This process works on the noted upload, or no longer. */
  use({ name }: UploadNote, used: boolean): void {
    if (used) this.#inUse.add(name);
    else this.#inUse.delete(name);
  }

  #all(scope: BucketScope, key: string | undefined): UploadNote[] {
    const notes = [...this.#notebook.find(scope, PREFIX)].map(([name, value]) => read(name, value));
    return key === undefined ? notes : notes.filter((note) => note.key === key);
  }
}

/** Digest of what an upload is made of. */
export function fingerprintOf(made: {
  readonly sha256: string;
  readonly size: number;
  readonly partBytes: number;
  readonly headers: Readonly<Record<string, string>>;
}): string {
  const { sha256, size, partBytes, headers } = made;
  const words = JSON.stringify([sha256, size, partBytes, Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash("sha256").update(words).digest("hex");
}

function written({ key, what, notedAt, uploadId, before, requests }: UploadNote): string {
  const words = new URLSearchParams({ key, what, at: String(notedAt) });
  if (uploadId !== undefined) words.set("id", uploadId);
  if (before !== undefined) words.set("asked", "yes");
  for (const id of before ?? []) words.append("before", id);
  if (requests > 1) words.set("requests", String(requests));
  return words.toString();
}

function read(name: string, value: string): UploadNote {
  const words = new URLSearchParams(value);
  const uploadId = words.get("id");
  return {
    name,
    key: words.get("key") ?? "",
    what: words.get("what") ?? "",
    notedAt: Number(words.get("at")),
    ...(uploadId === null ? {} : { uploadId }),
    ...(words.has("asked") ? { before: words.getAll("before") } : {}),
    requests: Number(words.get("requests") ?? 1),
  };
}
