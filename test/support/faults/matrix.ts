/** Which trouble a request may meet, and what a restore has to make of it all the same. */
import { expect } from "vitest";

import type { Adapter } from "../../../src/model/scope.js";
import type { Held } from "../crash/places.js";
import type { ListedRecord } from "../run-cli.js";
import { FULL_ANSWERS, PASSING_ANSWERS } from "./answers.js";
import type { Ended, FaultBench, Mode, Passing, Trial, Trouble } from "./bench.js";
import { CUTS, HANGS } from "./fault.js";

/** Every trouble that passes, by its name. */
export function troublesOf(adapter: Adapter): Readonly<Record<string, Trouble>> {
  return Object.fromEntries<Trouble>([
    ...[...CUTS, ...HANGS].map((fault) => [fault, fault] as const),
    ["an answer after a while", { delayMs: 300 }],
    ["an answer byte by byte", { byteEveryMs: 1 }],
    ...PASSING_ANSWERS[adapter].map((answered) => [answered, { answered }] as const),
  ]);
}

export interface Left {
  readonly ended: Ended;
  readonly held: Held;
  readonly requests: readonly string[];
}

/** What a run leaves that nothing disturbs. */
export async function undisturbed(bench: FaultBench, mode: Mode): Promise<Left> {
  return await bench.trial(mode, async (trial) => {
    trial.disturb(() => "pass");
    const ended = await trial.apply();
    expect(ended.report, ended.stderr).toBeDefined();
    return { ended, held: await trial.held(), requests: [...trial.requests] };
  });
}

/** The trouble for the one request that `at` says yes to first. */
export function once(trouble: Trouble, at: (request: Passing) => boolean): (request: Passing) => Trouble {
  let met = false;
  return (request) => {
    if (met || !at(request)) return "pass";
    met = true;
    return trouble;
  };
}

/** Requests that write records, or parts of large ones. */
const WRITES: Readonly<Record<Adapter, RegExp>> = {
  redis: /^(?:RPUSH|SADD|XADD)$/,
  dynamodb: /^(?:BatchWriteItem|PutItem)$/,
  s3: /^(?:PUT|POST) .*(?:o\d+|large.*)$/,
  sqs: /^SendMessage(?:Batch)?$/,
};

/** What lasts until somebody mends it, by its name. `full`: no wait would help. */
export function outagesOf(adapter: Adapter): readonly (readonly [name: string, trouble: Trouble])[] {
  const answers = [...PASSING_ANSWERS[adapter], ...FULL_ANSWERS[adapter]].filter((name) => !isPartial(name));
  return [
    ...(["cut-before", "cut-within", ...HANGS] as const).map((fault) => [fault, fault] as const),
    ...answers.map((answered) => [answered, { answered }] as const),
  ];
}

/** Whether the request writes records and can meet the trouble. */
export function isWriteThatMeets(adapter: Adapter, trouble: Trouble): (request: Passing) => boolean {
  const partial = typeof trouble === "object" && "answered" in trouble && isPartial(trouble.answered);
  return ({ name }) => WRITES[adapter].test(name) && (!partial || name.includes("Batch"));
}

/** The server does some of what it is asked every time. */
function isPartial(answer: string): boolean {
  return answer === "unprocessed" || answer === "failed entries";
}

export interface Outage {
  readonly mode: Mode;
  readonly trouble: Trouble;
  /** From this write of records on, counted from 0. */
  readonly from: number;
}

/** The run stops when the target is away, fails no record of it, and is finished when the job is taken up. */
export async function expectResumable(bench: FaultBench, { mode, trouble, from }: Outage, wanted: Left): Promise<void> {
  await bench.trial(mode, async (trial) => {
    let writes = 0;
    let isAway = false;
    trial.disturb(({ name }) => {
      isAway ||= WRITES[bench.adapter].test(name) && writes++ === from;
      return isAway ? trouble : "pass";
    });
    const { status, stderr, report } = await trial.apply("1s");
    expect(status, stderr).toBe(1);
    expect(stderr).toContain("elastickv-restore resume");
    expect(report?.notReached).toBeGreaterThan(0);
    expect(report?.totals["failed"]).toBe(0);
    trial.disturb(() => "pass");
    await expectAsUndisturbed(trial, await trial.resume(), wanted);
  });
}

const MANY = 8;

/** Numbers of the requests to disturb: all, but of a kind that comes again and again a few from its begin, middle and end. */
export function placesAmong(requests: readonly string[]): number[] {
  const byName = new Map<string, number[]>();
  for (const [index, name] of requests.entries()) byName.set(name, [...(byName.get(name) ?? []), index]);
  const places = [...byName.values()].flatMap((all) => {
    if (all.length <= MANY) return all;
    const middle = all[Math.floor(all.length / 2)] ?? 0;
    return [...all.slice(0, 2), middle, ...all.slice(-2)];
  });
  return places.sort((a, b) => a - b);
}

/** The run ended as an undisturbed one, but for what is in doubt by the protocol's nature and listed so. */
export async function expectAsUndisturbed(trial: Trial, ended: Ended, wanted: Left): Promise<void> {
  const { report, status, stderr } = ended;
  const held = await trial.held();
  const doubtful = (report?.listed ?? []).filter(({ outcome }) => outcome === "ambiguous");
  expect(doubtful.filter((record) => !mayBeDoubtful(record))).toEqual([]);
  expect(withoutDoubles(held, doubtful)).toEqual(wanted.held);
  const warnings = (report?.scopes ?? []).flatMap((scope) => scope.warnings);
  // Several uploads whose answers were lost are not told from those of others.
  if (!warnings.some((text) => text.includes("cannot be told apart"))) expect(await trial.leftovers()).toEqual([]);
  expect(status, stderr).toBe(doubtful.length > 0 ? 3 : wanted.ended.status);
  const [totals, before] = [report?.totals ?? {}, wanted.ended.report?.totals ?? {}];
  expect(report?.recordsRead).toBe(wanted.ended.report?.recordsRead);
  expect(sum(totals)).toBe(report?.recordsRead);
  if (doubtful.length === 0) expect(totals).toEqual(before);
  else
    expect(totals).toMatchObject({
      ambiguous: doubtful.length,
      failed: before["failed"],
      rejected: before["rejected"],
    });
}

/** A standard queue takes a repetition as another message; a sketch does not tell whose additions it holds. */
function mayBeDoubtful({ adapter, scope, path }: ListedRecord): boolean {
  return adapter === "sqs" ? !scope.endsWith(".fifo") : path.includes("/hll/");
}

/** A message in doubt may be there more than once, and no other one. */
function withoutDoubles(held: Held, doubtful: readonly ListedRecord[]): Held {
  const once = (scope: string, messages: readonly string[]) => {
    const mayRepeat = new Set(
      doubtful.filter((record) => `${record.scope} messages` === scope).map(({ key }) => ` ${key}`),
    );
    return messages.filter((message, i) => {
      return messages.indexOf(message) === i || !mayRepeat.has(message);
    });
  };
  return Object.fromEntries(
    Object.entries(held).map(([name, value]) => [
      name,
      name.endsWith(" messages") ? once(name, value as readonly string[]) : value,
    ]),
  );
}

function sum(totals: Readonly<Record<string, number>>): number {
  return Object.values(totals).reduce((all, one) => all + one, 0);
}
