/**
 * Writes one object under the run's condition and says how it ended, or beforehand how it would. Nothing is sent that the
 * target would keep under another key or with other metadata.
 */
import { interrupted } from "../../errors/interruption.js";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import { RESTORED } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import { Admission } from "./admission.js";
import type { HeldObject, S3Api } from "./api.js";
import { ACCESS_DENIED, EXISTS, hasReason, SIGNATURE_REFUSED } from "./classify-error.js";
import { foreseenEtag } from "./foreseen-etag.js";
import type { ListingAhead, Told } from "./listing-ahead.js";
import { type HeaderRules, hasWideText, metadataHeaders, type Refusal } from "./metadata.js";
import type { Multipart } from "./multipart.js";
import type { Traits } from "./probe.js";
import { attemptsOf, type ObjectName } from "./requests.js";
import { hasContent, holdsContent } from "./same-content.js";
import { sameMetadata } from "./same-metadata.js";
import type { Slot, Slots } from "./slots.js";
import type { Stored } from "./stored.js";
import type { Trials } from "./trials.js";
import { needsOnePiece, planUpload, type UploadPlan } from "./upload-plan.js";

export interface WriterInit {
  /** For writes. */
  readonly api: S3Api;
  readonly slots: Slots;
  readonly multipart: Multipart;
  readonly traits: Traits;
  readonly multipartThresholdBytes: number;
  readonly keepEtag: boolean;
  readonly trials: Trials;
  readonly ahead: ListingAhead;
  /** Once it is aborted nothing is begun any more. */
  readonly stop: AbortSignal | undefined;
}

/** Bodies up to here are sent from one buffer. */
const BUFFERED_BYTES = 1024 * 1024;
/** Above this a HEAD is cheaper than a body that is refused at its end. */
const LOOK_FIRST_BYTES = 256 * 1024;
const SKIPPED: Outcome = { kind: "skipped-existing", reason: EXISTS };

/** An object on its way to its place on the target. */
interface Writing {
  readonly scope: BucketScope;
  readonly name: ObjectName;
  readonly record: ObjectRecord;
  readonly rules: HeaderRules;
  readonly ifAbsent: boolean;
}

type Sent = Outcome | { readonly kind: "stored"; readonly stored: Stored };

export class ObjectWriter {
  readonly #init: WriterInit;
  readonly #admission: Admission;
  /** Unknown until an upload in parts was looked at. */
  #partsLoseHeaders: boolean;
  /** Records for which requests went out that may store the object. */
  readonly #begun = new WeakSet<ObjectRecord>();

  constructor(init: WriterInit) {
    this.#init = init;
    this.#admission = new Admission(init);
    this.#partsLoseHeaders = !init.traits.keepsHeadersOfParts;
  }

  /** @throws RestoreError; which of them are the record's own fault is the caller's to say */
  async write(scope: BucketScope, record: ObjectRecord, action: WriteAction): Promise<Outcome> {
    const admitted = await this.#admission.admit(scope, record);
    if ("refusal" in admitted) return rejected(admitted.refusal);
    const writing = writingOf(scope, record, { action, rules: admitted.rules });
    const found = await this.#lookFirst(writing, action);
    if (found !== undefined) return found;
    const sent = await this.#send(writing);
    return sent.kind === "stored" ? withEtagNote(record, sent.stored) : sent;
  }

  /**
   * How `write` would end now; `isEmptied`: in a bucket that holds nothing by then. Changes nothing.
   * @throws RestoreError, as `write`
   */
  async foresee(
    scope: BucketScope,
    record: ObjectRecord,
    { action, isEmptied }: { readonly action: WriteAction; readonly isEmptied: boolean },
  ): Promise<Outcome> {
    const admitted = await this.#admission.foresee(scope, record);
    if ("refusal" in admitted) return rejected(admitted.refusal);
    const writing = writingOf(scope, record, { action, rules: admitted.rules });
    const held = isEmptied || action === "put" ? undefined : await this.#init.api.headObject(writing.name);
    const found = held === undefined ? undefined : await this.#upon(writing, held);
    if (found !== undefined) return found;
    const plan = await this.#plan(record);
    if (plan.kind === "impossible") return rejected(plan);
    const etag = await this.#init.slots.use(() => foreseenEtag(record, plan));
    return etag === undefined ? RESTORED : withEtagNote(record, { etag });
  }

