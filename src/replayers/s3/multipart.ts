/**
 * Uploads in parts. An upload is completed only when every part's digest, as the target gives it, is that of the bytes
 * that were read; else it is aborted. What could not be aborted is tried once more at the end of the run.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Content } from "../../model/record.js";
import type { ObjectName, S3Api, SentPart } from "./api.js";
import { hasReason, NO_SUCH_UPLOAD } from "./classify-error.js";
import { compositeEtag } from "./part-size.js";
import type { Slots } from "./slots.js";
import type { Stored } from "./stored.js";

export interface PartsInit {
  readonly content: Content;
  readonly partBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly ifAbsent: boolean;
  /** Whether the target lists pending uploads. */
  readonly listsUploads: boolean;
  /** Asked when all parts are there: false leaves the target as it is. */
  readonly mayComplete: () => Promise<boolean>;
}

export type Uploaded = { readonly kind: "stored"; readonly stored: Stored } | { readonly kind: "not-wanted" };

/** Parts of one object that are on their way at once, so that other objects go on beside it. */
const PARTS_AT_ONCE = 4;

export class Multipart {
  readonly #api: S3Api;
  readonly #slots: Slots;
  readonly #pending = new Map<string, ObjectName>();

  constructor(api: S3Api, slots: Slots) {
    this.#api = api;
    this.#slots = slots;
  }

  async upload(name: ObjectName, init: PartsInit): Promise<Uploaded> {
    const uploadId = await this.#create(name, init);
    try {
      const parts = await this.#sendParts(name, uploadId, init);
      if (!(await init.mayComplete())) {
        await this.#abort(name, uploadId);
        return { kind: "not-wanted" };
      }
      const stored = await this.#complete(name, { uploadId, parts, ifAbsent: init.ifAbsent });
      this.#pending.delete(uploadId);
      return { kind: "stored", stored };
    } catch (error) {
      await this.#abort(name, uploadId);
      throw error;
    }
  }

  /** An upload whose creation's answer was lost is one that was not there before and is not the one that was answered. */
  async #create(name: ObjectName, { headers, listsUploads }: PartsInit): Promise<string> {
    const before = listsUploads ? await this.#uploadsOf(name) : [];
    const { uploadId, attempts } = await this.#api.createUpload(name, headers);
    this.#pending.set(uploadId, name);
    if (listsUploads && attempts > 1) {
      const known = new Set([...before, ...this.#pending.keys()]);
      const lost = (await this.#uploadsOf(name)).filter((id) => !known.has(id));
      // More than requests of ours that can have made one: somebody else's are among them, and which cannot be told.
      if (lost.length < attempts) await Promise.all(lost.map((id) => this.#abort(name, id)));
    }
    return uploadId;
  }

  /** Ids of the key's pending uploads. */
  async #uploadsOf({ bucket, key }: ObjectName): Promise<string[]> {
    const { items } = await this.#api.listUploads(bucket, undefined, key);
    return items.filter((upload) => upload.key === key).map(({ uploadId }) => uploadId);
  }

  /** Aborts what is left of this run's uploads. Never throws. */
  async abortPending(): Promise<void> {
    await Promise.all([...this.#pending].map(([uploadId, name]) => this.#abort(name, uploadId)));
  }

  async #abort(name: ObjectName, uploadId: string): Promise<void> {
    try {
      await this.#api.abortUpload(name, uploadId);
      this.#pending.delete(uploadId);
    } catch {
      // It stays among the pending ones.
    }
  }

  async #sendParts(name: ObjectName, uploadId: string, init: PartsInit): Promise<SentPart[]> {
    const { content, partBytes } = init;
    const count = Math.max(1, Math.ceil(content.size / partBytes));
    const sent = new Array<SentPart>(count);
    const stop = new AbortController();
    const signal = this.#api.signal === undefined ? stop.signal : AbortSignal.any([this.#api.signal, stop.signal]);
    let next = 0;
    const worker = async () => {
      for (let i = next++; i < count && !signal.aborted; i = next++) {
        const range = { start: i * partBytes, end: Math.min(content.size, (i + 1) * partBytes) };
        sent[i] = await this.#slots.use(() =>
          this.#sendPart(name, { uploadId, number: i + 1, content, range, signal }),
        );
      }
    };
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown) => {
      // What the stop causes in the other parts is not its cause.
      failure ??= { error };
      stop.abort();
    };
    await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, count) }, () => worker().catch(fail)));
    if (failure !== undefined) throw failure.error;
    if (signal.aborted) throw new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal" });
    return sent;
  }

  async #sendPart(
    name: ObjectName,
    part: {
      readonly uploadId: string;
      readonly number: number;
      readonly content: Content;
      readonly range: { readonly start: number; readonly end: number };
      readonly signal: AbortSignal;
    },
  ): Promise<SentPart> {
    const { content, range, uploadId, number } = part;
    const bytes = range.end - range.start;
    const blocks = () => content.blocks(range);
    return await this.#api.uploadPart(name, { uploadId, number, bytes }, blocks, part.signal);
  }

  async #complete(
    name: ObjectName,
    upload: { readonly uploadId: string; readonly parts: readonly SentPart[]; readonly ifAbsent: boolean },
  ): Promise<Stored> {
    const { uploadId, parts, ifAbsent } = upload;
    const composite = compositeEtag(parts.map(({ md5 }) => md5));
    const etags = parts.map(({ etag }) => etag);
    try {
      return await this.#api.completeUpload(name, { uploadId, etags, ifAbsent });
    } catch (error) {
      // An upload that is gone after a lost answer was completed by it, if what stands there is ours.
      if (!hasReason(error, NO_SUCH_UPLOAD)) throw error;
      const held = await this.#api.headObject(name);
      if (held?.etag !== composite) throw error;
      return { etag: composite, opaqueEtag: false, attempts: 1 };
    }
  }
}
