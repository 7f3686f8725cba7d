/**
 * What an operator asserts of the data, looked at on the target. A record is proven in two steps: the target holds it just
 * as the dump does, and what the dump has is what was asserted; so every protocol's own comparison is the only reader.
 */
import type { DumpRecord, WritableRecord } from "../../model/record.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import { LimitError } from "../../readers/json-stream.js";
import type { Comparing, Comparison, HeldKey } from "../../replayers/verifier.js";
import { SpillingSet } from "../../support/spilling-set.js";
import type { ConnectedRun } from "../prepare.js";
import type { Report } from "../report.js";
import { ownRecords, recordSource, runRecords } from "../run-records.js";
import { MemoryBudget } from "../transform/limits.js";
import { plainRecord } from "../transform/transform.js";
import type { AssertionPlace, CountAssertion, PlacedAssertion, RecordAssertion } from "./assertion-schema.js";
import { mismatchOf } from "./recorded-value.js";

/** Undefined: as asserted. Else why not, in a sentence. */
export type Finding = string | undefined;

type Placed<T> = T & AssertionPlace;

/** Above it a record is not made into plain values. */
const MOST_BYTES = 64 * 1024 * 1024;

const HOW: Comparing = { allowMore: false, toleranceMs: 5_000, download: true, messages: "no" };

/** Whether any assertion has to be looked up on the target. */
export function needsTarget(assertions: readonly PlacedAssertion[]): boolean {
  return assertions.some(({ kind, ...rest }) => kind === "record" || ("of" in rest && rest.of === "held"));
}

/** Findings of counts and records, by their numbers. @throws what ends a run */
export async function checkData(
  assertions: readonly PlacedAssertion[],
  report: Report,
  run: ConnectedRun | undefined,
): Promise<Map<number, Finding>> {
  const findings = new Map<number, Finding>();
  for (const assertion of assertions) {
    if (assertion.kind === "count") findings.set(assertion.number, await checkCount(assertion, report, run));
  }
  const records = assertions.filter((assertion) => assertion.kind === "record");
  for (const scope of run?.found ?? []) {
    const own = records.filter((assertion) => assertion.scope === scopeLabel(scope));
    if (run !== undefined && own.length > 0) await checkScope(own, scope, { run, findings });
  }
  return findings;
}

async function checkCount(assertion: CountAssertion, report: Report, run: ConnectedRun | undefined): Promise<Finding> {
  const { scope: label, of } = assertion;
  const restored = report.scopes.find(({ adapter, scope }) => `${adapter}:${scope}` === label)?.outcomes.restored ?? 0;
  if (of === "restored") return outside(restored, assertion, "were restored");
  const scope = run?.found.find((each) => scopeLabel(each) === label);
  if (run === undefined || scope === undefined) return "the target was not asked";
  const held = await heldIn(run, scope);
  return typeof held === "string" ? held : outside(held, assertion, "are on the target");
}

function outside(count: number, { exact, min, max }: CountAssertion, what: string): Finding {
  const found = `${count} ${what}`;
  if (exact !== undefined && count !== exact) return `${found}, not ${exact}`;
  if (min !== undefined && count < min) return `${found}, fewer than ${min}`;
  return max !== undefined && count > max ? `${found}, more than ${max}` : undefined;
}

/** Counted by the target itself where it counts exactly, else by listing. A string: why it cannot be told. */
async function heldIn(run: ConnectedRun, scope: Scope): Promise<number | string> {
  const replayer = run.replayers.of(scope);
  const { presence, count } = await replayer.inspect(scope, () => ownRecords(recordSource(run, scope)));
  if (presence === "absent") return 0;
  if (count?.exact === true) return count.value;
  const pages = replayer.verifier.held?.(scope);
  if (pages === undefined || typeof pages === "string") {
    return count === undefined || scope.adapter !== "sqs"
      ? `the target cannot be counted${typeof pages === "string" ? `: ${pages}` : ""}`
      : // The only number that a queue tells.
        count.value;
  }
  return await counted(run, scope, pages);
}

