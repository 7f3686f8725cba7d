/**
 * Which forms of keys a server that is not known keeps, tried on an object of its own that is deleted again. To look
 * after the write would be too late: a key that is tidied takes the place of the object whose key it becomes.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { BucketScope } from "../../model/scope.js";
import type { S3Api } from "./api.js";
import type { Refusal } from "./metadata.js";
import { KEY_FORMS, type KeyForm } from "./names.js";
import type { ObjectName } from "./requests.js";
import { EMPTY_SHA256 } from "./text-forms.js";
import type { Trials } from "./trials.js";

const REFUSED: Refusal = { reason: "key-refused", detail: "the target takes no keys of such a form" };
const REWRITTEN: Refusal = { reason: "key-rewritten", detail: "the target would store the object under another key" };

export class KeyForms {
  readonly #api: S3Api;
  readonly #trials: Trials;
  readonly #tried = new Map<KeyForm, Promise<Refusal | undefined>>();
  readonly #asked = new Map<KeyForm, Promise<Refusal | undefined>>();

  constructor(api: S3Api, trials: Trials) {
    this.#api = api;
    this.#trials = trials;
  }

  /** Why the target does not keep the key as it is, going by its forms. Each form is tried once. Repeatable. */
  async faultOf(scope: BucketScope, key: string): Promise<Refusal | undefined> {
    for (const form of KEY_FORMS) {
      const fault = form.pattern.test(key) ? await this.#faultOfForm(scope, form) : undefined;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** As `faultOf`, going by forms that were tried and those that the target refuses to be asked for. Changes nothing. */
  async likelyFaultOf(bucket: string, key: string): Promise<Refusal | undefined> {
    for (const form of KEY_FORMS) {
      if (!form.pattern.test(key)) continue;
      const fault = await (this.#tried.get(form) ?? this.#ask(bucket, form));
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #ask(bucket: string, form: KeyForm): Promise<Refusal | undefined> {
    const known = this.#asked.get(form);
    if (known !== undefined) return await known;
    const name = { bucket, key: form.sample(this.#trials.probeKey).key };
    const asked = this.#api.headObject(name).then(
      () => undefined,
      (error: unknown) => {
        if (this.#api.isRefusal(error)) return REFUSED;
        this.#asked.delete(form);
        throw error;
      },
    );
    this.#asked.set(form, asked);
    return await asked;
  }

  async #faultOfForm(scope: BucketScope, form: KeyForm): Promise<Refusal | undefined> {
    const known = this.#tried.get(form);
    if (known !== undefined) return await known;
    const asked = this.#trials.run(scope, (bucket) => this.#try(bucket, form));
    this.#tried.set(form, asked);
    try {
      return await asked;
    } catch (error) {
      this.#tried.delete(form);
      throw error;
    }
  }

  async #try(bucket: string, form: KeyForm): Promise<Refusal | undefined> {
    const sample = form.sample(this.#trials.probeKey);
    try {
      const kept = await this.#isKept({ bucket, key: sample.key }, { bucket, key: sample.tidied });
      return kept ? undefined : REWRITTEN;
    } catch (error) {
      if (this.#api.isRefusal(error)) return REFUSED;
      if (!(error instanceof RestoreError) || (error.code !== "OUTAGE" && error.code !== "CALL_FAILED")) throw error;
      // A server may break on such keys and on no others.
      const plain = { bucket, key: this.#trials.probeKey };
      await this.#api.deleteObject(plain, await this.#put(plain));
      return REFUSED;
    }
  }

  async #isKept(own: ObjectName, tidied: ObjectName): Promise<boolean> {
    const versionId = await this.#put(own);
    const kept = (await this.#api.headObject(own)) !== undefined;
    const moved = (await this.#api.headObject(tidied)) !== undefined;
    await this.#api.deleteObject(own, versionId);
    if (moved) await this.#api.deleteObject(tidied, versionId);
    return kept && !moved;
  }

  /** Stores an object of nothing. Answers its version. */
  async #put(name: ObjectName): Promise<string | undefined> {
    const init = { headers: {}, ifAbsent: false, sha256: EMPTY_SHA256, bytes: 0 };
    return (await this.#api.putObject(name, init, () => Buffer.alloc(0))).versionId;
  }
}
