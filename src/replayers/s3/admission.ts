/**
 * Whether a target holds an object under its key and with its metadata as they are, and how its metadata are to be sent.
 * Of a server that is not known this is found out by writing objects of our own; beforehand, where nothing may be written,
 * what was not tried yet is taken to come out well.
 */
import type { ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import type { S3Api } from "./api.js";
import { KeyForms } from "./key-forms.js";
import { type HeaderRules, hasWideText, metadataFault, type Refusal } from "./metadata.js";
import { keyFault } from "./names.js";
import type { Traits } from "./probe.js";
import { learnTextForms, type TextForms } from "./text-forms.js";
import type { Trials } from "./trials.js";

export interface AdmissionInit {
  /** For writes. */
  readonly api: S3Api;
  readonly traits: Traits;
  readonly trials: Trials;
}

export type Admitted = { readonly refusal: Refusal } | { readonly rules: HeaderRules };

const UNTRIED: TextForms = { userText: "raw", headerText: "raw", takesWideSpace: true };

export class Admission {
  readonly #init: AdmissionInit;
  readonly #keyForms: KeyForms;
  #textForms: Promise<TextForms> | undefined;

  constructor(init: AdmissionInit) {
    this.#init = init;
    this.#keyForms = new KeyForms(init.api, init.trials);
  }

  /** May write and delete objects of its own in the bucket. Repeatable. */
  async admit(scope: BucketScope, record: ObjectRecord): Promise<Admitted> {
    return await this.#admitted(record, {
      faultOf: (key) => this.#keyForms.faultOf(scope, key),
      textForms: () => this.#learnTextForms(scope),
    });
  }

  /** As `admit`, by what is known and what can be asked. Changes nothing. */
  async foresee({ target }: BucketScope, record: ObjectRecord): Promise<Admitted> {
    return await this.#admitted(record, {
      faultOf: (key) => this.#keyForms.likelyFaultOf(target, key),
      textForms: () => this.#textForms ?? Promise.resolve(UNTRIED),
    });
  }

  async #admitted({ key, metadata }: ObjectRecord, ways: Ways): Promise<Admitted> {
    const { keyRules } = this.#init.traits;
    const keyRefusal = keyFault(key, keyRules) ?? (keyRules === "unknown" ? await ways.faultOf(key) : undefined);
    if (keyRefusal !== undefined) return { refusal: keyRefusal };
    const rules = await this.#rulesFor(metadata, ways);
    const refusal = metadataFault(metadata, rules);
    return refusal === undefined ? { rules } : { refusal };
  }

  async #rulesFor(metadata: ObjectRecord["metadata"], { textForms }: Ways): Promise<HeaderRules> {
    const { api, traits } = this.#init;
    const takesTabs = !api.wire.signsEveryHeader;
    // Amazon reads and writes such metadata as RFC 2047 says, and says nothing of other headers.
    const known = { takesTabs, takesWideSpace: true };
    if (traits.aws) return { userText: "encoded", headerText: "none", ...known };
    if (traits.minio || !hasWideText(metadata)) return { userText: "raw", headerText: "raw", ...known };
    return { ...(await textForms()), takesTabs };
  }

  async #learnTextForms(scope: BucketScope): Promise<TextForms> {
    const { api, trials } = this.#init;
    const learn = (bucket: string) => learnTextForms(api, bucket, trials.probeKey);
    this.#textForms ??= trials.run(scope, learn).catch((error: unknown) => {
      this.#textForms = undefined;
      throw error;
    });
    return await this.#textForms;
  }
}

interface Ways {
  readonly faultOf: (key: string) => Promise<Refusal | undefined>;
  readonly textForms: () => Promise<TextForms>;
}
