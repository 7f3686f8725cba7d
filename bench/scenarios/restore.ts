/** A restore into an empty server, alone or beside what an operator would type instead. */
import { reasonOf } from "../../testcontainers/ready.js";
import { type Contestant, type ContestEnd, contest } from "../contest.js";
import { fastestOf, timeRatio } from "../figures.js";
import { type Ready, whenReady } from "../ground.js";
import { LIMIT_BYTES } from "../limit.js";
import { ENVIRONMENT, OURS, ourRestore, runIn } from "../ours.js";
import { type Peer, SHA256SUM, sha256sum } from "../peers/peer.js";
import type { Goal, Measurement, Scenario, Standing } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";

export interface RestoreScenario {
  readonly name: string;
  readonly title: string;
  readonly size: number;
  readonly shape: Shape;
  /** What the tool is told beside the dump and the server. */
  readonly options?: readonly string[];
  readonly peers?: readonly Peer[];
  /** Time as a multiple of `sha256sum -c` and the fastest peer after it. */
  readonly atMost?: number;
  /** No more than so many, where one says what there is to say. */
  readonly mostRounds?: number;
}

export function restoreScenario(init: RestoreScenario): Scenario {
  const { name, title, size, shape } = init;
  return {
    ...{ name, title, size },
    generate: async (dump, wanted) => await shape.generate(dump, wanted),
    measure: async (settings) => await whenReady(init, settings, (ready) => measure(init, ready)),
  };
}

async function measure(init: RestoreScenario, ready: Ready): Promise<Measurement> {
  const { settings, dump, target } = ready;
  const contestants = await contestantsOf(init, ready);
  const rounds = Math.min(settings.rounds, init.mostRounds ?? settings.rounds);
  // A profile is of one run.
  const warmsUp = init.shape.warmsUp === true && settings.profiles === undefined;
  const warmUp = warmsUp ? contestants.findLast(({ skipped }) => skipped === undefined) : undefined;
  const end = await contest(contestants, { ...settings, rounds }, warmUp);
  return {
    ...{ scenario: init.name, title: init.title, size: dump.size, dumpBytes: dump.bytes },
    records: dump.generated.records,
    server: target.description,
    goals: init.atMost === undefined || contestants.length === 1 ? [] : [goalOfTime(end.standings, init.atMost)],
    ...memoryOf(end),
  };
}

async function contestantsOf(init: RestoreScenario, ready: Ready): Promise<Contestant[]> {
  const { settings, scratch, dump, target } = ready;
  const { shape, peers = [] } = init;
  const ours = ourRestore({
    run: runIn(scratch, settings),
    dump,
    options: init.options ?? [],
    servers: () => [{ adapter: shape.adapter, server: target.server }],
    empty: async () => await target.empty(),
    check: async () => await shape.check(target.server, dump),
  });
  if (peers.length === 0 || !settings.peers) return [ours];
  const others: Contestant[] = [];
  for (const peer of peers) others.push(await contestantOf(peer, init, ready));
  return [ours, sha256sum(dump.path), ...others];
}

async function contestantOf(peer: Peer, { shape }: RestoreScenario, ready: Ready): Promise<Contestant> {
  const { scratch, dump, target } = ready;
  const { name, loses } = peer;
  let installed: string;
  try {
    installed = await peer.install();
  } catch (error) {
    return { name, skipped: reasonOf(error), command: () => ({ command: name, args: [] }) };
  }
  const expected = { ...dump, ...(loses === undefined ? {} : { without: loses }) };
  return {
    name,
    before: async () => await target.empty(),
    command() {
      const command = peer.command({ dump: dump.path, server: target.server, installed, scratch });
      return { ...command, env: { ...ENVIRONMENT, ...command.env } };
    },
    after: async () => await shape.check(target.server, expected),
  };
}

/** What the tool's runs held at most, and a fault where that was too much: a limit of memory is one on every machine. */
export function memoryOf({ standings, faults }: ContestEnd) {
  const [ours] = standings;
  const peakBytes = Math.max(0, ...(ours?.runs ?? []).map((run) => run.peakBytes));
  const over = peakBytes <= LIMIT_BYTES ? [] : [`${ours?.name ?? OURS}: it held more than its limit`];
  return { standings, peakBytes, limitBytes: LIMIT_BYTES, faults: [...faults, ...over] };
}

function goalOfTime(standings: readonly Standing[], atMost: number): Goal {
  const named = (wanted: string) => standings.find(({ name }) => name === wanted);
  const best = fastestOf(standings.filter(({ name }) => name !== OURS && name !== SHA256SUM));
  const value = timeRatio(named(OURS), [named(SHA256SUM), best]);
  const what = `time ÷ (${SHA256SUM} + ${best?.name ?? "a peer"})`;
  return { what, atMost, unit: "×", ...(value === undefined ? {} : { value }) };
}
