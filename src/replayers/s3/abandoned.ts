/**
 * Aborts what this job left of its uploads in parts, and nobody else's.
 *
 * An upload that was made by a request whose answer never came, or was not noted any more, has no name that is ours. It
 * is one of the key's uploads that was not there before, began within the time of our request, and has no parts, for of
 * ours none is sent before the id is noted. Where one upload more than can be ours looks like that, somebody else is at
 * work under the same key: none is touched. That a single one that looks like that is somebody else's, begun in that
 * very time and still without a part, cannot be excluded.
 */
import { escapeForDisplay } from "../../model/display.js";
import type { BucketScope } from "../../model/scope.js";
import type { S3Api } from "./api.js";
import { isPassable } from "./classify-error.js";
import type { ObjectName } from "./requests.js";
import type { UploadNote, UploadNotes } from "./upload-notes.js";
import type { PendingUpload } from "./uploads-api.js";

/** Clocks that differ by more than this are refused by S3 (RequestTimeTooSkewed). */
const SKEW_MS = 15 * 60_000;
/** From the note to the last request that may have made the upload: what retries and limits put it off. */
const CREATION_MS = 60 * 60_000;

export class AbandonedUploads {
  readonly #api: S3Api;
  readonly #notes: UploadNotes;
  /** Sentences on uploads that may be left, by scope. */
  readonly #left = new Map<string, string[]>();

  constructor(api: S3Api, notes: UploadNotes) {
    this.#api = api;
    this.#notes = notes;
  }

  /**
   * Aborts what the notes name and takes them away. What cannot be aborted, or told from others' uploads, is said by
   * `left`. `unanswered`: of each, how many can be ours without our knowing, where that is known better than by its note.
   * Repeatable.
   * @throws RestoreError when the run cannot go on
   */
  async sweep(scope: BucketScope, notes: readonly UploadNote[], unanswered?: number): Promise<void> {
    for (const note of notes) {
      // The last request is the one whose answer told the id.
      const unknown = unanswered ?? (note.uploadId === undefined ? note.requests : note.requests - 1);
      const { key, uploadId } = note;
      if (uploadId !== undefined) {
        const abort = this.#api.uploads.abort({ bucket: scope.target, key }, uploadId);
        await abort.catch(this.#leaving(scope, key, "could not be aborted"));
      }
      if (unknown > 0) await this.sweepUnknown(scope, note, unknown);
      await this.#notes.remove(scope, note);
    }
  }

  /** Aborts uploads that our requests made without our knowing; at most `most` can be ours. As `sweep`. */
  async sweepUnknown(scope: BucketScope, note: UploadNote, most: number): Promise<void> {
    const name = { bucket: scope.target, key: note.key };
    if (note.before === undefined)
      return this.#leave(scope, note.key, "may have been begun, which cannot be known here");
    const known = new Set([...note.before, ...this.#notes.ids(scope, note.key), note.uploadId]);
    const sweep = async () => {
      const empty: PendingUpload[] = [];
      for (const upload of await this.#ofKey(name)) {
        const isPossible = !known.has(upload.uploadId) && isInTime(note, upload);
        if (isPossible && (await this.#hasNoParts(name, upload))) empty.push(upload);
      }
      if (empty.length > most) return this.#leave(scope, note.key, "may be among several that cannot be told apart");
      for (const { uploadId } of empty) await this.#api.uploads.abort(name, uploadId);
    };
    await sweep().catch(this.#leaving(scope, note.key, "could not be looked for"));
  }

  /** Ids of the key's pending uploads, whoever made them. Undefined where the target does not say. */
  async idsOf(name: ObjectName): Promise<string[] | undefined> {
    try {
      return (await this.#ofKey(name)).map(({ uploadId }) => uploadId);
    } catch (error) {
      if (!isPassable(error)) throw error;
      return undefined;
    }
  }

  async #ofKey({ bucket, key }: ObjectName): Promise<PendingUpload[]> {
    const found: PendingUpload[] = [];
    for (let page = await this.#api.uploads.list(bucket, undefined, key); ; ) {
      found.push(...page.items.filter((upload) => upload.key === key));
      // Keys come in their order, and of those that begin so it is the first.
      if (page.next === undefined || page.next.key !== key || page.items.length === 0) return found;
      page = await this.#api.uploads.list(bucket, page.next, key);
    }
  }

  /** What may be left on the target, in sentences; told once. */
  left(scope: BucketScope): string[] {
    const sentences = this.#left.get(scope.name) ?? [];
    this.#left.delete(scope.name);
    return sentences;
  }

  /** An upload whose parts may not be listed is taken for somebody else's. */
  async #hasNoParts(name: ObjectName, { uploadId }: PendingUpload): Promise<boolean> {
    try {
      return (await this.#api.uploads.parts(name, uploadId)).size === 0;
    } catch (error) {
      if (!isPassable(error)) throw error;
      return false;
    }
  }

  /** For what the run may go on without. */
  #leaving(scope: BucketScope, key: string, why: string): (error: unknown) => void {
    return (error) => {
      if (!isPassable(error)) throw error;
      this.#leave(scope, key, `${why}: ${error.message}`);
    };
  }

  #leave(scope: BucketScope, key: string, why: string): void {
    const sentence = `a pending upload of "${escapeForDisplay(key)}" may be left: one of this job's ${why}`;
    this.#left.set(scope.name, [...(this.#left.get(scope.name) ?? []), sentence]);
  }
}

/** By two clocks. */
function isInTime({ notedAt }: UploadNote, { initiatedAt }: PendingUpload): boolean {
  if (initiatedAt === undefined) return true;
  return initiatedAt >= notedAt - SKEW_MS && initiatedAt <= notedAt + CREATION_MS + SKEW_MS;
}
