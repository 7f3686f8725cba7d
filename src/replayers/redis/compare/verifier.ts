/**
 * The Redis verifier: records against what stands under their keys, and all keys that a database holds. It does not
 * promise one moment: every key is read in several steps, and other clients may write between them.
 */
import { displayBytes } from "../../../model/display.js";
import type { RedisRecord } from "../../../model/record.js";
import type { DatabaseScope } from "../../../model/scope.js";
import type { Comparing, Comparison, HeldKey, ScopeComparison, Verifier } from "../../verifier.js";
import type { WriteContext } from "../context.js";
import { jobOf } from "../own-keys.js";
import type { Abilities } from "../probe.js";
import { removeKeys, scannedKeys, type Target } from "../scope.js";
import { inOrder } from "../side-by-side.js";
import { removeWhole } from "../temporary.js";
import { compareRecord } from "./compare-record.js";

interface VerifierInit {
  readonly batch: Verifier["batch"];
  /** What the target was found to be. @throws RestoreError INTERNAL before it was asked */
  readonly abilities: () => Abilities;
  readonly contextOf: (scope: DatabaseScope) => Promise<WriteContext>;
  readonly targetOf: (scope: DatabaseScope) => Promise<Target>;
}

export class RedisVerifier implements Verifier<"redis"> {
  readonly #init: VerifierInit;

  constructor(init: VerifierInit) {
    this.#init = init;
  }

  get batch(): Verifier["batch"] {
    return this.#init.batch;
  }

  /** A database has no settings, and is always there. */
  async settings(scope: DatabaseScope): Promise<ScopeComparison> {
    const { abilities } = await this.#init.targetOf(scope);
    return { exists: true, differences: [], unproven: abilities.listable ? [] : [notListed(abilities)] };
  }

  async compare(scope: DatabaseScope, batch: readonly RedisRecord[], how: Comparing): Promise<Comparison[]> {
    const context = await this.#init.contextOf(scope);
    return await inOrder(batch, async (record) => await compareRecord(context, record, how));
  }

  keyOf(_scope: DatabaseScope, { key }: RedisRecord): Buffer {
    return key;
  }

  /** Keys that jobs keep for themselves are among them. One may come twice. */
  held(scope: DatabaseScope): AsyncIterable<readonly HeldKey[]> | string {
    const abilities = this.#init.abilities();
    return abilities.listable ? this.#held(scope) : notListed(abilities);
  }

  async deleteKeys(scope: DatabaseScope, keys: readonly Buffer[]): Promise<void> {
    const { link, abilities } = await this.#init.targetOf(scope);
    if (abilities.deleteLimit !== undefined)
      await inOrder(keys, async (key) => await removeWhole({ link, abilities }, key));
    else await removeKeys(link, abilities.unlink ? "UNLINK" : "DEL", keys);
  }

  async *#held(scope: DatabaseScope): AsyncGenerator<readonly HeldKey[]> {
    const { link } = await this.#init.targetOf(scope);
    for (const shard of await link.shards()) {
      for await (const keys of scannedKeys(link.at(shard))) {
        if (keys.length > 0) yield keys.map(heldKey);
      }
    }
  }
}

function heldKey(key: Buffer): HeldKey {
  const job = jobOf(key);
  const held = { key, displayKey: displayBytes(key) };
  return job === undefined ? held : { ...held, job };
}

function notListed({ server }: Abilities): string {
  return `${server} cannot be listed, so keys that the dump lacks are not found`;
}
