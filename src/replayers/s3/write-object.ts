/**
 * Writes one object under the run's condition and says how it ended. Nothing is sent that the target would keep under
 * another key or with other metadata.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import { RESTORED } from "../../model/outcome.js";
import type { WriteAction } from "../../model/policy.js";
import type { ObjectRecord } from "../../model/record.js";
import { attemptsOf, type HeldObject, type ObjectName, type S3Api } from "./api.js";
import { ACCESS_DENIED, EXISTS, hasReason, SIGNATURE_REFUSED } from "./classify-error.js";
import { KeyForms } from "./key-forms.js";
import {
  type HeaderRules,
  hasWideText,
  metadataFault,
  metadataHeaders,
  type Refusal,
  sameMetadata,
} from "./metadata.js";
import type { Multipart } from "./multipart.js";
import { keyFault } from "./names.js";
import { hasEtag } from "./part-size.js";
import type { Traits } from "./probe.js";
import type { Slots } from "./slots.js";
import type { Stored } from "./stored.js";
import { learnTextForms, type TextForms } from "./text-forms.js";
import { needsOnePiece, planUpload, type UploadPlan } from "./upload-plan.js";

export interface WriterInit {
  readonly api: S3Api;
  readonly slots: Slots;
  readonly multipart: Multipart;
  readonly traits: Traits;
  readonly multipartThresholdBytes: number;
  readonly keepEtag: boolean;
  /** Key of the object on which a target is asked how it keeps text and keys; nobody else's. */
  readonly probeKey: string;
}

/** Bodies up to here are sent from one buffer. */
const BUFFERED_BYTES = 1024 * 1024;
/** Above this a HEAD is cheaper than a body that is refused at its end. */
const LOOK_FIRST_BYTES = 256 * 1024;
const SKIPPED: Outcome = { kind: "skipped-existing", reason: EXISTS };

type Sent = Outcome | { readonly kind: "stored"; readonly stored: Stored };

export class ObjectWriter {
  readonly #init: WriterInit;
  readonly #keyForms: KeyForms;
  #textForms: Promise<TextForms> | undefined;
  /** Unknown until an upload in parts was looked at. */
  #partsLoseHeaders: boolean;

  constructor(init: WriterInit) {
    this.#init = init;
    this.#keyForms = new KeyForms(init.api, init.probeKey);
    this.#partsLoseHeaders = !init.traits.keepsHeadersOfParts;
  }

  /** @throws RestoreError; which of them are the record's own fault is the caller's to say */
  async write(bucket: string, record: ObjectRecord, action: WriteAction): Promise<Outcome> {
    const keyRefusal = await this.#keyRefusal(bucket, record.key);
    if (keyRefusal !== undefined) return rejected(keyRefusal);
    const rules = await this.#rulesFor(bucket, record);
    const refusal = metadataFault(record.metadata, rules);
    if (refusal !== undefined) return rejected(refusal);
    const name = { bucket, key: record.key };
    const ifAbsent = action !== "put" && action !== "overwrite";
    const found = await this.#lookFirst(name, record, { ifAbsent, action });
    if (found !== undefined) return found;
    const sent = await this.#send(name, record, { rules, ifAbsent });
    return sent.kind === "stored" ? withEtagNote(record, sent.stored) : sent;
  }

