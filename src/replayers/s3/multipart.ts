/**
 * Uploads in parts. An upload is completed only when every part's digest, as the target gives it, is that of the bytes
 * that were read. One that fails for good is aborted; one that a stop, an outage or the end of the process cut off stays,
 * and is continued by the job's next process: parts that the target holds as they are in the dump are not sent again.
 *
 * Steps: the upload is noted, made, noted with its id; parts are sent; it is completed; the note is taken away. Before a
 * request is repeated that may have made it, that is noted too.
 */
import { interrupted } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import type { Content } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import type { AbandonedUploads } from "./abandoned.js";
import type { S3Api } from "./api.js";
import { hasReason, isPassable, NO_SUCH_UPLOAD } from "./classify-error.js";
import type { AnswerHeaders } from "./client.js";
import { compositeEtag, partsOf } from "./part-size.js";
import { attemptsOf } from "./requests.js";
import { holdsContent } from "./same-content.js";
import type { Slot, Slots } from "./slots.js";
import { isOpaque, type Stored } from "./stored.js";
import { fingerprintOf, type UploadNote, type UploadNotes } from "./upload-notes.js";
import { type HeldPart, md5Of, type SentPart } from "./uploads-api.js";

export interface PartsInit {
  readonly content: Content;
  /** Of the object in the dump. */
  readonly etag: string | undefined;
  readonly partBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly ifAbsent: boolean;
  /** Whether the target lists pending uploads. */
  readonly listsUploads: boolean;
  /** Whether an object with the content and these headers is what the upload makes. */
  readonly isMade: (headers: AnswerHeaders) => boolean;
  /** Asked when all parts are there: false leaves the target as it is. */
  readonly mayComplete: () => Promise<boolean>;
}

export type Uploaded = { readonly kind: "stored"; readonly stored: Stored } | { readonly kind: "not-wanted" };

export interface MultipartInit {
  /** For writes. */
  readonly api: S3Api;
  readonly slots: Slots;
  readonly notes: UploadNotes;
  readonly abandoned: AbandonedUploads;
  /** Once it is aborted no part is begun any more. */
  readonly stop: AbortSignal | undefined;
}

/** Parts of one object that are on their way at once, so that other objects go on beside it. */
const PARTS_AT_ONCE = 4;

interface Target {
  readonly scope: BucketScope;
  readonly key: string;
}

interface OpenUpload extends Target {
  readonly note: UploadNote;
  readonly uploadId: string;
  readonly held: ReadonlyMap<number, HeldPart>;
}

export class Multipart {
  readonly #init: MultipartInit;

  constructor(init: MultipartInit) {
    this.#init = init;
  }

  /** Repeatable, by another process too. @throws RestoreError; those that end the run leave the upload to be continued */
  async upload(target: Target, init: PartsInit): Promise<Uploaded> {
    const { content, partBytes, headers } = init;
    const what = fingerprintOf({ sha256: content.sha256, size: content.size, partBytes, headers });
    const found = await this.#takeUp(target, what, init);
    if (found !== undefined && "etag" in found) return { kind: "stored", stored: found };
    const upload = found ?? (await this.#begin(target, what, init));
    try {
      return await this.#carryOut(upload, init);
    } catch (error) {
      if (this.#isFinal(error)) await this.#giveUp(upload);
      throw error;
    } finally {
      this.#init.notes.use(upload.note, false);
    }
  }

  async #carryOut(upload: OpenUpload, init: PartsInit): Promise<Uploaded> {
    const parts = await this.#sendAll(upload, init);
    if (!(await init.mayComplete())) {
      await this.#giveUp(upload);
      return { kind: "not-wanted" };
    }
    const stored = await this.#complete(upload, parts, init);
    await this.#init.notes.remove(upload.scope, upload.note);
    return { kind: "stored", stored };
  }

  /** What an earlier process began under the key: an upload to be continued, or the object that it made of it. */
  async #takeUp(target: Target, what: string, init: PartsInit): Promise<OpenUpload | Stored | undefined> {
    const { notes, abandoned } = this.#init;
    const idle = notes.idle(target.scope, target.key);
    const note = idle.find((one) => one.what === what && one.uploadId !== undefined);
    await abandoned.sweep(
      target.scope,
      idle.filter((one) => one !== note),
    );
    if (note?.uploadId === undefined) return undefined;
    notes.use(note, true);
    try {
      const { uploadId } = note;
      const held = await this.#partsOf(target, uploadId);
      if (held !== undefined) return { ...target, note: await this.#alone(target, note), uploadId, held };
      const stored = await this.#made(target, init);
      await abandoned.sweep(target.scope, [note]);
      return stored;
    } catch (error) {
      notes.use(note, false);
      throw error;
    }
  }

  /** Undefined where the upload is gone, or the target does not say. */
  async #partsOf({ scope, key }: Target, uploadId: string): Promise<ReadonlyMap<number, HeldPart> | undefined> {
    try {
      return await this.#init.api.uploads.parts({ bucket: scope.target, key }, uploadId);
    } catch (error) {
      if (!isPassable(error)) throw error;
      return undefined;
    }
  }

