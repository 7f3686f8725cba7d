/**
 * What the targets hold, and whether a run may go on from there: asked once for all scopes before the first write, and
 * again of a scope when its turn has come. Writes nothing.
 */
import { RestoreError } from "../errors/restore-error.js";
import { together } from "../errors/together.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { Mode, ScopeDecision } from "../modes/mode.js";
import type { Dump } from "../readers/dump.js";
import type { Replayer, ScopeState } from "../replayers/replayer.js";
import { asksTarget } from "./before-writing.js";
import type { Journal } from "./journal/journal.js";
import { ownRecords, type RecordsInit, recordSource } from "./run-records.js";
import type { Selection } from "./selection.js";

export interface PreparedScope {
  readonly scope: Scope;
  readonly state: ScopeState;
  readonly decision: ScopeDecision;
  /** Files of the scope in the dump and their bytes. */
  readonly size: { readonly files: number; readonly bytes: number };
}

const INSPECTED_AT_ONCE = 8;

/** Of a run, what an inspection needs; a prepared run has it. */
interface Inspection {
  readonly options: RecordsInit["options"] & { readonly mode: Mode; readonly signal?: AbortSignal };
  readonly dump: Pick<Dump, "reader" | "sizeOf">;
  readonly selection: Pick<Selection, "wantsKey">;
  readonly replayers: { of(scope: Scope): Replayer };
  /** What an earlier process of the job decided stays decided. */
  readonly journal?: Pick<Journal, "recovered">;
}

/** @throws RestoreError of every scope that cannot be asked or can never be there */
export async function inspectAll(scopes: readonly Scope[], run: Inspection): Promise<PreparedScope[]> {
  const prepared: PreparedScope[] = [];
  const errors: unknown[] = [];
  for (let at = 0; at < scopes.length; at += INSPECTED_AT_ONCE) {
    const some = scopes.slice(at, at + INSPECTED_AT_ONCE);
    const results = await Promise.allSettled(
      some.map((scope) => asksTarget(run.replayers.of(scope), inspectScope(scope, run))),
    );
    for (const result of results) {
      if (result.status === "fulfilled") prepared.push(result.value);
      else errors.push(result.reason);
    }
    run.options.signal?.throwIfAborted();
  }
  if (errors.length > 0) throw together(errors);
  return prepared;
}

/** Asks the target what it holds under the scope's name now, and the mode what to do with that. Changes nothing. */
async function inspectScope(scope: Scope, run: Inspection): Promise<PreparedScope> {
  const { options, dump, replayers } = run;
  const init = { ...run, ...(options.signal === undefined ? {} : { signal: options.signal }) };
  const state = await replayers.of(scope).inspect(scope, () => ownRecords(recordSource(init, scope)));
  const admission = run.journal?.recovered(scope)?.admission;
  const size = dump.sizeOf(scope);
  if (admission !== undefined) {
    const { presence, decision } = admission;
    return { scope, state: { presence, warnings: state.warnings }, decision, size };
  }
  return { scope, state, decision: options.mode.onScope(scope.adapter, state.presence), size };
}

/**
 * Refuses what the mode does not allow to be written into, and what the target will not make.
 * @throws RestoreError TARGET_NOT_EMPTY, TARGET_SCHEMA_DIFFERS, TARGET_UNFIT with every scope concerned
 */
export function assertAcceptable({
  scopes,
  options,
}: {
  readonly scopes: readonly PreparedScope[];
  readonly options: { readonly mode: Mode };
}): void {
  // Without a mode nobody said that what differs may stay.
  const strict = options.mode.name === "none";
  const errors = scopes.flatMap(({ scope, state, decision }) => {
    const label = `${scope.adapter}:${scope.target}`;
    const held = state.count === undefined ? "" : ` (${state.count.exact ? "" : "about "}${state.count.value})`;
    if (decision === "refuse") return [notEmpty(`${label} already holds records${held}`, scope)];
    if ((decision === "create" || decision === "empty") && state.unmakeable !== undefined) {
      return [unmakeable(label, scope, state.unmakeable)];
    }
    const unfit = state.incompatible ?? (strict ? state.differs : undefined);
    return decision === "keep" && unfit !== undefined ? [differs(`${label}: ${unfit}`, scope)] : [];
  });
  if (errors.length > 0) throw together(errors);
}

function notEmpty(message: string, scope: Scope): RestoreError {
  return new RestoreError("TARGET_NOT_EMPTY", message, {
    where: { adapter: scope.adapter, scope: scopeLabel(scope) },
    hint: "Nothing was written. Say what to do with what is there: --mode merge, skip-existing or replace; or --rename it.",
  });
}

function differs(message: string, scope: Scope): RestoreError {
  return new RestoreError("TARGET_SCHEMA_DIFFERS", message, {
    where: { adapter: scope.adapter, scope: scopeLabel(scope) },
    hint: "Nothing was written. Restore under another name with --rename, or use --mode replace.",
  });
}

function unmakeable(label: string, scope: Scope, { why, hint }: NonNullable<ScopeState["unmakeable"]>): RestoreError {
  return new RestoreError("TARGET_UNFIT", `${label}: ${why}`, {
    where: { adapter: scope.adapter, scope: scopeLabel(scope) },
    hint: `Nothing was written. ${hint}`,
  });
}

/**
 * A second look, when the scope's turn has come: hours can lie behind the plan, and what others have put there since was
 * neither refused nor confirmed. Looks only where the mode promised something about what is there.
 * @throws RestoreError TARGET_NOT_EMPTY when the mode would decide otherwise now
 */
export async function lookAgain(planned: PreparedScope, run: Inspection): Promise<PreparedScope> {
  const { mode } = run.options;
  const { scope, decision } = planned;
  if (decision === "refuse") return planned;
  const isPromised = mode.name === "none" || (mode.destructive && decision === "create");
  if (!isPromised) return planned;
  const now = await inspectScope(scope, run);
  if (now.decision !== "refuse" && now.decision !== "empty") return now;
  throw new RestoreError(
    "TARGET_NOT_EMPTY",
    `${scope.adapter}:${scope.target} was ${planned.state.presence} before the run and holds records now`,
    {
      where: { adapter: scope.adapter, scope: scopeLabel(scope) },
      hint: "Somebody else writes there. Look at what it holds, then restore this scope again.",
    },
  );
}
