/**
 * The objects on which an unknown server is tried: noted for as long as one may stand in a bucket, so that a process which
 * was killed over it leaves none for good.
 */
import { randomUUID } from "node:crypto";
import type { BucketScope } from "../../model/scope.js";
import type { Notebook } from "../replayer.js";
import type { S3Api } from "./api.js";
import { KEY_FORMS } from "./names.js";

const PREFIX = "trial:";

export interface TrialsInit {
  readonly api: S3Api;
  readonly notebook: Notebook;
  /** Key of the object that is tried; nobody else's. */
  readonly probeKey: string;
}

export class Trials {
  readonly probeKey: string;
  readonly #init: TrialsInit;

  constructor(init: TrialsInit) {
    this.#init = init;
    this.probeKey = init.probeKey;
  }

  /** Runs a trial, which deletes its objects itself unless it throws. */
  async run<T>(scope: BucketScope, trial: (bucket: string) => Promise<T>): Promise<T> {
    const { notebook } = this.#init;
    const name = PREFIX + randomUUID();
    await notebook.note(scope, name, "begun");
    const found = await trial(scope.target);
    await notebook.note(scope, name);
    return found;
  }

  /** Deletes what trials that did not come to their end may have left. Repeatable. */
  async sweep(scope: BucketScope, traits: () => Promise<{ readonly listsVersions: boolean }>): Promise<void> {
    const { notebook, probeKey } = this.#init;
    const noted = notebook.find(scope, PREFIX);
    if (noted.size === 0) return;
    const { listsVersions } = await traits();
    const samples = KEY_FORMS.map((form) => form.sample(probeKey));
    const keys = new Set([probeKey, ...samples.flatMap(({ key, tidied }) => [key, tidied])]);
    for (const key of keys) await this.#delete({ bucket: scope.target, key }, listsVersions);
    for (const name of noted.keys()) await notebook.note(scope, name);
  }

  async #delete(name: { readonly bucket: string; readonly key: string }, listsVersions: boolean): Promise<void> {
    const { api } = this.#init;
    try {
      if ((await api.headObject(name)) === undefined) return;
      const { items } = listsVersions
        ? await api.listVersions(name.bucket, undefined, { prefix: name.key })
        : { items: [] };
      const own = items.filter(({ key }) => key === name.key);
      if (own.length === 0) await api.deleteObject(name);
      for (const { versionId } of own) await api.deleteObject(name, versionId);
    } catch (error) {
      // Keys of such a form are not kept at all.
      if (!api.isRefusal(error)) throw error;
    }
  }
}
