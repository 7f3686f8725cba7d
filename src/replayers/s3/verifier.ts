/**
 * Buckets and objects of a dump beside those of the target. Reads, but for `mend` and `deleteKeys`.
 *
 * Objects are looked up by their own keys, for a server may hold one that it does not list, and only under keys that the
 * target keeps as they are: another key's object is not this one's.
 */
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { Difference } from "../../model/difference.js";
import { escapeForDisplay } from "../../model/display.js";
import type { ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import type { Comparing, Comparison, HeldKey, ScopeComparison, Verifier } from "../verifier.js";
import type { HeldObject, S3Api } from "./api.js";
import { assertOwn, isThere } from "./bucket.js";
import { ACCESS_DENIED, hasReason } from "./classify-error.js";
import { deleteAll } from "./emptying.js";
import { heldKeys } from "./held-keys.js";
import { hasOddForm, keyFault } from "./names.js";
import type { Traits } from "./probe.js";
import { proveContent } from "./prove-content.js";
import type { ObjectName } from "./requests.js";
import { metadataDifferences, untoldMetadata } from "./same-metadata.js";
import { mendSettings, type SettingsInit, settingDifferences } from "./settings.js";
import type { Slots } from "./slots.js";

export interface S3VerifierInit {
  readonly api: S3Api;
  readonly settings: () => Promise<SettingsInit>;
  /** For what reads whole contents. */
  readonly slots: Slots;
  readonly batch: Verifier["batch"];
  readonly workDirectory: string;
}

/** As many names as one DeleteObjects takes. */
const DELETED_AT_ONCE = 1_000;

export class S3Verifier implements Verifier<"s3"> {
  readonly batch: Verifier["batch"];
  readonly #init: S3VerifierInit;
  /** Whether these credentials read an object: what is denied to them is a record's own then. */
  #anyRead = false;

  constructor(init: S3VerifierInit) {
    this.#init = init;
    this.batch = init.batch;
  }

  async settings(scope: BucketScope): Promise<ScopeComparison> {
    const init = await this.#init.settings();
    if (!(await isThere(this.#init.api, scope))) return { exists: false, differences: [], unproven: [] };
    await assertOwn(this.#init.api, init.traits, scope);
    const { differences, unproven } = await settingDifferences(init, scope);
    return { exists: true, differences, unproven: [...unproven, ...(init.traits.minio ? [UNLISTED] : [])] };
  }

  async compare(scope: BucketScope, batch: readonly ObjectRecord[], how: Comparing): Promise<Comparison[]> {
    const { traits } = await this.#init.settings();
    const settled = await Promise.allSettled(batch.map((record) => this.#compareOne(scope, record, how, traits)));
    return settled.map((result): Comparison => {
      if (result.status === "fulfilled") return result.value;
      if (this.#endsTheRun(result.reason)) throw result.reason;
      return { differences: [], unproven: [whyUnread(result.reason)] };
    });
  }

  keyOf(_scope: BucketScope, { key }: ObjectRecord): Buffer {
    return Buffer.from(key);
  }

  async *held({ target }: BucketScope): AsyncGenerator<readonly HeldKey[]> {
    const { api, settings, workDirectory } = this.#init;
    // How it signs requests.
    await settings();
    yield* heldKeys(api, target, workDirectory);
  }

  async mend(scope: BucketScope): Promise<readonly string[]> {
    return await mendSettings(await this.#init.settings(), scope);
  }

  /** In a bucket with versions this sets delete markers: the versions stay. */
  async deleteKeys({ name, target }: BucketScope, keys: readonly Buffer[]): Promise<void> {
    const { traits } = await this.#init.settings();
    const { api } = this.#init;
    const names: string[] = [];
    for (const key of keys.map((bytes) => bytes.toString())) {
      // A key that the target rewrites is another object's.
      const isOwn = keyFault(key, traits.keyRules) === undefined;
      if (isOwn && (await this.#isUnderItsKey({ bucket: target, key }, traits))) names.push(key);
    }
    for (let at = 0; at < names.length; at += DELETED_AT_ONCE) {
      const doomed = names.slice(at, at + DELETED_AT_ONCE).map((key) => ({ key }));
      const complaint = await deleteAll(api, traits, target, doomed);
      if (complaint === undefined) continue;
      throw new RestoreError("CALL_FAILED", `DeleteObjects: ${escapeForDisplay(complaint)}`, {
        where: { adapter: "s3", scope: name, endpoint: api.endpoint, operation: "DeleteObjects" },
        hint: "Delete what the dump lacks with the target's own tools.",
        reason: "not-deleted",
      });
    }
  }

  async #compareOne(scope: BucketScope, record: ObjectRecord, how: Comparing, traits: Traits): Promise<Comparison> {
    const fault = keyFault(record.key, traits.keyRules);
    if (fault !== undefined) return missing(`it is not there: ${fault.detail}`);
    const { api, slots } = this.#init;
    const name = { bucket: scope.target, key: record.key };
    const held = await this.#look(name);
    if (held === undefined || "refusal" in held) return missing(held?.refusal ?? "it is not there");
    this.#anyRead = true;
    if (!(await this.#isUnderItsKey(name, traits))) return UNLISTED_KEY;
    const differences: Difference[] = [];
    const unproven: string[] = [];
    const proof = await proveContent({ api, name, held }, record.body, { download: how.download, slots });
    if (proof.kind === "differs") differences.push({ kind: "body", detail: proof.detail });
    if (proof.kind === "unproven") unproven.push(proof.detail);
    for (const difference of metadataDifferences(record.metadata, held.headers)) {
      const isUntold = difference.kind === "missing-part" && difference.at?.startsWith("metadata ") === true;
      if (isUntold && untoldMetadata(held.headers) > 0) unproven.push(UNTOLD_METADATA);
      else differences.push(difference);
    }
    return unproven.length === 0 ? { differences } : { differences, unproven };
  }

  /** Whether what the target holds under a key is not another key's object, for it tidies some: by its own listing. */
  async #isUnderItsKey({ bucket, key }: ObjectName, { keyRules }: Traits): Promise<boolean> {
    if (keyRules !== "unknown" || !hasOddForm(key)) return true;
    const { keys } = await this.#init.api.listObjects(bucket, { prefix: key, most: 1 });
    return keys[0] === key;
  }

  async #look(name: ObjectName): Promise<HeldObject | Refused | undefined> {
    try {
      return await this.#init.api.headObject(name);
    } catch (error) {
      // What cannot be asked for cannot be there.
      if (error instanceof RestoreError && error.code === "RECORD_REFUSED") {
        return { refusal: `it is not there: the target takes no such key (${error.message})` };
      }
      throw error;
    }
  }

  #endsTheRun(error: unknown): boolean {
    if (!(error instanceof RestoreError)) return true;
    return error.retry === "fatal" && !(this.#anyRead && hasReason(error, ACCESS_DENIED));
  }
}

interface Refused {
  readonly refusal: string;
}

const UNLISTED = "what it holds below the key of another object beside the dump's own: MinIO does not list that";

const UNLISTED_KEY: Comparison = {
  differences: [],
  unproven: ["whether it is there: the target does not list it under its key, and may have answered of another"],
};

const UNTOLD_METADATA = "metadata that the target keeps and does not tell";

/** Without places, for what many records have in common is said once. */
function whyUnread(error: unknown): string {
  const isOfDump = error instanceof RestoreError && error.code === "CHANGED_AFTER_CHECK";
  return isOfDump ? "its bytes: the dump's file is not what was checked" : `it could not be read: ${messageOf(error)}`;
}

function missing(detail: string): Comparison {
  return { differences: [{ kind: "missing", detail }] };
}