  async #keyRefusal(bucket: string, key: string): Promise<Refusal | undefined> {
    const { keyRules } = this.#init.traits;
    const fault = keyFault(key, keyRules);
    return fault === undefined && keyRules === "unknown" ? await this.#keyForms.faultOf(bucket, key) : fault;
  }

  async #lookFirst(
    name: ObjectName,
    record: ObjectRecord,
    { ifAbsent, action }: { readonly ifAbsent: boolean; readonly action: WriteAction },
  ): Promise<Outcome | undefined> {
    const { api, traits } = this.#init;
    if (action === "put") return undefined;
    if (ifAbsent && traits.honoursConditions && record.body.size <= LOOK_FIRST_BYTES) return undefined;
    const held = await api.headObject(name);
    if (held === undefined) return undefined;
    if (ifAbsent) return SKIPPED;
    if (record.etag !== undefined && record.etag.toLowerCase() !== held.etag.toLowerCase()) return undefined;
    return (await isSame(record, held)) ? { kind: "restored", reason: "already-equal" } : undefined;
  }

  async #send(name: ObjectName, record: ObjectRecord, how: SendInit): Promise<Sent> {
    const plan = await this.#plan(record);
    if (plan.kind === "impossible") return rejected(plan);
    if (plan.kind === "single") return await this.#putWhole(name, record, how);
    const sent = await this.#putParts(name, record, { ...how, partBytes: plan.partBytes });
    if (sent.kind !== "stored" || this.#init.traits.honoursConditions || !needsOnePiece(record)) return sent;
    const held = await this.#init.api.headObject(name);
    if (held !== undefined && sameMetadata(record.metadata, held.headers)) return sent;
    // What stands there now is this record's own, so it is replaced whatever the condition was.
    this.#partsLoseHeaders = true;
    return await this.#send(name, record, { ...how, ifAbsent: false });
  }

  async #plan(record: ObjectRecord): Promise<UploadPlan> {
    const { multipartThresholdBytes, keepEtag } = this.#init;
    const keepsHeadersOfParts = !this.#partsLoseHeaders;
    return await planUpload(record, { multipartThresholdBytes, keepEtag, keepsHeadersOfParts });
  }

  async #putWhole(name: ObjectName, record: ObjectRecord, { rules, ifAbsent }: SendInit): Promise<Sent> {
    const { api, slots } = this.#init;
    const { body, metadata } = record;
    const headers = metadataHeaders(metadata, rules);
    const init = { headers, ifAbsent, sha256: body.sha256, bytes: body.size };
    // Node spoils a content disposition outside ASCII when the body is at hand at once.
    const buffered = body.size === 0 || (body.size <= BUFFERED_BYTES && !hasWideText({ ...metadata, user: [] }));
    const open = () => (buffered ? body.buffer() : { blocks: body.blocks(), bytes: body.size, signal: api.signal });
    try {
      return { kind: "stored", stored: await slots.use(() => api.putObject(name, init, open)) };
    } catch (error) {
      return await this.#refused(name, record, { error, ifAbsent });
    }
  }

  async #putParts(
    name: ObjectName,
    record: ObjectRecord,
    { rules, ifAbsent, partBytes }: SendInit & { readonly partBytes: number },
  ): Promise<Sent> {
    const { api, multipart, traits } = this.#init;
    const isFree = async () => (await api.headObject(name)) === undefined;
    try {
      const uploaded = await multipart.upload(name, {
        content: record.body,
        partBytes,
        headers: metadataHeaders(record.metadata, rules),
        ifAbsent,
        listsUploads: traits.listsUploads,
        mayComplete: ifAbsent && !traits.honoursConditions ? isFree : () => Promise.resolve(true),
      });
      return uploaded.kind === "stored" ? uploaded : SKIPPED;
    } catch (error) {
      return await this.#refused(name, record, { error, ifAbsent });
    }
  }

  /** Something stands under the key. After a lost answer it may be what the first request stored: then it is equal. */
  async #refused(
    name: ObjectName,
    record: ObjectRecord,
    { error, ifAbsent }: { readonly error: unknown; readonly ifAbsent: boolean },
  ): Promise<Outcome> {
    if (!ifAbsent || !hasReason(error, EXISTS)) throw error;
    if (attemptsOf(error) <= 1) return SKIPPED;
    const held = await this.#init.api.headObject(name);
    return held !== undefined && (await isSame(record, held)) ? RESTORED : SKIPPED;
  }

  async #rulesFor(bucket: string, { metadata }: ObjectRecord): Promise<HeaderRules> {
    const { api, traits, probeKey } = this.#init;
    const takesTabs = !api.wire.signsEveryHeader;
    // Amazon reads and writes such metadata as RFC 2047 says, and says nothing of other headers.
    const known = { takesTabs, takesWideSpace: true };
    if (traits.aws) return { userText: "encoded", headerText: "none", ...known };
    if (traits.minio || !hasWideText(metadata)) return { userText: "raw", headerText: "raw", ...known };
    this.#textForms ??= learnTextForms(api, bucket, probeKey).catch((error: unknown) => {
      this.#textForms = undefined;
      throw error;
    });
    return { ...(await this.#textForms), takesTabs };
  }
}

interface SendInit {
  readonly rules: HeaderRules;
  readonly ifAbsent: boolean;
}

async function isSame(record: ObjectRecord, held: HeldObject): Promise<boolean> {
  if (held.size !== record.body.size || !sameMetadata(record.metadata, held.headers)) return false;
  return await hasEtag(record.body, held.etag);
}

function rejected({ reason, detail }: Refusal): Outcome {
  return { kind: "rejected", reason, detail };
}

function withEtagNote({ etag }: ObjectRecord, stored: Stored): Outcome {
  if (etag === undefined || stored.etag.toLowerCase() === etag.toLowerCase()) return RESTORED;
  return { kind: "restored", notes: [{ kind: "etag-changed", detail: `was ${etag}, is ${stored.etag}` }] };
}

/**
 * The outcome of a record whose write threw.
 * @throws the error again when it is not the record's own
 */
export function outcomeOfError(error: unknown, anyWritten: boolean): Outcome {
  if (!(error instanceof RestoreError)) throw error;
  // A policy may close single keys, and a header can be signed otherwise than the target reads it; credentials that may
  // write nothing end the run.
  const isDenied = anyWritten && hasReason(error, ACCESS_DENIED, SIGNATURE_REFUSED);
  if (error.retry === "fatal" && !isDenied) throw error;
  const kind = error.code === "RECORD_REFUSED" ? "rejected" : "failed";
  return { kind, reason: error.reason ?? "call-failed", detail: error.message };
}