  /** Whether the record's object may stand on the target by a request of ours. */
  hasBegun(record: ObjectRecord): boolean {
    return this.#begun.has(record);
  }

  async #lookFirst(writing: Writing, action: WriteAction): Promise<Outcome | undefined> {
    const { name, record, ifAbsent } = writing;
    const { api, traits } = this.#init;
    if (action === "put") return undefined;
    const told = await this.#listed(writing);
    if (told !== undefined && (ifAbsent || isReplaced(record, told))) {
      this.#init.ahead.spared(name);
      return ifAbsent ? SKIPPED : undefined;
    }
    if (ifAbsent && traits.honoursConditions && record.body.size <= LOOK_FIRST_BYTES) return undefined;
    const held = await api.headObject(name);
    if (held === undefined) return undefined;
    return await this.#upon(writing, held);
  }

  /** What may be this job's own is looked at itself. Where something is not to be replaced, that it is absent is not told. */
  async #listed({ name, record, ifAbsent }: Writing): Promise<Told | undefined> {
    const { ahead, traits } = this.#init;
    if (record.announcedAt !== undefined || !traits.listsTruly) return undefined;
    return await ahead.look(name, { absence: !ifAbsent });
  }

  /** How a write ends that comes upon this object; undefined: it replaces it. */
  async #upon(writing: Writing, held: HeldObject): Promise<Outcome | undefined> {
    const { record, ifAbsent } = writing;
    if (record.announcedAt !== undefined && (await this.#isOurs(writing, held))) return withEtagNote(record, held);
    if (ifAbsent) return SKIPPED;
    if (!mayHaveEtag(record, held)) return undefined;
    return (await isSame(record, held)) ? { kind: "restored", reason: "already-equal" } : undefined;
  }

  async #send(writing: Writing): Promise<Sent> {
    const { name, record } = writing;
    const plan = await this.#plan(record);
    if (plan.kind === "impossible") return rejected(plan);
    if (plan.kind === "single") return await this.#putWhole(writing);
    const sent = await this.#putParts(writing, plan.partBytes);
    if (sent.kind !== "stored" || this.#init.traits.honoursConditions || !needsOnePiece(record)) return sent;
    const held = await this.#init.api.headObject(name);
    if (held !== undefined && sameMetadata(record.metadata, held.headers)) return sent;
    // What stands there now is this record's own, so it is replaced whatever the condition was.
    this.#partsLoseHeaders = true;
    return await this.#send({ ...writing, ifAbsent: false });
  }

  async #plan(record: ObjectRecord): Promise<UploadPlan> {
    const { multipartThresholdBytes, keepEtag } = this.#init;
    const keepsHeadersOfParts = !this.#partsLoseHeaders;
    return await planUpload(record, { multipartThresholdBytes, keepEtag, keepsHeadersOfParts });
  }

  async #putWhole(writing: Writing): Promise<Sent> {
    const { api, slots, stop } = this.#init;
    const { name, record, rules, ifAbsent } = writing;
    const { body, metadata } = record;
    const headers = metadataHeaders(metadata, rules);
    const init = { headers, ifAbsent, sha256: body.sha256, bytes: body.size };
    // Node spoils a content disposition outside ASCII when the body is at hand at once.
    const buffered = body.size === 0 || (body.size <= BUFFERED_BYTES && !hasWideText({ ...metadata, user: [] }));
    const put = async (slot: Slot) => {
      if (stop?.aborted === true) throw interrupted();
      const open = () => {
        if (buffered) return body.buffer();
        return { ...slot.reading(body), bytes: body.size, signal: api.signal };
      };
      this.#begun.add(record);
      return await api.putObject(name, init, open);
    };
    try {
      return { kind: "stored", stored: await slots.use(put) };
    } catch (error) {
      return await this.#refused(writing, error);
    }
  }

  async #putParts(writing: Writing, partBytes: number): Promise<Sent> {
    const { api, multipart, traits, stop } = this.#init;
    const { scope, name, record, rules, ifAbsent } = writing;
    const { metadata } = record;
    const isFree = async () => (await api.headObject(name)) === undefined;
    if (stop?.aborted === true) throw interrupted();
    this.#begun.add(record);
    try {
      const uploaded = await multipart.upload(
        { scope, key: name.key },
        {
          content: record.body,
          etag: record.etag,
          partBytes,
          headers: metadataHeaders(metadata, rules),
          ifAbsent,
          listsUploads: traits.listsUploads,
          // What a server loses of the metadata is looked at behind it.
          isMade: (headers) => sameMetadata(metadata, headers) || (!traits.honoursConditions && needsOnePiece(record)),
          mayComplete: ifAbsent && !traits.honoursConditions ? isFree : () => Promise.resolve(true),
        },
      );
      return uploaded.kind === "stored" ? uploaded : await this.#standing(writing, record.announcedAt !== undefined);
    } catch (error) {
      return await this.#refused(writing, error);
    }
  }

  /**
   * Something stands under the key. After a lost answer, or where an earlier process of the job may have written, it may
   * be ours: then it is equal.
   */
  async #refused(writing: Writing, error: unknown): Promise<Outcome> {
    if (!writing.ifAbsent || !hasReason(error, EXISTS)) throw error;
    return await this.#standing(writing, attemptsOf(error) > 1 || writing.record.announcedAt !== undefined);
  }

  async #standing(writing: Writing, mayBeOurs: boolean): Promise<Outcome> {
    const { name, record } = writing;
    const held = mayBeOurs ? await this.#init.api.headObject(name) : undefined;
    return held !== undefined && (await this.#isOurs(writing, held)) ? withEtagNote(record, held) : SKIPPED;
  }

  /** Whether an object that may be ours is what the record's write makes. */
  async #isOurs({ name, record }: Writing, held: HeldObject): Promise<boolean> {
    if (!sameMetadata(record.metadata, held.headers)) return false;
    return await holdsContent({ api: this.#init.api, name, held }, record.body);
  }
}

