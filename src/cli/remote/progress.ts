/**
 * How far a daemon's job is, as it tells it now and then, shown as the progress of a run of this process is. Never throws.
 */
import type { Progress, ScopeProgress } from "../../daemon/channel.js";
import { ADAPTERS } from "../../model/scope.js";
import { present } from "../../support/present.js";
import type { ShownProgress } from "../progress.js";
import type { ShownScope } from "../progress-state.js";

export class RemoteProgress {
  readonly #begin: () => ShownProgress;
  /** While something moves. */
  #shown: ShownProgress | undefined;
  readonly #scopes = new Map<string, ShownScope>();
  /** Said to be done; also by what showed it before. */
  readonly #done = new Set<ShownScope>();
  #isChecked = false;
  #surveyed = 0;

  /** `begin`: makes what shows progress; it is made anew whenever something moves again. */
  constructor(begin: () => ShownProgress) {
    this.#begin = begin;
  }

  take({ check, surveyed, scopes }: Progress): void {
    if (check !== undefined) this.#check(check);
    const survey = surveyed === undefined ? undefined : this.#scopeOf(surveyed.scope, false);
    if (survey !== undefined && surveyed !== undefined && surveyed.records !== this.#surveyed) {
      this.#surveyed = surveyed.records;
      this.#current().report({ type: "surveyed", scope: survey, records: surveyed.records });
    }
    for (const scope of scopes) this.#show(scope);
  }

  /** Nothing moves for now, or ever. Repeatable. */
  rest(): void {
    this.#shown?.report({ type: "finished" });
    this.#shown = undefined;
  }

  say(line: string): void {
    (this.#shown ?? this.#begin()).say(line);
  }

  #current(): ShownProgress {
    this.#shown ??= this.#begin();
    return this.#shown;
  }

  /** A process that takes the job up checks the dump again, and so does a comparison behind a restore. */
  #check({ files, bytes, isDone }: NonNullable<Progress["check"]>): void {
    if (this.#isChecked && isDone) return;
    if (this.#isChecked) this.rest();
    this.#isChecked = isDone;
    this.#current().report({ type: isDone ? "checked" : "checking", files, bytes });
  }

  #show(told: ScopeProgress): void {
    const scope = this.#scopeOf(told.scope, told.isComparison);
    if (scope === undefined || (told.isFinished && this.#done.has(scope))) return;
    const { expectedBytes, records, bytes, outcomes, differing, isComparison, perSecond, secondsLeft } = told;
    const pace = { perSecond, ...present({ msLeft: secondsLeft === undefined ? undefined : secondsLeft * 1000 }) };
    const counts = { expectedBytes, records, bytes, outcomes, differing, isComparison };
    this.#current().report({ type: "told", scope, ...counts, pace });
    if (told.isFinished) {
      this.#done.add(scope);
      this.#current().report({ type: "scope-finished", scope });
    } else this.#done.delete(scope);
  }

  /** The same object for the same scope. Undefined where it is none. */
  #scopeOf(label: string, isComparison: boolean): ShownScope | undefined {
    const key = `${isComparison} ${label}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const at = label.indexOf("/");
    const adapter = ADAPTERS.find((each) => each === label.slice(0, at));
    if (adapter === undefined) return undefined;
    const scope = { adapter, name: label.slice(at + 1) };
    this.#scopes.set(key, scope);
    return scope;
  }
}
