/**
 * Compares a scope record by record, and lists what the target holds beside them.
 *
 * The first look goes over all records and remembers which differ. Each further look reads the dump again and asks for
 * those alone; what still differs at the last one counts. In the same way a record that the dump lacks has to stand in
 * every listing.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { DumpRecord, WritableRecord } from "../../model/record.js";
import { scopeLabel } from "../../model/scope.js";
import type { Comparison } from "../../replayers/verifier.js";
import { SpillingSet } from "../../support/spilling-set.js";
import { type Answer, compared, type Entry } from "./compared.js";
import { type Standing, unlike } from "./counts.js";
import { Places } from "./places.js";
import type { VerifiedScope } from "./report.js";
import { pause, recordsOf, type ScopeCheck, standingUnasked } from "./scope-check.js";

export interface EachRecord extends Pick<VerifiedScope, "extra" | "notListed"> {
  /** How many records differed at the first look and no more at a later one. */
  readonly settled: number;
}

export async function verifyEach(check: ScopeCheck): Promise<EachRecord> {
  const looks = new Looks(check);
  try {
    return await looks.run();
  } finally {
    looks.close();
  }
}

/** A record of which is known how it stands. Absent standing: an earlier process counted it. */
interface Known {
  readonly record: DumpRecord;
  readonly standing?: Standing;
}

class Looks {
  readonly #check: ScopeCheck;
  /** Of all that the dump holds. */
  readonly #keys: SpillingSet;
  #suspects: Places;
  #extras: SpillingSet;
  #look = 1;

  constructor(check: ScopeCheck) {
    const { workRoot } = check.run.options;
    this.#check = check;
    this.#keys = new SpillingSet(workRoot);
    this.#suspects = new Places(workRoot);
    this.#extras = new SpillingSet(workRoot);
  }

  async run(): Promise<EachRecord> {
    const { how, tally } = this.#check;
    await this.#lookAtAll();
    const notListed = whyNotListed(this.#check);
    if (notListed === undefined) await this.#list((key) => !this.#keys.has(key));
    const suspected = this.#suspects.size;
    while (this.#look < how.looks && this.#suspects.size + this.#extras.size > 0) {
      await pause(this.#check);
      this.#look++;
      await this.#lookAgain();
      await this.#listAgain();
    }
    const settled = Math.max(0, suspected - unlike(tally.standings));
    return { settled, ...(notListed === undefined ? { extra: this.#extras.size } : { notListed }) };
  }

  close(): void {
    this.#keys.close();
    this.#suspects.close();
    this.#extras.close();
  }

  /** Whether what differs now counts. */
  get #isLast(): boolean {
    return this.#look >= this.#check.how.looks;
  }

  /** Goes on behind what an earlier process compared; the keys of those records have to be known all the same. */
  async #lookAtAll(): Promise<void> {
    const { checkpoints, scope, number, tally } = this.#check;
    const label = scopeLabel(scope);
    const begun = checkpoints.begun(label);
    const file = await checkpoints.suspects(number, begun?.suspects ?? 0);
    let done = begun?.compared ?? 0;
    const keep = async () => {
      await file.flush();
      await checkpoints.keep(label, { compared: done, ...tally.state, suspects: file.bytes });
    };
    try {
      for await (const place of file.places()) this.#suspects.add(place);
      try {
        for await (const answer of this.#answers(this.#firstEntries(done))) {
          if ("known" in answer && answer.known.standing === undefined) continue;
          const suspect = await this.#take(answer);
          if (suspect !== undefined) file.add(suspect.place);
          done++;
          if (checkpoints.isDue(label)) await keep();
        }
      } finally {
        await keep();
      }
    } finally {
      await file.close();
    }
  }

  async *#firstEntries(done: number): AsyncGenerator<Entry<Known>> {
    let at = 0;
    for await (const record of recordsOf(this.#check)) {
      this.#keepKey(record);
      if (at++ < done) yield { known: { record } };
      else yield this.#entry(record);
    }
  }

  #keepKey(record: DumpRecord): void {
    const { verifier, scope } = this.#check;
    if (record.kind !== "faulty") this.#keys.add(verifier.keyOf?.(scope, record) ?? record.displayKey);
    else if (record.key !== undefined) this.#keys.add(record.key);
  }

  #entry(record: DumpRecord): Entry<Known> {
    const standing = standingUnasked(this.#check, record);
    if (standing !== undefined || record.kind === "faulty")
      return { known: { record, standing: standing ?? "malformed" } };
    return { ask: record };
  }

  async #lookAgain(): Promise<void> {
    const before = this.#suspects;
    if (before.size === 0) return;
    this.#suspects = new Places(this.#check.run.options.workRoot);
    const { check } = { check: this.#check };
    const entries = async function* (): AsyncGenerator<Entry<Known>> {
      for await (const record of recordsOf(check)) {
        if (record.kind !== "faulty" && before.has(record.place)) yield { ask: record };
      }
    };
    try {
      for await (const answer of this.#answers(entries())) await this.#take(answer);
    } finally {
      before.close();
    }
  }

  #answers(entries: AsyncIterable<Entry<Known>>): AsyncGenerator<Answer<Known>> {
    const { scope, verifier, how, run } = this.#check;
    const { compare, batch } = verifier;
    if (compare === undefined) throw new RestoreError("INTERNAL", `${scope.adapter} does not compare by record`);
    const capabilities = run.capabilities.get(scope.adapter);
    return compared({
      scope,
      entries,
      verifier: { batch, compare: compare.bind(verifier) },
      comparing: how.comparing,
      get concurrency() {
        return capabilities?.concurrency ?? 1;
      },
    });
  }

  /** Counts a record, or returns it as one to look at again. */
  async #take(answer: Answer<Known>): Promise<WritableRecord | undefined> {
    const { tally, run, scope } = this.#check;
    const [record, standing] =
      "known" in answer
        ? ([answer.known.record, answer.known.standing ?? "not-compared"] as const)
        : ([answer.record, standingOf(answer.comparison)] as const);
    const isUnlike = standing === "missing" || standing === "differing";
    if (isUnlike && !this.#isLast && "record" in answer) {
      this.#suspects.add(record.place);
      return answer.record;
    }
    tally.count(standing, record);
    run.options.progress.report({ type: "compared", scope, bytes: record.bytes, differing: isUnlike });
    if ("record" in answer) await this.#tell(answer.record, answer.comparison);
    return undefined;
  }

  async #tell(record: WritableRecord, { differences, differenceCount, unproven = [] }: Comparison): Promise<void> {
    const { tally } = this.#check;
    const where = { key: record.displayKey, place: record.place };
    for (const difference of differences) await tally.found(difference, where);
    const more = (differenceCount ?? 0) - differences.length;
    if (more > 0) await tally.found({ kind: "value", detail: `and ${more} more differences of it` }, where);
    for (const what of unproven) tally.cannotTell(what, 1);
  }

