/**
 * Whether the target's memory will do for the dump: a server that drops keys when memory is short acknowledges records
 * and loses them, one that does not stops the run half-way. Compares the dump's bytes with the room that the target
 * tells; what records take in memory can only be guessed: about as much as in the dump, small ones up to twice that.
 */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { Adapter } from "../model/scope.js";
import type { Mode } from "../modes/mode.js";
import type { Capabilities, MemoryState } from "../replayers/replayer.js";
import type { PreparedScope } from "./inspection.js";

/** Of a run, what the judgement needs; a prepared run has it. */
interface MemoryQuestion {
  readonly options: { readonly mode: Mode; readonly allowLowMemory?: boolean };
  readonly selection: { readonly isPartial: boolean };
  readonly capabilities: ReadonlyMap<Adapter, Capabilities>;
  readonly scopes: readonly PreparedScope[];
}

/** A record may take so many times its bytes. */
const AT_MOST = 2;

const GO_ON = "or go on all the same with --allow-low-memory";

/** @throws RestoreError TARGET_UNFIT where records would be lost or the run would stop, unless the operator takes that on */
export function assertMemory(run: MemoryQuestion): void {
  if (run.options.allowLowMemory === true) return;
  for (const { refused, message, hint, adapter } of judgements(run)) {
    if (refused) throw new RestoreError("TARGET_UNFIT", message, { where: { adapter }, hint });
  }
}

/** What the plan says: of memory that may not do, and of memory that will not but has been allowed. */
export function memoryWarnings(run: MemoryQuestion): string[] {
  const all = judgements(run);
  return all.filter(({ refused }) => !refused || run.options.allowLowMemory === true).map(({ message }) => message);
}

interface Judgement {
  readonly adapter: Adapter;
  readonly refused: boolean;
  readonly message: string;
  readonly hint: string;
}

function judgements(run: MemoryQuestion): Judgement[] {
  return [...run.capabilities].flatMap(([adapter, { memory }]) => {
    const judged = memory === undefined ? undefined : judge(run, adapter, memory);
    return judged === undefined ? [] : [{ adapter, ...judged }];
  });
}

function judge(run: MemoryQuestion, adapter: Adapter, memory: MemoryState): Omit<Judgement, "adapter"> | undefined {
  const scopes = run.scopes.filter(({ scope, decision }) => scope.adapter === adapter && isWritten(decision));
  const bytes = scopes.reduce((sum, { size }) => sum + size.bytes, 0);
  const freed = scopes.reduce(
    (sum, { decision, state }) => sum + (decision === "empty" ? (state.freedBytes ?? 0) : 0),
    0,
  );
  const room = Math.max(0, Math.floor(memory.limitBytes - memory.usedBytes + freed));
  if (bytes === 0 || bytes * AT_MOST <= room) return undefined;
  // Part of the dump, or records that may stand there already, need less than all of it.
  const isUpperBound = run.selection.isPartial || scopes.some(({ decision, state }) => isAdded(decision, state));
  const sizes = `the dump's ${bytes} bytes go into ${room} bytes that are free of maxmemory ${memory.limitBytes}`;
  if (memory.dropsBy !== undefined) {
    const policy = escapeForDisplay(memory.dropsBy);
    return {
      refused: true,
      message: `${adapter}: ${sizes}, and the server drops keys by ${policy} when memory is short, also those just restored`,
      hint: `Nothing was written. For the restore, send the server CONFIG SET maxmemory-policy noeviction and a larger CONFIG SET maxmemory, ${GO_ON}.`,
    };
  }
  return {
    refused: room === 0 || (bytes > room && !isUpperBound),
    message: `${adapter}: ${sizes}, and a server that is full stops the run`,
    hint: `Nothing was written. Send the server a larger CONFIG SET maxmemory, free memory there, ${GO_ON}.`,
  };
}

function isWritten(decision: PreparedScope["decision"]): boolean {
  return decision === "create" || decision === "keep" || decision === "empty";
}

function isAdded(decision: PreparedScope["decision"], { presence }: PreparedScope["state"]): boolean {
  return decision === "keep" && presence === "holds-records";
}
