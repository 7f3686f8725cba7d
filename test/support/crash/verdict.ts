/** What a trial has to be like, beside the restore that nobody disturbed. */
import type { CrashCase } from "./cases.js";
import type { TrialEnd } from "./trial.js";

/** A standard queue takes the messages of a request twice where its answer was lost; and one is under way in each queue. */
const MOST_IN_DOUBT = 10;

/** Every difference that is none of those that a protocol cannot avoid, in words. */
export function differences(crash: CrashCase, end: TrialEnd, undisturbed: TrialEnd): string[] {
  const sum = Object.values(end.totals).reduce((a, b) => a + b, 0);
  return [
    ...end.faults,
    ...end.leftovers.map((left) => `left behind: ${left}`),
    ...(end.unfinished === 0 ? [] : [`${end.unfinished} jobs are unfinished`]),
    ...(sum === end.recordsRead ? [] : [`${end.recordsRead} records were read, and the outcomes are ${sum}`]),
    ...(crash.adapter === "sqs" ? queuesDiffer(crash, end, undisturbed) : heldDiffers(end, undisturbed)),
    ...differing("listed", end.listed, undisturbed.listed),
    ...differing("recordsRead", end.recordsRead, undisturbed.recordsRead),
  ];
}

function heldDiffers(end: TrialEnd, undisturbed: TrialEnd): string[] {
  const keys = new Set([...Object.keys(end.held), ...Object.keys(undisturbed.held)]);
  return [
    ...differing("status", end.status, undisturbed.status),
    ...differing("scopes", end.scopes, undisturbed.scopes),
    ...[...keys].flatMap((key) => differing(key, end.held[key], undisturbed.held[key])),
  ];
}

function queuesDiffer(crash: CrashCase, end: TrialEnd, undisturbed: TrialEnd): string[] {
  const { ambiguous = 0, ...totals } = end.totals;
  const certain = { ...totals, restored: (totals["restored"] ?? 0) + ambiguous };
  const { ambiguous: _, ...expected } = undisturbed.totals;
  const listed = new Set(end.ambiguous.map(({ key }) => key));
  const inDoubt = undisturbed.scopes.map(({ scope }) => end.ambiguous.filter((each) => each.scope === scope).length);
  const keys = new Set([...Object.keys(end.held), ...Object.keys(undisturbed.held)]);
  return [
    ...differing("status", end.status, ambiguous > 0 ? 3 : undisturbed.status),
    ...differing("totals", certain, expected),
    ...differing("ambiguous records", end.ambiguous.length, ambiguous),
    ...(Math.max(...inDoubt) > MOST_IN_DOUBT * end.crashes
      ? [`${inDoubt.join()} are in doubt after ${end.crashes} crashes`]
      : []),
    ...end.ambiguous
      .filter(({ scope }) => scope.endsWith(".fifo"))
      .map(({ key }) => `${key} of the FIFO queue is in doubt`),
    ...[...keys].flatMap((key) => {
      const [found, wanted] = [end.held[key], undisturbed.held[key]];
      const isStandard = key.endsWith("messages") && !key.includes(".fifo");
      if (!isStandard || !Array.isArray(found) || !Array.isArray(wanted)) return differing(key, found, wanted);
      return copiesDiffer({ ...crash, crashes: end.crashes }, listed, {
        found: found as string[],
        wanted: wanted as string[],
      });
    }),
  ];
}

/** Messages in doubt may be there once more for each crash; where they are left out instead, they may be missing. */
function copiesDiffer(
  { leavesDoubtfulOut = false, crashes }: CrashCase & { readonly crashes: number },
  doubtful: ReadonlySet<string>,
  { found, wanted }: { readonly found: readonly string[]; readonly wanted: readonly string[] },
): string[] {
  return [...new Set([...found, ...wanted])].flatMap((each) => {
    const more = countOf(found, each) - countOf(wanted, each);
    const isDoubtful = doubtful.has(each.trim());
    const mayBe = leavesDoubtfulOut ? more === -1 : more > 0 && more <= crashes;
    if (more === 0 || (isDoubtful && mayBe)) return [];
    return [`${each.trim()} is there ${more} times more${isDoubtful ? ", in doubt" : ""}`];
  });
}

function countOf(all: readonly string[], one: string): number {
  return all.filter((each) => each === one).length;
}

function differing(what: string, found: unknown, wanted: unknown): string[] {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  return a === b ? [] : [`${what}: ${shown(a)} and not ${shown(b)}`];
}

function shown(text: string | undefined): string {
  return text === undefined || text.length < 400 ? String(text) : `${text.slice(0, 400)}… (${text.length} characters)`;
}