  async #begin(target: Target, what: string, { headers, listsUploads }: PartsInit): Promise<OpenUpload> {
    const { api, notes, abandoned, stop } = this.#init;
    if (stop?.aborted === true) throw interrupted();
    const { scope, key } = target;
    const name = { bucket: scope.target, key };
    const before = listsUploads ? await abandoned.idsOf(name) : undefined;
    let note = await notes.announce(scope, { key, what }, before);
    const again = async (unanswered: number) => {
      note = await notes.announceAgain(scope, note, unanswered + 1);
    };
    const { uploadId, unanswered } = await api.uploads.create(name, headers, again).catch(async (error: unknown) => {
      await this.#notBegun(scope, note, error);
      throw error;
    });
    note = await notes.identify(scope, note, { uploadId, isAlone: unanswered === 0 });
    return { ...target, note: await this.#alone(target, note), uploadId, held: new Map() };
  }

  /** Aborts what the requests before the one that was answered may have made. */
  async #alone({ scope }: Target, note: UploadNote): Promise<UploadNote> {
    const { notes, abandoned } = this.#init;
    if (note.uploadId === undefined || note.requests === 1) return note;
    await abandoned.sweepUnknown(scope, note, note.requests - 1);
    return await notes.identify(scope, note, { uploadId: note.uploadId, isAlone: true });
  }

  async #notBegun(scope: BucketScope, announced: UploadNote, error: unknown): Promise<void> {
    const { notes, abandoned } = this.#init;
    notes.use(announced, false);
    const unanswered = attemptsOf(error);
    if (unanswered === 0) await notes.remove(scope, announced);
    else if (this.#isFinal(error)) await abandoned.sweep(scope, [announced], unanswered);
  }

  /** What could not be aborted is tried once more at the end of the run. */
  async #giveUp({ scope, note }: OpenUpload): Promise<void> {
    try {
      await this.#init.api.uploads.abort({ bucket: scope.target, key: note.key }, note.uploadId ?? "");
    } catch {
      // Its note stays.
      return;
    }
    await this.#init.notes.remove(scope, note);
  }

  /** Whether the object, not the run, ends with it. */
  #isFinal(error: unknown): boolean {
    return error instanceof RestoreError && error.retry !== "fatal" && this.#init.api.signal?.aborted !== true;
  }

  /**
   * All parts, each as the content is by what the target tells of it. Where the ETag of the dump can come out, that is known
   * of all of them at once, and no MD5 is made here; where it does not come out, each part's is.
   */
  async #sendAll(upload: OpenUpload, init: PartsInit): Promise<readonly SentPart[]> {
    const { content, etag = "", partBytes } = init;
    const isHashed = partsOf(etag) !== partCount(content, partBytes);
    const sent = await this.#eachPart(init, (part) => this.#part(upload, part, isHashed));
    if (isHashed || compositeOf(sent.map(({ told }) => told)) === etag.toLowerCase()) return sent;
    return await this.#eachPart(init, (part) => this.#compared(upload, part, sent[part.number - 1]));
  }

  /** The parts, some at a time. */
  async #eachPart({ content, partBytes }: PartsInit, work: (part: Part) => Promise<SentPart>): Promise<SentPart[]> {
    const { api, slots, stop } = this.#init;
    const count = partCount(content, partBytes);
    const sent = new Array<SentPart>(count);
    const halt = new AbortController();
    const signal = api.signal === undefined ? halt.signal : AbortSignal.any([api.signal, halt.signal]);
    let next = 0;
    let left = count;
    const isOver = () => signal.aborted || stop?.aborted === true;
    const worker = async () => {
      for (let i = next++; i < count && !isOver(); i = next++) {
        const range = { start: i * partBytes, end: Math.min(content.size, (i + 1) * partBytes) };
        await slots.use(async (slot) => {
          if (isOver()) return;
          sent[i] = await work({ number: i + 1, content, range, signal, slot });
          left--;
        });
      }
    };
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown) => {
      // What the stop causes in the other parts is not its cause.
      failure ??= { error };
      halt.abort();
    };
    await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, count) }, () => worker().catch(fail)));
    if (failure !== undefined) throw failure.error;
    if (left > 0) throw interrupted();
    return sent;
  }

  /** A part that the target holds as it is in the dump is not sent again. */
  async #part(upload: OpenUpload, part: Part, isHashed: boolean): Promise<SentPart> {
    const held = upload.held.get(part.number);
    if (held?.size === sizeOf(part)) {
      const md5 = await md5OfPart(part);
      if (held.etag.toLowerCase() === md5) return { etag: held.etag, md5, told: md5 };
    }
    return await this.#send(upload, part, isHashed);
  }

  /** One that was sent, perhaps unhashed. If the target holds other bytes than the content has, it is sent again. */
  async #compared(upload: OpenUpload, part: Part, sent: SentPart | undefined): Promise<SentPart> {
    if (sent !== undefined) {
      if (sent.md5 !== undefined || sent.told === undefined) return sent;
      const md5 = await md5OfPart(part);
      if (sent.told === md5) return { ...sent, md5 };
    }
    return await this.#send(upload, part, true);
  }

  async #send({ scope, key, uploadId }: OpenUpload, part: Part, isHashed: boolean): Promise<SentPart> {
    const { number, content, range, signal, slot } = part;
    const open = () => slot.reading(content, range);
    const sending = { uploadId, number, bytes: sizeOf(part), isHashed, open, signal };
    return await this.#init.api.uploads.sendPart({ bucket: scope.target, key }, sending);
  }

  async #complete(upload: OpenUpload, parts: readonly SentPart[], init: PartsInit): Promise<Stored> {
    const name = { bucket: upload.scope.target, key: upload.key };
    const etags = parts.map(({ etag }) => etag);
    try {
      return await this.#init.api.uploads.complete(name, {
        uploadId: upload.uploadId,
        etags,
        ifAbsent: init.ifAbsent,
      });
    } catch (error) {
      // An upload that is gone after a lost answer was completed by it, if what stands there is ours.
      if (!hasReason(error, NO_SUCH_UPLOAD)) throw error;
      const stored = await this.#made(upload, init, compositeOf(parts.map(({ md5, told }) => md5 ?? told)));
      if (stored === undefined) throw error;
      return stored;
    }
  }

  /** The object under the key, if it is what the upload makes. `etag`: its ETag, where it is known without reading. */
  async #made({ scope, key }: Target, init: PartsInit, etag?: string): Promise<Stored | undefined> {
    const { content, partBytes, isMade } = init;
    const { api } = this.#init;
    const name = { bucket: scope.target, key };
    const held = await api.headObject(name);
    if (held === undefined || !isMade(held.headers)) return undefined;
    const isSame = held.etag === etag || (await holdsContent({ api, name, held }, content, partBytes));
    return isSame ? { etag: held.etag, opaqueEtag: isOpaque(held.headers), attempts: 1 } : undefined;
  }
}

interface Part {
  readonly number: number;
  readonly content: Content;
  readonly range: { readonly start: number; readonly end: number };
  readonly signal: AbortSignal;
  readonly slot: Slot;
}

function partCount({ size }: Content, partBytes: number): number {
  return Math.max(1, Math.ceil(size / partBytes));
}

function sizeOf({ range }: Part): number {
  return range.end - range.start;
}

/** Undefined where one of the MD5s is not known. */
function compositeOf(md5s: readonly (string | undefined)[]): string | undefined {
  const known = md5s.filter((md5) => md5 !== undefined);
  return known.length === md5s.length ? compositeEtag(known) : undefined;
}

/** Reads it. */
async function md5OfPart({ content, range, signal, slot }: Part): Promise<string> {
  return (await md5Of(slot.reading(content, range), signal)).toString("hex");
}