function writingOf(
  scope: BucketScope,
  record: ObjectRecord,
  { action, rules }: { readonly action: WriteAction; readonly rules: HeaderRules },
): Writing {
  const ifAbsent = action !== "put" && action !== "overwrite";
  return { scope, name: { bucket: scope.target, key: record.key }, record, rules, ifAbsent };
}

/** Whether a merge sends the object, whatever metadata stand there. */
function isReplaced(record: ObjectRecord, told: Told): boolean {
  return told === "absent" || told.size !== record.body.size || !mayHaveEtag(record, told);
}

/** An ETag of the dump says what the object's has to be. */
function mayHaveEtag({ etag }: ObjectRecord, held: Pick<HeldObject, "etag">): boolean {
  return etag === undefined || etag.toLowerCase() === held.etag.toLowerCase();
}

async function isSame(record: ObjectRecord, held: HeldObject): Promise<boolean> {
  return sameMetadata(record.metadata, held.headers) && (await hasContent(record.body, held));
}

function rejected({ reason, detail }: Refusal): Outcome {
  return { kind: "rejected", reason, detail };
}

function withEtagNote({ etag }: ObjectRecord, stored: Pick<Stored, "etag">): Outcome {
  if (etag === undefined || stored.etag.toLowerCase() === etag.toLowerCase()) return RESTORED;
  return { kind: "restored", notes: [{ kind: "etag-changed", detail: `was ${etag}, is ${stored.etag}` }] };
}

/** Whether an error of a record's write ends the run. `anyWritten`: by these credentials, of the same job. */
export function endsTheRun(error: unknown, anyWritten: boolean): boolean {
  if (!(error instanceof RestoreError)) return true;
  // A policy may close single keys, and a header can be signed otherwise than the target reads it; credentials that may
  // write nothing end the run.
  return error.retry === "fatal" && !(anyWritten && hasReason(error, ACCESS_DENIED, SIGNATURE_REFUSED));
}

/** The outcome of a record whose write threw what does not end the run. */
export function outcomeOfError(error: unknown): Outcome {
  const code = error instanceof RestoreError ? error.code : undefined;
  const reason = error instanceof RestoreError ? error.reason : undefined;
  const kind = code === "RECORD_REFUSED" ? "rejected" : "failed";
  return { kind, reason: reason ?? "call-failed", detail: messageOf(error) };
}