  async #listAgain(): Promise<void> {
    const before = this.#extras;
    if (before.size === 0) return;
    this.#extras = new SpillingSet(this.#check.run.options.workRoot);
    try {
      await this.#list((key) => before.has(key));
    } finally {
      before.close();
    }
  }

  /** Lists the target, and remembers keys that are not the dump's. What a job keeps for itself is left to that job. */
  async #list(isExtra: (key: Buffer) => boolean): Promise<void> {
    const { run, scope, verifier, tally } = this.#check;
    const held = verifier.held?.(scope);
    if (held === undefined || typeof held === "string") return;
    for await (const page of held) {
      run.signal.throwIfAborted();
      for (const { key, displayKey, job } of page) {
        if (!isExtra(key) || !run.selection.wantsKey(displayKey)) continue;
        if (job !== undefined) {
          tally.keepers.add(job);
          continue;
        }
        // Some targets list a key twice.
        if (!this.#extras.add(key) || !this.#isLast) continue;
        await tally.found({ kind: "extra", detail: "the dump does not hold it" }, { key: displayKey });
      }
    }
  }
}

function whyNotListed({ how, sample, verifier, scope }: ScopeCheck): string | undefined {
  if (how.comparing.allowMore) return "the target may hold more than the dump";
  if (sample !== undefined) return "only a sample is compared";
  const held = verifier.held?.(scope);
  if (held === undefined) return "the target's records cannot be listed";
  return typeof held === "string" ? held : undefined;
}

function standingOf({ differences, expired, unproven }: Comparison): Standing {
  if (differences.length > 0) {
    return differences.some(({ kind, at }) => kind === "missing" && at === undefined) ? "missing" : "differing";
  }
  if (expired === true) return "expired";
  return unproven === undefined || unproven.length === 0 ? "equal" : "unproven";
}