/** Some servers keep records that they do not list (an object below another one's key): those are asked for one by one. */
async function counted(run: ConnectedRun, scope: Scope, pages: AsyncIterable<readonly HeldKey[]>): Promise<number> {
  const { verifier } = run.replayers.of(scope);
  const listed = new SpillingSet(run.options.workRoot);
  try {
    for await (const page of pages) for (const { key } of page) listed.add(key);
    let held = listed.size;
    for await (const record of ownRecords(recordSource(run, scope))) {
      const key = verifier.keyOf?.(scope, record);
      if (key === undefined || listed.has(key)) continue;
      const [comparison] = (await verifier.compare?.(scope, [record], HOW)) ?? [];
      if (comparison !== undefined && isThere(comparison)) held++;
    }
    return held;
  } finally {
    listed.close();
  }
}

function isThere({ expired, differences }: Comparison): boolean {
  return expired !== true && !differences.some(({ kind }) => kind === "missing");
}

interface ScopeLook {
  readonly run: ConnectedRun;
  /** Filled. */
  readonly findings: Map<number, Finding>;
}

/** One reading of the scope for all its assertions. */
async function checkScope(
  assertions: readonly Placed<RecordAssertion>[],
  scope: Scope,
  { run, findings }: ScopeLook,
): Promise<void> {
  const byKey = new Map<string, Placed<RecordAssertion>[]>();
  for (const assertion of assertions) byKey.set(assertion.key, [...(byKey.get(assertion.key) ?? []), assertion]);
  const open = new Set(byKey.keys());
  for await (const record of runRecords(recordSource(run, scope))) {
    run.signal.throwIfAborted();
    const own = byKey.get(record.displayKey);
    if (own === undefined || record.kind === "left-out" || !open.delete(record.displayKey)) continue;
    const held = await holds(run, scope, record);
    for (const assertion of own)
      findings.set(assertion.number, await recordFinding(record, assertion, { scope, held }));
    if (open.size === 0) return;
  }
  for (const key of open) {
    for (const { number, absent } of byKey.get(key) ?? []) {
      findings.set(number, absent === undefined ? "the dump holds no such record" : await stray(run, scope, key));
    }
  }
}

/** Whether the target holds it as the dump has it. */
async function holds(run: ConnectedRun, scope: Scope, record: DumpRecord): Promise<Finding> {
  if (record.kind === "faulty") return `the dump's record cannot be read: ${record.detail}`;
  const [comparison] = (await run.replayers.of(scope).verifier.compare?.(scope, [record], HOW)) ?? [];
  if (comparison === undefined) return "the target cannot be asked for one record";
  if (comparison.expired === true) return "its time is past, and it is not on the target";
  const [first] = comparison.differences;
  if (first !== undefined) return `the target does not hold it as the dump does: ${first.detail}`;
  const [unproven] = comparison.unproven ?? [];
  return unproven === undefined ? undefined : `whether the target holds it as the dump does is not known: ${unproven}`;
}

async function recordFinding(
  record: DumpRecord,
  assertion: RecordAssertion,
  { scope, held }: { readonly scope: Scope; readonly held: Finding },
): Promise<Finding> {
  if (assertion.absent !== undefined) return "the dump holds such a record";
  if (held !== undefined || record.kind === "faulty") return held;
  return await valueFinding(record, assertion, scope);
}

async function valueFinding(record: WritableRecord, assertion: RecordAssertion, scope: Scope): Promise<Finding> {
  const body = record.kind === "object" ? record.body : undefined;
  try {
    return mismatchOf(await plainRecord(record, scope, new MemoryBudget(MOST_BYTES)), assertion, body);
  } catch (error) {
    // What is too large for memory is proven to be there, and not looked into.
    if (!(error instanceof LimitError)) throw error;
    return `it is over ${MOST_BYTES} bytes, which an assertion does not look into`;
  }
}

/** What the dump lacks may be on the target all the same. */
async function stray(run: ConnectedRun, scope: Scope, key: string): Promise<Finding> {
  const pages = run.replayers.of(scope).verifier.held?.(scope);
  // Where nothing can be listed, it is told by the verification.
  if (pages === undefined || typeof pages === "string") return undefined;
  for await (const page of pages) {
    if (page.some(({ displayKey }) => displayKey === key))
      return "the target holds such a record, which the dump lacks";
  }
  return undefined;
}
